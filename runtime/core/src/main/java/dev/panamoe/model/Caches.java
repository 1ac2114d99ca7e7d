package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.AttentionSpec;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.KvCache;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What the layers of one session remember. Layers that share keys and values share the cache object.
public final class Caches implements AutoCloseable {
    private final List<KvCache> byLayer = new ArrayList<>();
    private final Device device;
    private final int contextLength;
    private final int rewindable;

    /// @param contextLength positions that can be kept
    /// @param maxRows most rows of one forward pass: sliding layers keep their window and that many more, because the
    ///     first row of a chunk still needs the window before it when the last is stored already
    Caches(ModelSpec spec, Device device, int contextLength, int maxRows, CacheType type) {
        this.device = device;
        this.contextLength = contextLength;
        int slack = contextLength;
        try {
            for (LayerSpec layer : spec.layers()) {
                Optional<CacheSpec> own = specOf(layer, contextLength, maxRows, type);
                byLayer.add(own.isPresent() ? device.allocateCache(own.get()) : byLayer.get(sharedFrom(layer)));
                int window = layer.attention().window();
                if (own.isPresent() && window > 0 && own.get().capacity() < contextLength) {
                    slack = Math.min(slack, own.get().capacity() - window);
                }
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
        this.rewindable = slack;
    }

    private static int sharedFrom(LayerSpec layer) {
        return ((Gqa) layer.attention()).sharedFrom().orElseThrow();
    }

    /// Refuses a storage type whose blocks do not divide the keys of every layer.
    ///
    /// @throws PanamoeException naming the file, the layer and what to use instead
    public static void check(GgufFile file, ModelSpec spec, CacheType type) {
        int block = type.storage().blockSize();
        for (LayerSpec layer : spec.layers()) {
            int size = switch (layer.attention()) {
                case Gqa a -> a.headSize();
                case Mla a -> a.latentSize();
            };
            if (size % block != 0) {
                throw new PanamoeException(file.name() + ": keys of layer " + layer.index() + " have " + size
                        + " values a head, and " + type + " stores multiples of " + block
                        + "; use --cache-type f16 or bf16");
            }
        }
    }

    /// The cache a layer owns; empty when it reads another's. The type has passed {@link #check}.
    static Optional<CacheSpec> specOf(LayerSpec layer, int contextLength, int maxRows, CacheType type) {
        AttentionSpec attention = layer.attention();
        return switch (attention) {
            case Gqa a when a.sharedFrom().isPresent() -> Optional.empty();
            case Gqa a -> {
                int capacity = a.window() == 0 ? contextLength : Math.min(contextLength, a.window() + maxRows);
                yield Optional.of(new CacheSpec(a.kvHeads(), a.headSize(), a.headSize(), false, capacity, type));
            }
            case Mla a -> Optional.of(new CacheSpec(1, a.latentSize(), a.rank(), true, contextLength, type));
        };
    }

    KvCache of(int layer) {
        return byLayer.get(layer);
    }

    /// Whether these keys and values lie on that very opened device.
    @SuppressWarnings("ReferenceEquality") // the same device opened again holds nothing of before
    public boolean isOn(Device other) {
        return device == other;
    }

    /// Positions that can be kept.
    public int contextLength() {
        return contextLength;
    }

    /// How many of the latest positions can be dropped with everything before them still correct: sliding layers have
    /// overwritten what lies further back.
    public int rewindable() {
        return rewindable;
    }

    @Override
    public void close() {
        byLayer.forEach(KvCache::close);
    }
}

package dev.panamoe.model;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import java.util.Optional;

/// The memory that running a model takes, in bytes, computed before any of it is allocated.
///
/// @param weights tensors of the file; mapped, so they count only as far as they are read
/// @param derived weights computed at load
/// @param caches keys and values of one session at its full context
/// @param scratch intermediates of a forward pass
public record MemoryPlan(long weights, long derived, long caches, long scratch) {
    private static final int MAX_ROWS = 512;
    private static final long LOGIT_BYTES = 16L << 20;

    /// @param contextLength positions of the session
    /// @param maxRows most rows of one forward pass
    public static MemoryPlan of(GgufFile file, ModelSpec spec, int contextLength, CacheType type, int maxRows) {
        long weights = weightBytes(file);
        long scratch = 4 * (Scratch.valuesPerRow(spec) * maxRows + (long) logitRows(spec, maxRows) * spec.vocabulary());
        return new MemoryPlan(
                weights, WeightLoader.derivedBytes(spec), cacheBytes(spec, contextLength, type, maxRows), scratch);
    }

    public long total() {
        return weights + derived + caches + scratch;
    }

    /// Bytes of all tensors of a file.
    static long weightBytes(GgufFile file) {
        return file.tensors().values().stream()
                .mapToLong(t -> TensorView.byteSize(t.type(), t.shape()))
                .sum();
    }

    /// Bytes of the keys and values of one session, as {@link CacheSpec#byteSize} counts;
    /// {@link Device#cacheBytes} adds what a device pads and reserves.
    static long cacheBytes(ModelSpec spec, int contextLength, CacheType type, int maxRows) {
        return cacheSpecs(spec, contextLength, type, maxRows).stream()
                .mapToLong(CacheSpec::byteSize)
                .sum();
    }

    private static List<CacheSpec> cacheSpecs(ModelSpec spec, int contextLength, CacheType type, int maxRows) {
        return spec.layers().stream()
                .flatMap(layer -> Caches.specOf(layer, contextLength, maxRows, type).stream())
                .toList();
    }

    /// Positions of the longest context whose caches take at most `budget` bytes of the device.
    private static int longestContext(ModelSpec spec, long budget, CacheType type, int maxRows, Device device) {
        int low = 0;
        int high = Integer.MAX_VALUE / 2;
        while (low < high) {
            int middle = low + (high - low + 1) / 2;
            if (device.cacheBytes(spec, cacheSpecs(spec, middle, type, maxRows)) <= budget) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /// Why the weights computed at load do not fit, and the remedy; empty when they do.
    ///
    /// @param free bytes that the device can give
    public static Optional<String> derivedShortage(ModelSpec spec, Device device, long free) {
        long wanted = WeightLoader.derivedBytes(spec);
        return wanted <= free
                ? Optional.empty()
                : Optional.of("transposing attn_kv_b takes " + mibUp(wanted) + " MiB, but only " + mib(free)
                        + " MiB are free on " + device.info().id() + "; use a file with attn_k_b and attn_v_b");
    }

    /// Why the caches of one session do not fit, and the remedy; empty when they do.
    ///
    /// @param free bytes that the device can give
    public static Optional<String> cacheShortage(
            ModelSpec spec, int contextLength, CacheType type, int maxRows, Device device, long free) {
        long wanted = device.cacheBytes(spec, cacheSpecs(spec, contextLength, type, maxRows));
        if (wanted <= free) {
            return Optional.empty();
        }
        int longest = longestContext(spec, free, type, maxRows, device);
        return Optional.of("a context of " + contextLength + " positions takes " + mibUp(wanted)
                + " MiB for keys and values, but only " + mib(free) + " MiB are free on "
                + device.info().id() + "; use "
                + (longest == 0 ? "a smaller model, or a device with more memory" : "a --ctx of at most " + longest));
    }

    /// Rounded up, or what is short by less than one would seem to fit.
    private static long mibUp(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20);
    }

    private static long mib(long bytes) {
        return bytes >> 20;
    }

    /// How many rows a forward pass may have so that its intermediates fit into `budget` bytes.
    public static int rowsWithin(ModelSpec spec, long budget) {
        return Math.clamp(budget / (4 * Scratch.valuesPerRow(spec)), 8, MAX_ROWS);
    }

    /// How many rows of logits are computed at once: a vocabulary can be wide.
    static int logitRows(ModelSpec spec, int maxRows) {
        return Math.clamp(LOGIT_BYTES / (4L * spec.vocabulary()), 1, maxRows);
    }
}

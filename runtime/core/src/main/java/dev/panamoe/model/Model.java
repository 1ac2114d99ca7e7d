package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.ModelIdentity;
import java.lang.foreign.Arena;
import java.util.List;

/// A model whose weights lie on a device: immutable and shared by everything that runs it.
public final class Model implements AutoCloseable {
    private final ModelSpec spec;
    private final Device device;
    private final Arena derived;
    private final ModelWeights weights;
    private final List<String> notes;

    private Model(ModelSpec spec, Device device, Arena derived, ModelWeights weights, List<String> notes) {
        this.spec = spec;
        this.device = device;
        this.derived = derived;
        this.weights = weights;
        this.notes = List.copyOf(notes);
    }

    /// Checks every tensor, then gives the weights to the device. The file must stay open as long as the model; file
    /// and device remain the caller's to close, after the model.
    ///
    /// @throws PanamoeException when tensors are missing, have wrong shapes or types the device lacks
    public static Model load(GgufFile file, ModelSpec spec, Device device) {
        return load(file, spec, device, LoadProgress.NONE);
    }

    /// As {@link #load(GgufFile, ModelSpec, Device)}, telling how far it is.
    @SuppressWarnings("MustBeClosedChecker") // The arena lives as long as the model, whose close() ends it.
    public static Model load(GgufFile file, ModelSpec spec, Device device, LoadProgress progress) {
        WeightLoader.check(file, spec, device);
        MemoryPlan.derivedShortage(spec, device, device.freeMemory()).ifPresent(shortage -> {
            throw new PanamoeException(file.name() + ": " + shortage);
        });
        Arena derived = Arena.ofShared();
        try {
            long bytes = MemoryPlan.weightBytes(file);
            device.beginUpload(new ModelIdentity(file.name(), file.identity(), bytes));
            ModelWeights weights = WeightLoader.load(file, spec, device, derived, bytes, progress);
            return new Model(spec, device, derived, weights, device.endUpload(progress));
        } catch (RuntimeException | Error e) {
            derived.close();
            throw e;
        } finally {
            progress.done();
        }
    }

    /// Checks every tensor as {@link #load} does, and loads nothing.
    ///
    /// @return what is wrong, without the name of the file: at most a line on tensors that are missing or have wrong
    ///     shapes, and one on types that the device lacks
    public static List<String> faults(GgufFile file, ModelSpec spec, Device device) {
        return WeightLoader.faults(file, spec, device);
    }

    public ModelSpec spec() {
        return spec;
    }

    public Device device() {
        return device;
    }

    /// What the device did with the weights, a line each, for people.
    public List<String> notes() {
        return notes;
    }

    ModelWeights weights() {
        return weights;
    }

    /// Caches for one session.
    ///
    /// @param contextLength positions to keep
    /// @param maxRows most rows of a forward pass over them
    /// @throws PanamoeException when memory is short: how much is wanted, how much there is, what would fit
    public Caches newCaches(int contextLength, int maxRows, CacheType type) {
        MemoryPlan.cacheShortage(spec, contextLength, type, maxRows, device, device.freeMemory())
                .ifPresent(shortage -> {
                    throw new PanamoeException(shortage);
                });
        return new Caches(spec, device, contextLength, maxRows, type);
    }

    /// Frees what was derived at load. Runners and caches of this model must not be used any more.
    @Override
    public void close() {
        derived.close();
    }
}

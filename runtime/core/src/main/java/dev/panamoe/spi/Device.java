package dev.panamoe.spi;

import dev.panamoe.spec.ModelSpec;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.List;
import java.util.Optional;

/// An opened device: it holds weights, buffers and caches, and computes with them. One thread at a time may use it.
/// Everything that computes, copies or allocates throws {@link DeviceLostException} when the device is gone.
public interface Device extends AutoCloseable {
    DeviceInfo info();

    /// The kernel set that computes; empty where there is no choice.
    default String kernels() {
        return "";
    }

    /// Bytes that buffers and caches may still take; `Long.MAX_VALUE` when unknown.
    long freeMemory();

    /// Whether `use` works on weights stored as `type`. What is not supported is refused when a model is loaded.
    boolean supports(WeightUse use, QuantType type);

    /// Says that the weights of a model come next, before the first {@link #upload}. May be left out.
    default void beginUpload(ModelIdentity model) {}

    /// Takes a weight over, re-packed or as it is. The bytes of `view` must stay mapped while the device is open.
    Weight upload(TensorView view, WeightUse use);

    /// Says that all weights of the model are uploaded.
    ///
    /// @param progress is told what else the device does where that takes seconds
    /// @return what a user may want to know of it, a line each: what was re-packed, what is kept where
    default List<String> endUpload(LoadProgress progress) {
        return List.of();
    }

    /// Takes the memory that operations need for themselves while this model runs, so that it is not missing in the
    /// middle of a request and {@link #freeMemory} is what caches may have. Without this call it is taken when it is
    /// first needed.
    ///
    /// @param maxRows most rows of a forward pass
    /// @throws dev.panamoe.PanamoeException when memory is short: how much was wanted, how much there is
    default void reserve(ModelSpec spec, int maxRows) {}

    /// Bytes of {@link #freeMemory} that {@link #allocateCache} of all of these takes: the caches as this device stores
    /// them, and what it reserves for attention over them and does not hold yet.
    ///
    /// @param spec the caches' model: its heads decide what attention needs
    default long cacheBytes(ModelSpec spec, List<CacheSpec> caches) {
        return caches.stream().mapToLong(CacheSpec::byteSize).sum();
    }

    /// Zeroed memory for `size` values.
    ///
    /// @throws dev.panamoe.PanamoeException when memory is short: how much was wanted, how much there is
    Buffer allocate(Buffer.Kind kind, long size);

    /// @throws dev.panamoe.PanamoeException when memory is short: how much was wanted, how much there is
    KvCache allocateCache(CacheSpec spec);

    /// The operations, recorded in the order of the calls.
    Ops ops();

    /// Copies the first `ids.rows() * ids.cols()` integers to the device.
    void write(Ids ids, int[] source);

    /// Copies rows to the device.
    ///
    /// @param source (rows, cols), contiguous
    void write(Rows rows, float[] source);

    /// Waits for all operations, then copies rows to the host.
    ///
    /// @param target (rows, cols), contiguous from `offset` on
    void read(Rows rows, float[] target, int offset);

    /// Waits for all operations, then copies ids to the host.
    void read(Ids ids, int[] target);

    /// Whether finding the largest logits here ({@link Ops#topK}) and reading them is cheaper than reading all.
    default boolean prefersTopK() {
        return false;
    }

    /// What products of this device are made of.
    default Arithmetic arithmetic() {
        return Arithmetic.F32;
    }

    /// Measures what this device can do at most, in less than three seconds; empty when it has no way to.
    default Optional<Ceilings> measureCeilings() {
        return Optional.empty();
    }

    /// Frees everything it holds, also when the device is lost. Its buffers and caches may be closed afterwards.
    @Override
    void close();
}

package dev.panamoe.reference;

import dev.panamoe.quant.Quants;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.List;

/// Everything on the Java heap but the weights, which stay where they are.
final class ReferenceDevice implements Device {
    private final DeviceInfo info;
    private final boolean rounding;
    private final ReferenceOps ops = new ReferenceOps();
    /// Whether any weight meets activations of 8 bits.
    private boolean eightBits;

    /// @param activations are rounded only when that is asked for: what other engines round is not the model's
    ///     definition
    ReferenceDevice(DeviceInfo info, Activations activations) {
        this.info = info;
        this.rounding = activations == Activations.Q8;
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public Arithmetic arithmetic() {
        return eightBits ? Arithmetic.INT8 : Arithmetic.F32;
    }

    @Override
    public long freeMemory() {
        return HostBuffer.freeHeap();
    }

    @Override
    public boolean supports(WeightUse use, QuantType type) {
        return Quants.supported().contains(type);
    }

    @Override
    public Weight upload(TensorView view, WeightUse use) {
        boolean rounded = rounding && Rounding.isFor(view, use);
        eightBits |= rounded;
        return new ReferenceWeight(view, rounded);
    }

    @Override
    public Buffer allocate(Buffer.Kind kind, long size) {
        return HostBuffer.allocate(kind, size);
    }

    /// Floats, whatever the caches' type.
    @Override
    public long cacheBytes(ModelSpec spec, List<CacheSpec> caches) {
        return caches.stream().mapToLong(ReferenceCache::bytes).sum();
    }

    @Override
    public KvCache allocateCache(CacheSpec spec) {
        return new ReferenceCache(spec);
    }

    /// So that what devices with memory of their own do is done here too.
    @Override
    public boolean prefersTopK() {
        return true;
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public void write(Ids ids, int[] source) {
        HostBuffer.write(ids, source);
    }

    @Override
    public void write(Rows rows, float[] source) {
        HostBuffer.write(rows, source);
    }

    @Override
    public void read(Rows rows, float[] target, int offset) {
        HostBuffer.read(rows, target, offset);
    }

    @Override
    public void read(Ids ids, int[] target) {
        HostBuffer.read(ids, target);
    }

    @Override
    public void close() {
        // Nothing but heap memory is held.
    }
}

package dev.panamoe.reference;

import dev.panamoe.quant.Quants;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Op;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;

/// Everything on the Java heap but the weights, which stay where they are.
final class ReferenceDevice implements Device {
    private final DeviceInfo info;
    private final ReferenceOps ops = new ReferenceOps();

    ReferenceDevice(DeviceInfo info) {
        this.info = info;
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public long freeMemory() {
        Runtime r = Runtime.getRuntime();
        return r.maxMemory() - (r.totalMemory() - r.freeMemory());
    }

    @Override
    public boolean supports(Op op, QuantType type) {
        return Quants.supported().contains(type);
    }

    @Override
    public Weight upload(TensorView view, Op use) {
        return new ReferenceWeight(view);
    }

    @Override
    public Buffer allocate(Buffer.Kind kind, long size) {
        return new HostBuffer(kind, size);
    }

    @Override
    public KvCache allocateCache(CacheSpec spec) {
        return new ReferenceCache(spec);
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public void write(Ids ids, int[] source) {
        System.arraycopy(source, 0, ((HostBuffer) ids.buffer()).ints(), ids.offset(), ids.rows() * ids.cols());
    }

    @Override
    public void write(Rows rows, float[] source) {
        float[] to = ((HostBuffer) rows.buffer()).floats();
        for (int r = 0; r < rows.rows(); r++) {
            System.arraycopy(source, r * rows.cols(), to, rows.offset() + r * rows.stride(), rows.cols());
        }
    }

    @Override
    public void read(Rows rows, float[] target, int offset) {
        float[] from = ((HostBuffer) rows.buffer()).floats();
        for (int r = 0; r < rows.rows(); r++) {
            System.arraycopy(from, rows.offset() + r * rows.stride(), target, offset + r * rows.cols(), rows.cols());
        }
    }

    @Override
    public void read(Ids ids, int[] target) {
        System.arraycopy(((HostBuffer) ids.buffer()).ints(), ids.offset(), target, 0, ids.rows() * ids.cols());
    }

    @Override
    public void close() {
        // Nothing but heap memory is held.
    }
}

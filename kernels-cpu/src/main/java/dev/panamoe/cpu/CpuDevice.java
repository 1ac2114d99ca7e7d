package dev.panamoe.cpu;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The cores of this machine. Weights are read where they are; buffers are heap arrays; caches lie in native memory.
final class CpuDevice implements Device {
    private final DeviceInfo info;
    private final WorkerPool pool;
    private final CpuOps ops;

    /// Holds copies of weights that came on the heap, which the kernels do not read.
    private final Arena copies;

    // The arena is closed with the device.
    @SuppressWarnings("MustBeClosedChecker")
    CpuDevice(DeviceInfo info, int threads) {
        this.info = info;
        this.copies = Arena.ofShared();
        this.pool = new WorkerPool(threads);
        Scratch[] scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch());
        this.ops = new CpuOps(pool, scratch);
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public long freeMemory() {
        return MemoryInfo.read().usable().orElse(Long.MAX_VALUE);
    }

    @Override
    public boolean supports(WeightUse use, QuantType type) {
        return switch (use) {
            case EMBED, MATMUL, MATMUL_PER_HEAD, EXPERTS -> WeightFormat.TYPES.containsKey(type);
            case EXPERT_BIAS -> type == QuantType.F32;
            case VECTOR -> type.blockSize() == 1 && WeightFormat.TYPES.containsKey(type);
        };
    }

    @Override
    public Weight upload(TensorView view, WeightUse use) {
        if (!supports(use, view.type())) {
            throw new PanamoeException(view.name() + ": " + view.type() + " is not supported for " + use + " on "
                    + info.id() + "; use a file with another quantisation");
        }
        WeightFormat format = WeightFormat.of(view.type());
        int cols = Math.toIntExact(view.shape().cols());
        if (use == WeightUse.VECTOR) {
            float[] values = new float[Math.toIntExact(view.shape().size())];
            format.unpack(view.data(), 0, values, 0, values.length);
            return new CpuVector(view.name(), view.type(), view.shape(), values);
        }
        return new CpuWeight(
                view.name(),
                view.type(),
                view.shape(),
                view.data().isNative() ? view.data() : copy(view),
                view.sliceStarts().isEmpty() ? view.sliceStride() : 0,
                starts(view),
                view.rowBytes(),
                cols,
                Math.toIntExact(view.shape().rows()),
                Math.toIntExact(view.shape().slices()),
                factors(view),
                format);
    }

    private static long @Nullable [] starts(TensorView view) {
        return view.sliceStarts().isEmpty()
                ? null
                : view.sliceStarts().stream().mapToLong(Long::longValue).toArray();
    }

    private static float @Nullable [] factors(TensorView view) {
        if (view.sliceScales().isEmpty()) {
            return null;
        }
        float[] factors = new float[view.sliceScales().size()];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = view.sliceScales().get(i);
        }
        return factors;
    }

    private MemorySegment copy(TensorView view) {
        requireMemory(view.data().byteSize(), "a copy of " + view.name());
        return copies.allocate(view.data().byteSize(), 64).copyFrom(view.data());
    }

    @Override
    public Buffer allocate(Buffer.Kind kind, long size) {
        return HostBuffer.allocate(kind, size);
    }

    @Override
    public KvCache allocateCache(CacheSpec spec) {
        long bytes;
        try {
            bytes = spec.byteSize();
        } catch (ArithmeticException e) {
            throw new PanamoeException(
                    info.id() + ": a cache of " + spec.capacity()
                            + " positions does not fit any memory; use a smaller context",
                    e);
        }
        requireMemory(bytes, "a cache of " + spec.capacity() + " positions");
        return new CpuCache(spec);
    }

    /// Refuses what would not fit; the system would hand it out all the same and end the process later.
    private void requireMemory(long bytes, String what) {
        OptionalLong usable = MemoryInfo.read().usable();
        if (usable.isPresent() && bytes > usable.getAsLong()) {
            throw new PanamoeException(info.id() + ": " + what + " takes " + bytes + " bytes, available are "
                    + usable.getAsLong() + "; use a smaller context or a smaller model");
        }
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
    public Optional<Ceilings> measureCeilings() {
        return Optional.of(CeilingsProbe.measure(pool));
    }

    @Override
    public void close() {
        pool.close();
        if (copies.scope().isAlive()) {
            copies.close();
        }
    }
}

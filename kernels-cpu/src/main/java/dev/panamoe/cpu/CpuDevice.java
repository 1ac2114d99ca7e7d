package dev.panamoe.cpu;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.MemoryAdvice;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.DeviceOptions.Packing;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.ModelIdentity;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The cores of this machine. Weights are packed at upload, or read where they are; buffers are heap arrays; caches lie
/// in native memory.
final class CpuDevice implements Device {
    /// Bytes that a thread packs at a time.
    private static final long PACK_BYTES = 1 << 20;

    private final DeviceInfo info;
    private final KernelSet kernels;
    private final WorkerPool pool;
    private final CpuOps ops;
    private final DeviceOptions options;

    /// Holds packed weights, and copies of weights that came on the heap, which the kernels do not read.
    private final Arena weights;

    private PackedStore store;
    /// Whether any weight meets activations of 8 bits.
    private boolean eightBits;

    private long packedBytes;
    private long packNanos;

    // The arena is closed with the device.
    @SuppressWarnings("MustBeClosedChecker")
    CpuDevice(DeviceInfo info, KernelSet kernels, int threads, List<Integer> cpus, DeviceOptions options) {
        this.info = info;
        this.kernels = kernels;
        this.options = options;
        this.weights = Arena.ofShared();
        this.store = PackedStore.inMemory(weights);
        this.pool = new WorkerPool(threads, cpus);
        Scratch[] scratch = new Scratch[threads];
        Arrays.setAll(scratch, i -> new Scratch());
        this.ops = new CpuOps(kernels, pool, scratch);
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public String kernels() {
        return options.packing() == Packing.NONE ? "unpacked" : kernels.name();
    }

    @Override
    public Arithmetic arithmetic() {
        return eightBits ? Arithmetic.INT8 : Arithmetic.F32;
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
        Optional<PackedType> packed = packed(view, use);
        // Of weights that are not packed only when that is asked for.
        boolean rounded = Rounding.isFor(view, use) && (packed.isPresent() || options.activations() == Activations.Q8);
        eightBits |= rounded;
        if (packed.isPresent()) {
            return pack(view, packed.get());
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
                rounded,
                format);
    }

    @Override
    public void beginUpload(ModelIdentity model) {
        store.close();
        // A file holds what 8-bit activations want, which is nearly everything.
        store = options.packing() == Packing.KEPT && options.activations() != Activations.F32
                ? PackedStore.open(model, PackedStore.folder(System.getenv()), weights)
                : PackedStore.inMemory(weights);
        packedBytes = 0;
        packNanos = 0;
    }

    @Override
    public List<String> endUpload(LoadProgress progress) {
        long start = System.nanoTime();
        Optional<Path> file = store.finish();
        packNanos += System.nanoTime() - start;
        List<String> notes = new ArrayList<>();
        if (!options.kernels().equals(DeviceOptions.AUTO)) {
            notes.add(options.kernels() + " kernels, as asked for");
        }
        if (options.packing() == Packing.NONE) {
            notes.add("weights as they are in the file, as asked for: this is slow");
        }
        if (packedBytes >= PackedStore.KEPT_FROM) {
            notes.add(String.format(Locale.ROOT, "re-packed %.2f GB in %.1f s", packedBytes / 1e9, packNanos / 1e9)
                    + file.map(f -> ", kept in " + f).orElse(""));
        } else {
            file.ifPresent(f -> notes.add("packed weights from " + f));
        }
        return notes;
    }

    /// How a weight is packed; empty when it is computed on as it is. Factors of slices are rare enough to be left to
    /// the kernels that compute with everything.
    private Optional<PackedType> packed(TensorView view, WeightUse use) {
        if (!use.isProduct()
                || options.packing() == Packing.NONE
                || !view.sliceScales().isEmpty()) {
            return Optional.empty();
        }
        return PackedType.of(view.type())
                .filter(t -> !Rounding.isFor(view, use) || options.activations() != Activations.F32);
    }

    private PackedWeight pack(TensorView view, PackedType type) {
        int rows = Math.toIntExact(view.shape().rows());
        int cols = Math.toIntExact(view.shape().cols());
        int slices = Math.toIntExact(view.shape().slices());
        long bytes = Math.multiplyExact(slices, type.sliceBytes(rows, cols));
        String key = type + " " + view.shape() + " " + view.name();
        MemorySegment data = store.find(key, bytes).orElse(null);
        if (data == null) {
            long start = System.nanoTime();
            requireMemory(bytes, "a re-packed copy of " + view.name(), "use --no-repack or a smaller model");
            MemorySegment target = store.room(bytes);
            int groups = Math.ceilDiv(rows, PackedType.ROWS);
            int perChunk = Math.clamp(PACK_BYTES / type.groupBytes(cols), 1, groups);
            int perSlice = Math.ceilDiv(groups, perChunk);
            pool.run(Math.multiplyExact(slices, perSlice), (chunk, thread) -> {
                int slice = chunk / perSlice;
                int from = chunk % perSlice * perChunk;
                int to = Math.min(groups, from + perChunk);
                Packer.pack(view, type, slice, from, to, target);
                release(view, slice, from * PackedType.ROWS, Math.min(rows, to * PackedType.ROWS));
            });
            data = store.keep(key, target);
            packedBytes += bytes;
            packNanos += System.nanoTime() - start;
        }
        return new PackedWeight(view.name(), type, view.shape(), data, cols, rows, slices);
    }

    private static long @Nullable [] starts(TensorView view) {
        return view.sliceStarts().isEmpty()
                ? null
                : view.sliceStarts().stream().mapToLong(Long::longValue).toArray();
    }

    /// Gives back the pages of rows `from` to `to - 1` of the model file, so that a weight and its packed form are
    /// never both in memory. They are not read again; should they be after all, the file has them.
    private static void release(TensorView view, int slice, int from, int to) {
        if (view.data().isMapped()) {
            MemoryAdvice.DONT_NEED.apply(view.data()
                    .asSlice(view.sliceStart(slice) + from * view.rowBytes(), (to - from) * view.rowBytes()));
        }
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
        requireMemory(view.data().byteSize(), "a copy of " + view.name(), "use a smaller model");
        return weights.allocate(view.data().byteSize(), 64).copyFrom(view.data());
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
        requireMemory(
                bytes, "a cache of " + spec.capacity() + " positions", "use a smaller context or a smaller model");
        return new CpuCache(spec);
    }

    /// Refuses what would not fit; the system would hand it out all the same and end the process later.
    private void requireMemory(long bytes, String what, String remedy) {
        OptionalLong usable = MemoryInfo.read().usable();
        if (usable.isPresent() && bytes > usable.getAsLong()) {
            throw new PanamoeException(info.id() + ": " + what + " takes " + bytes + " bytes, available are "
                    + usable.getAsLong() + "; " + remedy);
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
        // Asked of a device without weights too, which has no arithmetic yet.
        boolean integers = options.activations() != Activations.F32 && options.packing() != Packing.NONE;
        return Optional.of(CeilingsProbe.measure(pool, integers ? Optional.of(kernels) : Optional.empty()));
    }

    @Override
    public void close() {
        pool.close();
        ops.close();
        store.close();
        if (weights.scope().isAlive()) {
            weights.close();
        }
    }
}

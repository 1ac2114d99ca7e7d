package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.quant.Quants;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.ModelIdentity;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.opencl.CL11;
import org.lwjgl.system.MemoryStack;
import org.lwjgl.system.MemoryUtil;

/// One OpenCL device: a context and an in-order queue, in which operations are recorded and return at once; reading
/// results waits for them.
final class OpenClDevice implements Device {
    private final DeviceInfo info;
    private final ClDevice device;
    private final long context;
    private final long queue;
    private final Memory memory;
    private final ProgramCache programs;
    private final Kernels kernels;
    private final Uploader uploader;
    private final boolean rounding;
    private final Tuning tuning;
    private final OpenClOps ops;

    /// Uploaded weights by where they lie in the model's mapping: tied tensors are held once.
    private final Map<Place, OpenClWeight.Matrix> uploaded = new HashMap<>();

    /// Why the device does not multiply bytes the way that its driver promises.
    private final Optional<String> failedTrial;

    private boolean closed;
    private long uploadNanos;
    private long uploadBytes;
    private final Map<QuantType, Long> matrixBytes = new EnumMap<>(QuantType.class);

    /// Native memory through which results are read.
    private FloatBuffer staging = MemoryUtil.memAllocFloat(1024);

    private record Place(long address, List<Long> starts, QuantType type, List<Long> dims) {}

    OpenClDevice(DeviceInfo info, ClDevice device, DeviceOptions options) {
        this(info, device, options, device.maxAllocation());
    }

    /// @param pieceBytes the most that a piece of a weight may take
    OpenClDevice(DeviceInfo info, ClDevice device, DeviceOptions options, long pieceBytes) {
        this.info = info;
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer error = stack.mallocInt(1);
            PointerBuffer properties = stack.pointers(CL10.CL_CONTEXT_PLATFORM, device.platform(), 0);
            this.context = CL10.clCreateContext(properties, device.device(), null, 0, error);
            Cl.check(error.get(0), "clCreateContext of " + info.id());
            this.queue = CL10.clCreateCommandQueue(context, device.device(), 0, error);
            if (error.get(0) != CL10.CL_SUCCESS) {
                CL10.clReleaseContext(context);
                Cl.check(error.get(0), "clCreateCommandQueue of " + info.id());
            }
        }
        this.memory = new Memory(device, context, queue);
        KeptFiles files = new KeptFiles(KeptFiles.folder(System.getenv()));
        this.programs = new ProgramCache(device, context, files);
        this.kernels = new Kernels(programs, memory);
        this.uploader = new Uploader(memory, kernels, context, queue, pieceBytes);
        this.failedTrial =
                options.activations() != Activations.F32 && device.dot4().isFast() ? trial(device) : Optional.empty();
        this.device = failedTrial.map(why -> device.with(Dot4.failed(why))).orElse(device);
        this.rounding = options.activations() == Activations.Q8
                || (options.activations() == Activations.AUTO && this.device.eightBits());
        this.tuning = new Tuning(
                this.device, rounding, options.tuning(), files, programs, format -> probe(format, ProductsProbe.BYTES));
        this.ops = new OpenClOps(this.device, kernels, memory, queue, tuning::config, rounding);
    }

    /// Nothing stays behind where it fails.
    private Optional<String> trial(ClDevice tried) {
        try {
            return Dot4Trial.failure(tried, kernels, memory, queue);
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
    }

    /// How many kernels were launched so far.
    long launches() {
        return kernels.launches().count();
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public Arithmetic arithmetic() {
        return ops.arithmetic();
    }

    @Override
    public long freeMemory() {
        return memory.free();
    }

    @Override
    public boolean supports(WeightUse use, QuantType type) {
        return switch (use) {
            case EMBED, MATMUL, MATMUL_PER_HEAD, EXPERTS ->
                PackedFormat.of(type).isPresent();
            case EXPERT_BIAS -> type == QuantType.F32;
            case VECTOR -> type == QuantType.F32 || type == QuantType.F16 || type == QuantType.BF16;
        };
    }

    @Override
    public void beginUpload(ModelIdentity model) {
        uploadNanos = 0;
        uploadBytes = 0;
        matrixBytes.clear();
    }

    @Override
    public Weight upload(TensorView view, WeightUse use) {
        if (!supports(use, view.type())) {
            throw new PanamoeException(view.name() + ": " + view.type() + " is not supported for " + use + " on "
                    + info.id() + "; use a file with another quantisation, or --backend cpu");
        }
        if (use == WeightUse.VECTOR || use == WeightUse.EXPERT_BIAS) {
            return vector(view);
        }
        if (use == WeightUse.EXPERTS && view.shape().slices() > RowKernels.MAX_EXPERTS) {
            throw new PanamoeException(view.name() + ": " + view.shape().slices() + " experts, " + info.id()
                    + " computes at most " + RowKernels.MAX_EXPERTS + "; use --backend cpu");
        }
        ops.prepare(view, use);
        PackedFormat format = PackedFormat.of(view.type()).orElseThrow();
        long start = System.nanoTime();
        OpenClWeight.Matrix weight;
        // Only the model's mapping outlives the device, so that an address stands for a tensor.
        if (view.data().isMapped() && view.sliceScales().isEmpty()) {
            Place place = new Place(
                    view.data().address(),
                    IntStream.range(0, Math.toIntExact(view.shape().slices()))
                            .mapToObj(view::sliceStart)
                            .toList(),
                    view.type(),
                    view.shape().dims());
            weight = uploaded.get(place);
            if (weight == null) {
                weight = uploader.upload(view, format, OpenClWeight.NONE);
                uploaded.put(place, weight);
                uploadBytes += view.sliceBytes() * view.shape().slices();
            }
        } else {
            weight = uploader.upload(view, format, factors(view));
        }
        uploadNanos += System.nanoTime() - start;
        if (use != WeightUse.EMBED) {
            matrixBytes.merge(view.type(), view.sliceBytes() * view.shape().slices(), Long::sum);
        }
        return weight;
    }

    @Override
    public List<String> endUpload(LoadProgress progress) {
        long start = System.nanoTime();
        finish();
        uploader.close();
        uploadNanos += System.nanoTime() - start;
        List<String> notes = new ArrayList<>();
        notes.add(String.format(
                java.util.Locale.ROOT,
                "%s: %.2f GB of weights uploaded in %.1f s",
                info.id(),
                uploadBytes / 1e9,
                uploadNanos / 1e9));
        failedTrial.ifPresent(why -> notes.add(info.id() + ": its 8-bit products cannot be used: " + why));
        notes.addAll(tuning.tune(matrixBytes, progress::doing));
        return notes;
    }

    Tuning tuning() {
        return tuning;
    }

    /// @param bytes of the weights to measure with
    ProductsProbe probe(PackedFormat format, long bytes) {
        return new ProductsProbe(device, rounding, programs, memory, queue, format, bytes);
    }

    private OpenClWeight.Vector vector(TensorView view) {
        int count = Math.toIntExact(view.shape().size());
        float[] values = new float[count];
        Quants.get(view.type()).decode(view.data(), 0, values, 0, count);
        return new OpenClWeight.Vector(view.name(), view.type(), view.shape(), constants(values, view.name()));
    }

    private long factors(TensorView view) {
        List<Float> scales = view.sliceScales();
        if (scales.isEmpty()) {
            return OpenClWeight.NONE;
        }
        float[] values = new float[scales.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = scales.get(i);
        }
        return constants(values, "factors of " + view.name());
    }

    private long constants(float[] values, String what) {
        long buffer = memory.allocate(values.length * (long) Float.BYTES, what);
        Cl.check(CL10.clEnqueueWriteBuffer(queue, buffer, true, 0, values, null, null), "clEnqueueWriteBuffer");
        return buffer;
    }

    @Override
    public void reserve(ModelSpec spec, int maxRows) {
        ops.reserve(spec, maxRows);
    }

    @Override
    public long cacheBytes(ModelSpec spec, List<CacheSpec> caches) {
        return caches.stream().mapToLong(OpenClCache::bytes).sum() + ops.attentionBytes(spec, caches);
    }

    @Override
    public Buffer allocate(Buffer.Kind kind, long size) {
        return new OpenClBuffer(memory, kind, size);
    }

    @Override
    public KvCache allocateCache(CacheSpec spec) {
        memory.require(OpenClCache.bytes(spec), OpenClCache.what(spec));
        ops.reserve(spec);
        return new OpenClCache(memory, spec);
    }

    /// The memory of a CPU is the host's: nothing is gained by reading less of it.
    @Override
    public boolean prefersTopK() {
        return !device.isCpu();
    }

    @Override
    public Ops ops() {
        return ops;
    }

    @Override
    public void write(Ids ids, int[] source) {
        int count = ids.rows() * ids.cols();
        if (count == 1) {
            // Recorded like a launch: the driver has the value when this returns. To write memory of the host takes a
            // wait, twice for each generated token.
            memory.fill(OpenClBuffer.of(ids), source[0], ids.offset() * (long) Integer.BYTES, Integer.BYTES);
            ((OpenClBuffer) ids.buffer()).wrote(ids, source);
            return;
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer from = count <= 1024 ? stack.mallocInt(count) : MemoryUtil.memAllocInt(count);
            try {
                from.put(0, source, 0, count);
                Cl.checkDone(
                        CL10.clEnqueueWriteBuffer(
                                queue,
                                OpenClBuffer.of(ids),
                                true,
                                ids.offset() * (long) Integer.BYTES,
                                from,
                                null,
                                null),
                        "clEnqueueWriteBuffer");
            } finally {
                if (count > 1024) {
                    MemoryUtil.memFree(from);
                }
            }
        }
        ((OpenClBuffer) ids.buffer()).wrote(ids, source);
    }

    @Override
    public void write(Rows rows, float[] source) {
        FloatBuffer from = staging(rows.rows() * (long) rows.cols());
        from.put(0, source, 0, rows.rows() * rows.cols());
        rect(rows, from, true);
    }

    @Override
    public void read(Rows rows, float[] target, int offset) {
        int count = Math.multiplyExact(rows.rows(), rows.cols());
        FloatBuffer to = staging(count);
        rect(rows, to, false);
        to.get(0, target, offset, count);
    }

    /// Copies rows from or to the beginning of contiguous host memory, and waits for it and all operations before.
    private void rect(Rows rows, FloatBuffer host, boolean write) {
        boolean wraps = rows.offset() % rows.stride() + rows.cols() > rows.stride();
        if (rows.rows() == 1 || rows.stride() == rows.cols() || wraps) {
            lines(rows, host, write);
            return;
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            long value = Float.BYTES;
            PointerBuffer there = stack.pointers(0, 0, 0);
            PointerBuffer here = stack.pointers(0, 0, 0);
            PointerBuffer region = stack.pointers(rows.cols() * value, rows.rows(), 1);
            long buffer = OpenClBuffer.of(rows);
            there.put(0, rows.offset() % rows.stride() * value).put(1, rows.offset() / rows.stride());
            long pitch = rows.stride() * value;
            Cl.checkDone(
                    write
                            ? CL11.clEnqueueWriteBufferRect(
                                    queue,
                                    buffer,
                                    true,
                                    there,
                                    here,
                                    region,
                                    pitch,
                                    0,
                                    rows.cols() * value,
                                    0,
                                    host,
                                    null,
                                    null)
                            : CL11.clEnqueueReadBufferRect(
                                    queue,
                                    buffer,
                                    true,
                                    there,
                                    here,
                                    region,
                                    pitch,
                                    0,
                                    rows.cols() * value,
                                    0,
                                    host,
                                    null,
                                    null),
                    write ? "clEnqueueWriteBufferRect" : "clEnqueueReadBufferRect");
        }
    }

    /// The same for rows that are one run of memory, or that do not lie in a grid of their stride.
    private void lines(Rows rows, FloatBuffer host, boolean write) {
        boolean one = rows.stride() == rows.cols();
        int count = one ? 1 : rows.rows();
        int width = one ? rows.rows() * rows.cols() : rows.cols();
        for (int r = 0; r < count; r++) {
            // By its address: a view of the part would be an object for each token that is generated.
            long part = MemoryUtil.memAddress(host, r * width);
            long bytes = (long) width * Float.BYTES;
            long at = (rows.offset() + (long) r * rows.stride()) * Float.BYTES;
            long buffer = OpenClBuffer.of(rows);
            Cl.checkDone(
                    write
                            ? CL10.nclEnqueueWriteBuffer(queue, buffer, CL10.CL_TRUE, at, bytes, part, 0, 0, 0)
                            : CL10.nclEnqueueReadBuffer(queue, buffer, CL10.CL_TRUE, at, bytes, part, 0, 0, 0),
                    write ? "clEnqueueWriteBuffer" : "clEnqueueReadBuffer");
        }
    }

    private FloatBuffer staging(long values) {
        if (staging.capacity() < values) {
            FloatBuffer more = MemoryUtil.memAllocFloat(Math.toIntExact(values));
            MemoryUtil.memFree(staging);
            staging = more;
        }
        return staging;
    }

    @Override
    public void read(Ids ids, int[] target) {
        int count = ids.rows() * ids.cols();
        IntBuffer to = MemoryUtil.memAllocInt(count);
        try {
            Cl.checkDone(
                    CL10.clEnqueueReadBuffer(
                            queue, OpenClBuffer.of(ids), true, ids.offset() * (long) Integer.BYTES, to, null, null),
                    "clEnqueueReadBuffer");
            to.get(0, target, 0, count);
        } finally {
            MemoryUtil.memFree(to);
        }
    }

    @Override
    public Optional<Ceilings> measureCeilings() {
        // The kernels that measure are written for GPUs; what a CPU can do, the backend for CPUs measures.
        return device.isCpu()
                ? Optional.empty()
                : Optional.of(new CeilingsProbe(device, memory, kernels, queue).measure());
    }

    private void finish() {
        Cl.check(CL10.clFinish(queue), "clFinish");
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        CL10.clFinish(queue);
        uploader.close();
        release();
    }

    private void release() {
        memory.freeAll();
        kernels.release();
        CL10.clReleaseCommandQueue(queue);
        CL10.clReleaseContext(context);
        MemoryUtil.memFree(staging);
    }
}

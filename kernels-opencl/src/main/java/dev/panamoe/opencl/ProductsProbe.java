package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.opencl.OpenClWeight.Matrix;
import dev.panamoe.opencl.OpenClWeight.Piece;
import dev.panamoe.spec.Activation;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.Shape;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryUtil;

/// Times products of one quant type at the sizes of a mixture of experts, with one configuration and another in turn,
/// so that both meet the same clocks and the same load of the machine. The weights are random, and more than caches
/// hold.
///
/// One row of activations meets all experts, eight in a launch, as a token's do; then the same weights as one matrix,
/// as large as that of a vocabulary, and as two of the size of attention's together. More rows meet these two.
final class ProductsProbe implements Tuning.Probe {
    /// Of all weights; more than the caches of most devices hold.
    static final long BYTES = 256L << 20;

    private static final int EMBEDDING = 2816;
    private static final int HIDDEN = 768;
    private static final int USED = 8;
    private static final int DENSE_ROWS = 4096;
    private static final int MAX_ROWS = 32;
    private static final int FEW_ROWS = 3;

    private static final int MAX_TURNS = 15;
    private static final int MIN_TURNS = 3;
    private static final long NANOS = 500_000_000;

    private static final int RANDOM_BYTES = 4 << 20;

    private final Memory memory;
    private final long queue;
    private final Kernels kernels;
    private final Scratch scratch;
    private final Products products;

    /// What the products are launched with now.
    private MatvecConfig config = MatvecConfig.GPU;

    private final List<Long> weights = new ArrayList<>();
    private final List<OpenClBuffer> buffers = new ArrayList<>();
    private final Experts experts;
    private final Matrix vocabulary;
    private final List<Weight> dense;
    private final Ids ids;
    private final Rows x;
    private final Rows routing;

    // What products write, each a place of its own, so that all of it can be compared.
    private final Rows expertOutputs;
    private final Rows logits;
    private final List<Rows> denseOutputs;
    private boolean warm;

    /// @param rounding whether activations are rounded to 8 bits where that is possible
    /// @param bytes of the weights, about; no fewer than eight experts have
    /// @throws PanamoeException where memory is short
    ProductsProbe(
            ClDevice device,
            boolean rounding,
            ProgramCache programs,
            Memory memory,
            long queue,
            PackedFormat format,
            long bytes) {
        this.memory = memory;
        this.queue = queue;
        this.kernels = new Kernels(programs, memory);
        this.scratch = new Scratch(memory);
        RowKernels rows = new RowKernels(device, kernels, scratch, queue);
        IntegerProducts integers = new IntegerProducts(device, kernels, scratch, queue, rounding);
        this.products = new Products(device, kernels, rows, memory, scratch, queue, type -> config, integers);
        long panelBytes = format.panelWordBytes(EMBEDDING) + format.panelTailBytes(EMBEDDING);
        long expertBytes = 3L * PackedFormat.panels(HIDDEN) * panelBytes;
        int steps = Math.toIntExact(Math.max(1, bytes / expertBytes / USED));
        int slices = steps * USED;
        if (slices * expertBytes > memory.free() / 2) {
            throw new PanamoeException("the device has too little memory left");
        }
        try {
            Matrix gate = matrix(format, Shape.of(EMBEDDING, HIDDEN, slices));
            Matrix up = matrix(format, Shape.of(EMBEDDING, HIDDEN, slices));
            Matrix down = matrix(format, Shape.of(HIDDEN, EMBEDDING, slices));
            this.experts = new Experts(gate, up, down, Activation.SILU);
            this.vocabulary = as(gate, Shape.of(EMBEDDING, (long) slices * HIDDEN));
            int denseRows = Math.min(DENSE_ROWS, slices * HIDDEN);
            this.dense = List.of(as(gate, Shape.of(EMBEDDING, denseRows)), as(up, Shape.of(EMBEDDING, denseRows)));
            this.ids = Ids.of(buffer(Buffer.Kind.I32, slices), steps, USED);
            write(OpenClBuffer.of(ids), IntStream.range(0, slices).toArray());
            this.x = rows(MAX_ROWS, EMBEDDING);
            this.routing = rows(1, USED);
            this.expertOutputs = rows(steps, EMBEDDING);
            this.logits = rows(1, slices * HIDDEN);
            this.denseOutputs = List.of(rows(MAX_ROWS, denseRows), rows(MAX_ROWS, denseRows));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public double compare(int rows, MatvecConfig now, MatvecConfig other) {
        try {
            // A layout chosen for one row computes a few as well (matvec_several).
            if (!sameBits(rows, now, other) || (rows == 1 && !sameBits(FEW_ROWS, now, other))) {
                return Double.POSITIVE_INFINITY;
            }
            // A JVM that has not compiled what launches kernels, a device that has not raised its clocks.
            for (long end = System.nanoTime() + NANOS; !warm && System.nanoTime() < end; ) {
                seconds(rows, now);
            }
            warm = true;
            double ofNow = Double.MAX_VALUE;
            double ofOther = Double.MAX_VALUE;
            long end = System.nanoTime() + NANOS;
            for (int i = 0; i < MAX_TURNS && (i < MIN_TURNS || System.nanoTime() < end); i++) {
                ofNow = Math.min(ofNow, seconds(rows, now));
                ofOther = Math.min(ofOther, seconds(rows, other));
            }
            return ofOther / ofNow;
        } catch (DeviceLostException e) {
            throw e;
        } catch (PanamoeException e) {
            // It does not compile here, or takes more registers or local memory than there are.
            return Double.POSITIVE_INFINITY;
        }
    }

    private double seconds(int rows, MatvecConfig with) {
        long start = System.nanoTime();
        record(rows, with);
        Cl.checkDone(CL10.clFinish(queue), "clFinish");
        return (System.nanoTime() - start) / 1e9;
    }

    private boolean sameBits(int rows, MatvecConfig now, MatvecConfig other) {
        List<float[]> expected = results(rows, now);
        List<float[]> got = results(rows, other);
        return IntStream.range(0, expected.size()).allMatch(i -> Arrays.equals(expected.get(i), got.get(i)));
    }

    /// Everything that the products write; NaN where nothing was written.
    List<float[]> results(int rows, MatvecConfig with) {
        List<Rows> written = new ArrayList<>(denseOutputs(rows));
        if (rows == 1) {
            written.add(expertOutputs);
            written.add(logits);
        }
        // What another configuration has left must not pass as a result.
        for (Rows r : written) {
            long bytes = (long) r.rows() * r.cols() * Float.BYTES;
            memory.fill(OpenClBuffer.of(r), Float.floatToRawIntBits(Float.NaN), 0, bytes);
        }
        record(rows, with);
        return written.stream().map(this::read).toList();
    }

    private void record(int rows, MatvecConfig with) {
        config = with;
        if (rows == 1) {
            for (int i = 0; i < ids.rows(); i++) {
                products.experts(expertOutputs.rows(i, 1), experts, x.rows(0, 1), ids.rows(i, 1), routing);
            }
            products.matmul(logits, vocabulary, x.rows(0, 1));
        }
        products.matmulAll(denseOutputs(rows), dense, x.rows(0, rows));
    }

    private List<Rows> denseOutputs(int rows) {
        return denseOutputs.stream().map(r -> r.rows(0, rows)).toList();
    }

    private Matrix matrix(PackedFormat format, Shape shape) {
        int panels = Math.toIntExact(PackedFormat.panels(shape.rows()) * shape.slices());
        long words = weights(panels * format.panelWordBytes(shape.cols()));
        long tails = format.tail() == 0 ? words : weights(panels * format.panelTailBytes(shape.cols()));
        return new Matrix("measured", format, shape, List.of(new Piece(0, panels, words, tails)), OpenClWeight.NONE, 1);
    }

    /// The first panels of a matrix as another.
    private static Matrix as(Matrix w, Shape shape) {
        Piece all = w.pieces().getFirst();
        Piece first = new Piece(0, PackedFormat.panels(shape.rows()), all.words(), all.tails());
        return new Matrix(w.name(), w.format(), shape, List.of(first), OpenClWeight.NONE, 1);
    }

    /// Random bytes of which no type makes infinities or subnormal numbers, which are slow on CPUs.
    private long weights(long bytes) {
        long buffer = memory.allocate(bytes, "weights to measure with");
        weights.add(buffer);
        int drawn = (int) Math.min(RANDOM_BYTES, bytes);
        IntBuffer values = MemoryUtil.memAllocInt(drawn / Integer.BYTES);
        try {
            SplittableRandom random = new SplittableRandom(1);
            for (int i = 0; i < values.capacity(); i++) {
                values.put(i, (random.nextInt() & 0x07070707) | 0x30303030);
            }
            Cl.check(CL10.clEnqueueWriteBuffer(queue, buffer, true, 0, values, null, null), "clEnqueueWriteBuffer");
        } finally {
            MemoryUtil.memFree(values);
        }
        for (long done = drawn; done < bytes; done *= 2) {
            long more = Math.min(done, bytes - done);
            Cl.check(CL10.clEnqueueCopyBuffer(queue, buffer, buffer, 0, done, more, null, null), "clEnqueueCopyBuffer");
        }
        return buffer;
    }

    private OpenClBuffer buffer(Buffer.Kind kind, long size) {
        OpenClBuffer buffer = new OpenClBuffer(memory, kind, size);
        buffers.add(buffer);
        return buffer;
    }

    private Rows rows(int rows, int cols) {
        Rows made = Rows.of(buffer(Buffer.Kind.F32, (long) rows * cols), rows, cols);
        SplittableRandom random = new SplittableRandom(2);
        int[] bits = new int[rows * cols];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits((float) random.nextDouble(-1, 1)));
        write(OpenClBuffer.of(made), bits);
        return made;
    }

    private void write(long buffer, int[] values) {
        Cl.check(CL10.clEnqueueWriteBuffer(queue, buffer, true, 0, values, null, null), "clEnqueueWriteBuffer");
    }

    private float[] read(Rows rows) {
        float[] values = new float[rows.rows() * rows.cols()];
        Cl.checkDone(
                CL10.clEnqueueReadBuffer(queue, OpenClBuffer.of(rows), true, 0, values, null, null),
                "clEnqueueReadBuffer");
        return values;
    }

    @Override
    public void close() {
        CL10.clFinish(queue);
        kernels.release();
        scratch.release();
        buffers.forEach(OpenClBuffer::close);
        weights.forEach(memory::free);
    }
}

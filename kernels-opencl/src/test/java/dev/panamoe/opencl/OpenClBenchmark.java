package dev.panamoe.opencl;

import dev.panamoe.spec.Activation;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/// Times products at the sizes of gemma4-26b-a4b on the first OpenCL device: with one row the bytes of weights a
/// second, with many the multiply-adds. Weights are more than any cache holds, and used in turn. The time of a run is
/// from the first launch to the end of the last, so that launches are in it. Kernels are not tuned: what an earlier
/// start found does not count.
///
/// Arguments: what activations are rounded to, `F32`, `Q8` or `AUTO` (default `F32`); then types, such as `Q4_0 Q8_0`
/// (default: those and `Q4_K Q6_K MXFP4 F16`).
final class OpenClBenchmark {
    private static final long BYTES = 1L << 30;
    private static final int TURNS = 5;
    private static final long NANOS = 1_500_000_000;

    private final Device device;
    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(1);

    private OpenClBenchmark(Device device) {
        this.device = device;
    }

    public static void main(String[] args) {
        Activations activations = args.length == 0 ? Activations.F32 : Activations.valueOf(args[0]);
        List<QuantType> types = args.length < 2
                ? List.of(
                        QuantType.Q4_0, QuantType.Q8_0, QuantType.Q4_K, QuantType.Q6_K, QuantType.MXFP4, QuantType.F16)
                : Arrays.stream(args).skip(1).map(QuantType::valueOf).toList();
        DeviceOptions options =
                DeviceOptions.DEFAULT.withActivations(activations).withTuning(DeviceOptions.Tuning.OFF);
        BackendProvider provider = new OpenClProvider();
        Probe.Usable usable = (Probe.Usable) provider.probe();
        System.out.println(usable.devices().getFirst());
        for (QuantType type : types) {
            try (Device device = provider.open(usable.devices().getFirst(), options)) {
                OpenClBenchmark b = new OpenClBenchmark(device);
                device.measureCeilings().ifPresent(System.out::println);
                b.matmul(type, 4096, 2816, 1);
                b.matmul(type, 2816, 4096, 1);
                b.matmul(type, 262144, 2816, 1);
                b.experts(type, 1);
                b.matmul(type, 4096, 2816, 512);
                b.experts(type, 512);
                b.arena.close();
            }
        }
    }

    private TensorView weights(QuantType type, Shape shape) {
        MemorySegment data = arena.allocate(TensorView.byteSize(type, shape), 64);
        // Random bytes make scales that overflow; small whole numbers do not. Timing does not depend on them.
        for (long i = 0; i + 8 <= data.byteSize(); i += 8) {
            data.set(ValueLayout.JAVA_LONG, i, random.nextLong() & 0x0707070707070707L);
        }
        return new TensorView("bench", type, shape, data);
    }

    private Rows rows(int rows, int cols) {
        Buffer buffer = device.allocate(Buffer.Kind.F32, (long) rows * cols);
        Rows r = Rows.of(buffer, rows, cols);
        float[] values = new float[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        device.write(r, values);
        return r;
    }

    private void matmul(QuantType type, int out, int in, int tokens) {
        Shape shape = Shape.of(in, out);
        long bytes = TensorView.byteSize(type, shape);
        int copies = Math.clamp(BYTES / bytes, 1, 64);
        TensorView view = weights(type, shape);
        // Views of their own, since a device holds the same bytes once.
        List<Weight> ws = IntStream.range(0, copies)
                .mapToObj(i -> device.upload(copy(view), WeightUse.MATMUL))
                .toList();
        Rows x = rows(tokens, in);
        Rows y = rows(tokens, out);
        double seconds = time(() -> ws.forEach(w -> device.ops().matmul(y, w, x)), y);
        report(
                type + " " + out + " x " + in + ", " + tokens + " tokens",
                copies,
                bytes,
                (double) out * in * tokens,
                seconds);
    }

    private TensorView copy(TensorView view) {
        return new TensorView(
                view.name(),
                view.type(),
                view.shape(),
                arena.allocate(view.data().byteSize(), 64).copyFrom(view.data()));
    }

    private void experts(QuantType type, int tokens) {
        int embedding = 2816;
        int width = type.blockSize() == 256 ? 768 : 704;
        int count = 128;
        int used = 8;
        TensorView gate = weights(type, Shape.of(embedding, width, count));
        TensorView down = weights(type, Shape.of(width, embedding, count));
        int copies = 4;
        List<Experts> layers = new ArrayList<>();
        for (int i = 0; i < copies; i++) {
            layers.add(new Experts(
                    device.upload(copy(gate), WeightUse.EXPERTS),
                    device.upload(copy(gate), WeightUse.EXPERTS),
                    device.upload(copy(down), WeightUse.EXPERTS),
                    Activation.GELU_TANH));
        }
        Ids ids = Ids.of(device.allocate(Buffer.Kind.I32, (long) tokens * used), tokens, used);
        int[] chosen = new int[tokens * used];
        for (int t = 0; t < tokens; t++) {
            int[] own = random.ints(0, count).distinct().limit(used).toArray();
            System.arraycopy(own, 0, chosen, t * used, used);
        }
        device.write(ids, chosen);
        Rows x = rows(tokens, embedding);
        Rows y = rows(tokens, embedding);
        Rows factors = rows(tokens, used);
        long read = 3
                * TensorView.byteSize(type, Shape.of(embedding, width))
                * Arrays.stream(chosen).distinct().count();
        double seconds = time(() -> layers.forEach(e -> device.ops().experts(y, e, x, ids, factors)), y);
        report(
                type + " experts, " + tokens + " tokens",
                copies,
                read,
                3.0 * embedding * width * used * tokens,
                seconds);
    }

    /// Seconds of the best of some turns.
    private double time(Runnable work, Rows result) {
        float[] one = new float[1];
        double best = Double.MAX_VALUE;
        long end = System.nanoTime() + NANOS;
        // The first turns are of a JVM that has not compiled what launches kernels.
        for (int i = 0; i < TURNS || System.nanoTime() < end; i++) {
            long start = System.nanoTime();
            work.run();
            device.read(result.rows(0, 1).columns(0, 1), one, 0);
            best = Math.min(best, (System.nanoTime() - start) / 1e9);
        }
        return best;
    }

    private static void report(String what, int copies, long bytes, double macs, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "%-36s %9.1f us  %8.1f GB/s  %9.1f GMAC/s%n",
                what,
                seconds * 1e6 / copies,
                copies * bytes / seconds / 1e9,
                copies * macs / seconds / 1e9);
    }
}

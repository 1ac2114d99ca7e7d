package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lwjgl.opencl.CL10;

/// Activations are rounded to 8 bits as {@link Rounding} says, bit for bit, and only where that is asked for.
class RoundedActivationsTest {
    private static final int COLS = 96;

    private static Device open(Activations activations) {
        ClDevice device = OpenClHere.device();
        return new OpenClDevice(device.info(), device, DeviceOptions.DEFAULT.withActivations(activations));
    }

    /// Values of which most are between two steps.
    private static float[] ramp() {
        float[] x = new float[COLS];
        for (int i = 0; i < COLS; i++) {
            x[i] = 1 + i * 0.01f;
        }
        return x;
    }

    /// The identity matrix in Q8_0: what it is multiplied with comes back.
    private static TensorView identity() {
        Shape shape = Shape.of(COLS, COLS);
        MemorySegment data = Arena.ofAuto().allocate(TensorView.byteSize(QuantType.Q8_0, shape));
        for (int row = 0; row < COLS; row++) {
            long block = (row * (COLS / 32L) + row / 32) * QuantType.Q8_0.blockBytes();
            data.set(LittleEndian.I16, block, Float.floatToFloat16(1));
            data.set(LittleEndian.I8, block + 2 + row % 32, (byte) 1);
        }
        return new TensorView("identity", QuantType.Q8_0, shape, data);
    }

    private static float[] timesIdentity(Device d, float[] x) {
        int rows = x.length / COLS;
        // At an address and a distance that no vector load could take.
        Rows in = new Rows(d.allocate(Buffer.Kind.F32, 3 + (long) rows * (COLS + 1)), 3, rows, COLS, COLS + 1);
        Rows out = Rows.of(d.allocate(Buffer.Kind.F32, x.length), rows, COLS);
        d.write(in, x);
        d.ops().matmul(out, d.upload(identity(), WeightUse.MATMUL), in);
        float[] y = new float[x.length];
        d.read(out, y, 0);
        return y;
    }

    @Test
    void everyBitIsThatOfTheDefinition() {
        Random random = new Random(1);
        try (Device d = open(Activations.Q8)) {
            // Few rows and many are other kernels.
            for (int rows : new int[] {1, 3, 70}) {
                float[] x = new float[rows * COLS];
                for (int i = 0; i < x.length; i++) {
                    x[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(-3, 4)));
                }
                // A block of zeros, one whose values lie in the middle of two steps, and one of the smallest and
                // largest.
                for (int i = 0; i < 32; i++) {
                    x[i] = 0;
                    x[32 + i] = i == 31 ? 127 : i - 15.5f;
                    x[64 + i] = i == 0 ? Float.MAX_VALUE : i == 1 ? -Float.MAX_VALUE : Float.MIN_VALUE * i;
                }
                float[] expected = new float[x.length];
                for (int r = 0; r < rows; r++) {
                    Rounding.row(x, r * COLS, expected, r * COLS, COLS);
                }
                assertThat(timesIdentity(d, x)).isEqualTo(positiveZeros(expected));
            }
        }
    }

    /// A sum that has a positive zero is never a negative one.
    private static float[] positiveZeros(float[] values) {
        float[] found = values.clone();
        for (int i = 0; i < found.length; i++) {
            found[i] += 0f;
        }
        return found;
    }

    @Test
    void onlyWhereThatIsAskedFor() {
        float[] x = ramp();
        // A CPU multiplies floats unless told otherwise.
        boolean rounds = OpenClHere.device().eightBits();
        for (Activations a : List.of(Activations.F32, Activations.AUTO)) {
            try (Device d = open(a)) {
                boolean exact = Arrays.equals(timesIdentity(d, x), x);
                assertThat(exact).isEqualTo(a == Activations.F32 || !rounds);
                assertThat(d.arithmetic()).isEqualTo(exact ? Arithmetic.F32 : Arithmetic.INT8);
            }
        }
    }

    /// A GPU whose driver promises an extension that this one's compiler does not know.
    @Test
    void aWayThatFailsIsNotTaken() {
        ClDevice device = OpenClHere.device();
        assumeFalse(device.extensions().contains(Dot4.EXTENSION), "the extension is there");
        ClDevice liar = device.as(device.id(), ClDevice.Kind.OTHER)
                .with(new Dot4(Dot4.Way.EXTENSION, "8-bit products by " + Dot4.EXTENSION));
        float[] x = ramp();
        float[] rounded = new float[COLS];
        Rounding.row(x, 0, rounded, 0, COLS);
        try (Device d = new OpenClDevice(
                liar.info(),
                liar,
                DeviceOptions.DEFAULT.withActivations(Activations.AUTO).withTuning(DeviceOptions.Tuning.OFF))) {
            assertThat(timesIdentity(d, x)).isEqualTo(x);
            assertThat(d.endUpload(LoadProgress.NONE))
                    .anyMatch(note -> note.contains("its 8-bit products cannot be used: "));
        }
        try (Device d = new OpenClDevice(
                liar.info(),
                liar,
                DeviceOptions.DEFAULT.withActivations(Activations.Q8).withTuning(DeviceOptions.Tuning.OFF))) {
            assertThat(timesIdentity(d, x)).isEqualTo(rounded);
            assertThat(d.arithmetic()).isEqualTo(Arithmetic.INT8);
        }
    }

    /// What the trial expects is what plain C computes.
    @Test
    void theTrialIsRight() {
        ClDevice plain = OpenClHere.device().with(Dot4.failed("told so"));
        long context = OpenClHere.context(plain);
        try {
            long queue = CL10.clCreateCommandQueue(context, plain.device(), 0, new int[1]);
            Memory memory = new Memory(plain, context, queue);
            Kernels kernels = new Kernels(new ProgramCache(plain, context, new KeptFiles(Optional.empty())), memory);
            assertThat(Dot4Trial.failure(plain, kernels, memory, queue)).isEmpty();
            kernels.release();
            CL10.clReleaseCommandQueue(queue);
        } finally {
            CL10.clReleaseContext(context);
        }
    }

    @Test
    void onlyBeforeTheWeightsThatTheDefinitionNames() {
        try (Device d = open(Activations.Q8)) {
            TensorView table = new TensorView(
                    "table", QuantType.F16, Shape.of(32, 32), Arena.ofAuto().allocate(2 * 32 * 32));
            d.upload(table, WeightUse.MATMUL);
            d.upload(identity(), WeightUse.EMBED);
            d.upload(identity().withSliceScales(List.of(2f)), WeightUse.MATMUL);
            assertThat(d.arithmetic()).isEqualTo(Arithmetic.F32);
            d.upload(identity(), WeightUse.MATMUL);
            assertThat(d.arithmetic()).isEqualTo(Arithmetic.INT8);
        }
    }
}

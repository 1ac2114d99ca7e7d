package dev.panamoe.bench;

import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Device;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What benchmarks of operations share: a device by name, inputs, and after the measurement the comparison of what the
/// measured code computes with the reference on the same inputs. Sizes are those of Gemma 4 26B-A4B.
///
/// A benchmark is a method named like the operation, which calls {@link #run} and says how much work that was.
///
/// @param <S> inputs and outputs of the operations, on one device
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public abstract class OperationBenchmark<S> {
    @Param("0")
    int threads;

    private Samples samples;
    private Device opened;
    private Side side;
    private S inputs;
    private int turn;

    /// The last call, to be done once more.
    private Consumer<S> checked;

    private Bound<S> bound;

    /// See {@link Devices}. Operations without weights to multiply have only backends to choose from.
    abstract String device();

    abstract int tokens();

    /// Makes inputs and outputs of the tokens of a side.
    abstract S prepare(Side to, Samples from);

    @Setup(Level.Trial)
    public void open() {
        samples = new Samples();
        openDevice();
    }

    private void openDevice() {
        opened = Devices.open(device(), threads);
        side = new Side(opened, 0, tokens());
        inputs = prepare(side, samples);
        side.reset();
    }

    private void closeDevice() {
        side.close();
        opened.close();
    }

    /// For operations whose memory only closing frees.
    final void reopen() {
        closeDevice();
        openDevice();
    }

    /// Calls the operation and waits for it. It may do nothing but depend on its inputs, as it is done again on others.
    final void run(Bound<S> bound, Consumer<S> operation) {
        run(bound, operation, operation);
    }

    /// @param checked an operation whose outputs show whether `operation` is right
    final void run(Bound<S> bound, Consumer<S> operation, Consumer<S> checked) {
        this.bound = bound;
        this.checked = checked;
        operation.accept(inputs);
        side.finish();
    }

    /// On the measured device.
    final S inputs() {
        return inputs;
    }

    /// Counts calls from 0 to `count - 1`, again and again.
    final int turn(int count) {
        turn = (turn + 1) % count;
        return turn;
    }

    final Arithmetic arithmetic() {
        return opened.arithmetic();
    }

    /// Fails the benchmark when results are wrong. The first token, one in the middle and the last one stand for all:
    /// the reference is slow.
    @TearDown(Level.Trial)
    public void check() {
        try (Device reference = Devices.reference(arithmetic())) {
            side.reset();
            checked.accept(inputs);
            IntStream.of(0, tokens() / 2, tokens() - 1).distinct().forEach(t -> check(reference, t));
        } finally {
            closeDevice();
            samples.close();
        }
    }

    private void check(Device reference, int token) {
        try (Side one = new Side(reference, token, 1)) {
            S own = prepare(one, samples);
            one.reset();
            checked.accept(own);
            if (!side.readIds(token).equals(one.readIds(token))) {
                throw new AssertionError("wrong result on " + device() + ": token " + token + " is "
                        + side.readIds(token) + ", reference " + one.readIds(token));
            }
            for (int i = 0; i < one.outputs(); i++) {
                float[] expected = one.read(i, token);
                float[] actual = side.read(i, token);
                double[] bounds = bound.of(own, i, expected);
                for (int c = 0; c < expected.length; c++) {
                    boolean close = Math.abs((double) actual[c] - expected[c]) <= bounds[c];
                    if (!close) {
                        throw new AssertionError("wrong result on " + device() + ": output " + i + ", token " + token
                                + ", value " + c + " is " + actual[c] + ", reference " + expected[c] + ", bound "
                                + bounds[c]);
                    }
                }
            }
        }
    }
}

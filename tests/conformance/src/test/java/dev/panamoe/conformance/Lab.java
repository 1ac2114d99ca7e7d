package dev.panamoe.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.conformance.Backends.Backend;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// Reference devices and the backend under test with each number of threads, and what tests do with them.
final class Lab implements AutoCloseable {
    /// What memory around rows holds: an operation that writes beside its output shows.
    static final float GUARD = 12345.678f;

    private static final int GUARD_ID = 987654321;

    /// A simulator is slow, and looks for what makes results differ itself.
    private static final boolean ONCE = Boolean.getBoolean("panamoe.test.once");

    private final Device reference = Backends.reference(Activations.F32);
    private final Device roundingReference = Backends.reference(Activations.Q8);
    private final List<Device> devices;

    Lab(Backend backend) {
        this.devices = backend.threads().stream().map(backend::open).toList();
    }

    /// What the backend is compared with. It rounds activations if the backend does, which is known once that has the
    /// weights.
    Device reference() {
        return switch (device().arithmetic()) {
            case F32 -> reference;
            case INT8 -> roundingReference;
        };
    }

    /// The backend on one thread.
    Device device() {
        return devices.getFirst();
    }

    /// The same operations, with each that does several at once as the interface defines it: by the single ones.
    static Ops oneByOne(Ops ops) {
        return (Ops) Proxy.newProxyInstance(
                Ops.class.getClassLoader(),
                new Class<?>[] {Ops.class},
                (self, method, arguments) -> method.isDefault()
                        ? InvocationHandler.invokeDefault(self, method, arguments)
                        : method.invoke(ops, arguments));
    }

    /// One below the other.
    static Matrix stack(List<Matrix> parts) {
        int rows = parts.stream().mapToInt(Matrix::rows).sum();
        Matrix all = new Matrix(rows, parts.getFirst().cols());
        int at = 0;
        for (Matrix m : parts) {
            System.arraycopy(m.values(), 0, all.values(), at, m.values().length);
            at += m.values().length;
        }
        return all;
    }

    /// Rows somewhere inside a buffer of guard values.
    static Rows place(Device d, Matrix m, int offset, int gap) {
        int stride = m.cols() + gap;
        int size = offset + m.rows() * stride + 5;
        Buffer buffer = d.allocate(Buffer.Kind.F32, size);
        float[] guards = new float[size];
        Arrays.fill(guards, GUARD);
        d.write(Rows.of(buffer, 1, size), guards);
        Rows rows = new Rows(buffer, offset, m.rows(), m.cols(), stride);
        d.write(rows, m.values());
        return rows;
    }

    /// Rows not yet written.
    static Rows empty(Device d, int rows, int cols, int offset, int gap) {
        Matrix m = new Matrix(rows, cols);
        Arrays.fill(m.values(), GUARD);
        return place(d, m, offset, gap);
    }

    static Ids ids(Device d, int rows, int cols, int... values) {
        int size = rows * cols + 5;
        Buffer buffer = d.allocate(Buffer.Kind.I32, size);
        int[] guards = new int[size];
        Arrays.fill(guards, GUARD_ID);
        d.write(Ids.of(buffer, 1, size), guards);
        Ids ids = new Ids(buffer, 3, rows, cols);
        d.write(ids, values.length == 0 ? Arrays.copyOf(guards, rows * cols) : values);
        return ids;
    }

    /// The values, after checking that everything around them is as it was.
    static Matrix read(Device d, Rows rows) {
        int size = (int) rows.buffer().size();
        float[] all = new float[size];
        d.read(Rows.of(rows.buffer(), 1, size), all, 0);
        for (int i = 0; i < size; i++) {
            int inside = i - rows.offset();
            boolean own = inside >= 0 && inside / rows.stride() < rows.rows() && inside % rows.stride() < rows.cols();
            if (!own && all[i] != GUARD) {
                throw new AssertionError("value " + i + " beside " + rows + " was overwritten with " + all[i]);
            }
        }
        Matrix m = new Matrix(rows.rows(), rows.cols());
        d.read(rows, m.values(), 0);
        return m;
    }

    static int[] read(Device d, Ids ids) {
        int size = (int) ids.buffer().size();
        int[] all = new int[size];
        d.read(Ids.of(ids.buffer(), 1, size), all);
        int end = ids.offset() + ids.rows() * ids.cols();
        assertThat(all[ids.offset() - 1]).isEqualTo(GUARD_ID);
        assertThat(all[end]).isEqualTo(GUARD_ID);
        return Arrays.copyOfRange(all, ids.offset(), end);
    }

    /// Does `work` on every device. The backend's results must be the same bits on any number of threads, and within
    /// `bound` of the reference.
    ///
    /// @return the backend's result
    Matrix check(String what, Bound bound, Function<Device, Matrix> work) {
        Matrix actual = same(what, work);
        Matrix expected = work.apply(reference());
        for (int r = 0; r < expected.rows(); r++) {
            for (int c = 0; c < expected.cols(); c++) {
                float e = expected.get(r, c);
                float a = actual.get(r, c);
                boolean close = Math.abs((double) a - e) <= bound.at(r, c, e);
                if (!close && Float.compare(a, e) != 0) {
                    throw new AssertionError(what + ": [" + r + ", " + c + "] is " + a + ", reference " + e + ", bound "
                            + bound.at(r, c, e));
                }
            }
        }
        return actual;
    }

    /// Does `work` on the backend only, twice or with all numbers of threads; the bits must be the same.
    Matrix same(String what, Function<Device, Matrix> work) {
        Matrix one = work.apply(devices.getFirst());
        if (devices.size() == 1 && !ONCE) {
            assertSameBits(what + " once more", work.apply(devices.getFirst()), one);
        }
        for (int threads = 2; threads <= devices.size(); threads++) {
            assertSameBits(what + " on " + threads + " threads", work.apply(devices.get(threads - 1)), one);
        }
        return one;
    }

    static void assertSameBits(String what, Matrix actual, Matrix expected) {
        assertThat(actual.values()).as(what).hasSameSizeAs(expected.values());
        for (int i = 0; i < actual.values().length; i++) {
            if (Float.floatToRawIntBits(actual.values()[i]) != Float.floatToRawIntBits(expected.values()[i])) {
                throw new AssertionError(what + ": [" + i / actual.cols() + ", " + i % actual.cols() + "] is "
                        + actual.values()[i] + " instead of " + expected.values()[i]);
            }
        }
    }

    /// How far a result may be from the reference.
    interface Bound {
        double at(int row, int col, float expected);

        /// Relative to the result, with an absolute part for results near zero.
        static Bound of(double relative, double absolute) {
            return (r, c, e) -> relative * Math.abs((double) e) + absolute;
        }

        Bound EXACT = (r, c, e) -> 0;
    }

    @Override
    public void close() {
        devices.forEach(Device::close);
        reference.close();
        roundingReference.close();
    }
}

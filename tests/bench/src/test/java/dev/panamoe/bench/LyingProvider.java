package dev.panamoe.bench;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.DeviceOptions.Activations;
import dev.panamoe.spi.HeadRows;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Rows;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/// A backend whose operations are right but for one value: it computes with the reference and spoils the last row.
public class LyingProvider implements BackendProvider {
    static final String NAME = "liar";

    /// One that lies about the experts of one token only.
    public static final class AboutOneToken extends LyingProvider {
        static final String NAME = "liar about one token";

        @Override
        public String name() {
            return NAME;
        }

        @Override
        boolean lies(String operation, Object result) {
            return operation.equals("experts") && ((Rows) result).rows() == 1;
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    boolean lies(String operation, Object result) {
        return true;
    }

    @Override
    public Probe probe() {
        return new Probe.Usable(
                List.of(new DeviceInfo(name(), "wrong on purpose", 0, List.of())),
                -1,
                "for tests of what finds errors");
    }

    @Override
    public Device open(DeviceInfo info, DeviceOptions options) {
        Device device = Devices.reference(options.activations() == Activations.Q8 ? Arithmetic.INT8 : Arithmetic.F32);
        Ops ops = proxy(Ops.class, (method, arguments) -> {
            // Keys and values are read only: they are spoilt before.
            if (method.getName().equals("kvAppend") && lies(method.getName(), arguments[1])) {
                spoil(device, (Rows) arguments[1]);
            }
            Object result = invoke(method, device.ops(), arguments);
            if (!method.getName().equals("kvAppend") && lies(method.getName(), arguments[0])) {
                spoilResult(device, arguments[0]);
            }
            return result;
        });
        return proxy(
                Device.class,
                (method, arguments) -> method.getName().equals("ops") ? ops : invoke(method, device, arguments));
    }

    private static void spoilResult(Device device, Object result) {
        switch (result) {
            case Rows rows -> spoil(device, rows);
            case Ids ids -> {
                int[] values = new int[ids.rows() * ids.cols()];
                device.read(ids, values);
                values[values.length - 1]++;
                device.write(ids, values);
            }
            case HeadRows heads -> spoil(device, heads.rows());
            case List<?> list -> spoilResult(device, list.getFirst());
            default -> throw new PanamoeException("what is the result of an operation on " + result + "?");
        }
    }

    private static void spoil(Device device, Rows rows) {
        float[] values = new float[rows.rows() * rows.cols()];
        device.read(rows, values, 0);
        float largest = 0;
        for (float v : values) {
            largest = Math.max(largest, Math.abs(v));
        }
        values[values.length - 1] += largest;
        device.write(rows, values);
    }

    @FunctionalInterface
    private interface Call {
        Object of(Method method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> call.of(method, arguments)));
    }

    private static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}

package dev.panamoe.cli;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/// A backend that computes what the reference does, but forgets residual connections. Only tests that name it in a
/// class loader of their own have it.
public final class WrongProvider implements BackendProvider {
    private static final DeviceInfo INFO = new DeviceInfo("wrong", "forgets residual connections", 0, List.of());

    /// For the service loader.
    public WrongProvider() {}

    @Override
    public String name() {
        return "wrong";
    }

    @Override
    public Probe probe() {
        return new Probe.Usable(List.of(INFO), -1, "it is wrong");
    }

    @Override
    public Device open(DeviceInfo info, DeviceOptions options) {
        Device right = reference(info, options);
        Ops ops = proxy(
                Ops.class, (method, args) -> method.getName().equals("add") ? null : call(right.ops(), method, args));
        return proxy(Device.class, (method, args) -> method.getName().equals("ops") ? ops : call(right, method, args));
    }

    /// A device that is right.
    static Device reference(DeviceInfo info, DeviceOptions options) {
        return BackendProvider.all().stream()
                .filter(p -> p.name().equals("reference"))
                .findFirst()
                .orElseThrow()
                .open(info, options);
    }

    interface Handler {
        Object call(Method method, Object[] args) throws Throwable;
    }

    static Object call(Object target, Method method, Object[] args) throws Throwable {
        try {
            return method.invoke(target, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    static <T> T proxy(Class<T> type, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, args) -> handler.call(method, args)));
    }
}

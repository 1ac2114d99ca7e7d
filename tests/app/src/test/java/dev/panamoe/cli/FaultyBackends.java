package dev.panamoe.cli;

import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the backends of tests are made of, each of which is the reference but for one fault.
final class FaultyBackends {
    private FaultyBackends() {}

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

    /// Has this thread, and those that it starts, find a provider until it is closed.
    static final class Offered implements AutoCloseable {
        private final ClassLoader before = Thread.currentThread().getContextClassLoader();
        private final URLClassLoader loader;

        /// @param folder an empty one, for what names the provider
        Offered(Path folder, Class<? extends BackendProvider> provider) throws IOException {
            Path services = Files.createDirectories(folder.resolve("META-INF/services"));
            Files.writeString(services.resolve(BackendProvider.class.getName()), provider.getName());
            loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, before);
            Thread.currentThread().setContextClassLoader(loader);
        }

        @Override
        public void close() throws IOException {
            Thread.currentThread().setContextClassLoader(before);
            loader.close();
        }
    }
}

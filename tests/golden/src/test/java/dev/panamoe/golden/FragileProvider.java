package dev.panamoe.golden;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// A backend that computes what the reference does, until it is lost as a device with an in-order queue may be: at a
/// call that was chosen before. It takes note when something is used that it cannot know. Only tests that name it in a
/// class loader of their own have it.
public final class FragileProvider implements BackendProvider {
    static final String WORD = "OpenCL: clFinish: CL_INVALID_COMMAND_QUEUE (-36)";

    private static final DeviceInfo INFO = new DeviceInfo("fragile", "glass", 0, List.of());

    /// Calls that compute, copy or allocate, of all devices so far.
    static final AtomicLong CALLS = new AtomicLong();

    /// At which of them the device is lost.
    static final AtomicLong LOST_AT = new AtomicLong();

    /// How often a device was opened.
    static final AtomicInteger OPENED = new AtomicInteger();

    /// What must not have happened.
    static final Queue<String> FAULTS = new ConcurrentLinkedQueue<>();

    /// How many of the next attempts to open a device, or to upload to it, fail.
    static final AtomicInteger REFUSED_OPENINGS = new AtomicInteger();

    static final AtomicInteger REFUSED_UPLOADS = new AtomicInteger();

    /// For the service loader.
    public FragileProvider() {}

    static void reset() {
        CALLS.set(0);
        LOST_AT.set(Long.MAX_VALUE);
        OPENED.set(0);
        REFUSED_OPENINGS.set(0);
        REFUSED_UPLOADS.set(0);
        FAULTS.clear();
    }

    /// Has the device lost at the n-th call from now on.
    static void loseAt(long n) {
        LOST_AT.set(CALLS.get() + n);
    }

    @Override
    public String name() {
        return "fragile";
    }

    @Override
    public Probe probe() {
        return new Probe.Usable(List.of(INFO), -1, "it breaks");
    }

    @Override
    public Device open(DeviceInfo info, DeviceOptions options) {
        if (REFUSED_OPENINGS.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
            throw new PanamoeException("no device is left");
        }
        OPENED.incrementAndGet();
        BackendProvider reference = BackendProvider.all().stream()
                .filter(p -> p.name().equals("reference"))
                .findFirst()
                .orElseThrow();
        return new Fragile(reference.open(info, options)).device;
    }

    private interface Handler {
        Object call(Method method, Object[] args) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, args) -> handler.call(method, args == null ? new Object[0] : args)));
    }

    private static Object pass(Object target, Method method, Object[] args) throws Throwable {
        try {
            return method.invoke(target, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /// One opened device.
    private static final class Fragile {
        private final Device right;
        private final Ops ops;
        private final Device device;

        /// Its own buffers, caches and weights.
        private final Set<Object> own = Collections.newSetFromMap(new IdentityHashMap<>());

        private boolean lost;
        private boolean closed;

        Fragile(Device right) {
            this.right = right;
            this.ops = proxy(Ops.class, (method, args) -> {
                count(method, args);
                return pass(right.ops(), method, args);
            });
            this.device = proxy(Device.class, this::call);
        }

        private Object call(Method method, Object[] args) throws Throwable {
            switch (method.getName()) {
                case "ops" -> {
                    return ops;
                }
                case "close" -> closed = true;
                case "read", "write", "allocate", "allocateCache" -> count(method, args);
                case "upload" -> {
                    if (REFUSED_UPLOADS.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                        lost = true;
                        throw new DeviceLostException(WORD);
                    }
                }
                default -> {}
            }
            Object result = pass(right, method, args);
            if (result instanceof Buffer || result instanceof KvCache || result instanceof Weight) {
                own.add(result);
            }
            return result;
        }

        private void count(Method method, Object[] args) {
            if (lost || closed) {
                FAULTS.add(method.getName() + " on a lost device");
            }
            for (Object arg : args) {
                Object held = arg instanceof Rows rows ? rows.buffer() : arg instanceof Ids ids ? ids.buffer() : arg;
                boolean known = own.contains(held);
                if ((held instanceof Buffer || held instanceof KvCache || held instanceof Weight) && !known) {
                    FAULTS.add(method.getName() + " of what lies on another device");
                }
            }
            if (CALLS.incrementAndGet() == LOST_AT.get()) {
                lost = true;
                throw new DeviceLostException(WORD);
            }
        }
    }
}

package dev.panamoe.opencl;

import static org.lwjgl.opencl.CL10.CL_DEVICE_NOT_FOUND;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_ALL;
import static org.lwjgl.opencl.CL10.CL_PLATFORM_NAME;
import static org.lwjgl.opencl.KHRICD.CL_PLATFORM_NOT_FOUND_KHR;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.Os;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Probe.Unusable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Every device of every driver of this machine.
///
/// @param devices those that can be used, best first
/// @param refused the others, a line each: what it is, and why not
/// @param nothing why there are no devices at all
record ClSurvey(List<ClDevice> devices, List<String> refused, Optional<Unusable> nothing) {
    /// Best first; of equals the driver's order stays.
    static final Comparator<ClDevice> BEST = Comparator.comparingInt((ClDevice d) -> -d.kind().rank)
            .thenComparing(Comparator.comparingLong(ClDevice::globalMemory).reversed());

    private static final String ELSEWHERE = "use --backend cpu";

    /// Drivers do not like to be started twice, and their handles are good as long as the process lives.
    private static final class Here {
        static final ClLibrary.Found LIBRARY = ClLibrary.find(System.getenv());
        static final ClSurvey SURVEY = of(LIBRARY);
    }

    /// Of this machine, made when it is first asked for.
    static ClSurvey here() {
        return Here.SURVEY;
    }

    /// Makes the functions of LWJGL call the loader whose devices {@link #here} has.
    ///
    /// @throws PanamoeException when there is none
    static void startLwjgl() {
        switch (Here.LIBRARY) {
            case ClLibrary.Found.Loader l -> Lwjgl.start(l.functions(), System.getenv());
            case ClLibrary.Found.Nothing n ->
                throw new PanamoeException(n.why().reason() + "; " + n.why().remedy());
        }
    }

    private static ClSurvey of(ClLibrary.Found library) {
        try {
            return switch (library) {
                case ClLibrary.Found.Loader l -> look(new ClQueries(l.functions()));
                case ClLibrary.Found.Nothing n -> none(n.why());
            };
        } catch (PanamoeException e) {
            return none(new Unusable("an OpenCL driver fails; " + e.getMessage(), ELSEWHERE));
        } catch (RuntimeException e) {
            return none(new Unusable("OpenCL cannot be started; " + e, ELSEWHERE));
        }
    }

    private static ClSurvey none(Unusable why) {
        return new ClSurvey(List.of(), List.of(), Optional.of(why));
    }

    private static ClSurvey look(ClQueries queries) {
        List<Long> platforms = handles("the list of drivers", CL_PLATFORM_NOT_FOUND_KHR, queries::getPlatformIds);
        if (platforms.isEmpty()) {
            return none(noPlatform());
        }
        List<ClDevice> found = new ArrayList<>();
        List<String> refused = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (long platform : platforms) {
            try {
                names.add(ClDevice.platformText(queries, platform, CL_PLATFORM_NAME));
                for (long device : devices(queries, platform)) {
                    read(queries, platform, device, found, refused);
                }
            } catch (PanamoeException e) {
                refused.add("a driver fails: " + e.getMessage());
            }
        }
        return of(found, refused, names);
    }

    /// One that does not answer hides none of the others.
    private static void read(
            ClQueries queries, long platform, long device, List<ClDevice> found, List<String> refused) {
        try {
            found.add(ClDevice.read(queries, platform, device));
        } catch (PanamoeException e) {
            refused.add("a device fails: " + e.getMessage());
        }
    }

    /// @param failures of drivers, a line each
    /// @param platforms names of all drivers
    static ClSurvey of(List<ClDevice> found, List<String> failures, List<String> platforms) {
        List<String> refused = new ArrayList<>(failures);
        found.forEach(d -> d.refusal().ifPresent(why -> refused.add(d.name() + " (" + d.platformName() + "): " + why)));
        List<ClDevice> best =
                found.stream().filter(d -> d.refusal().isEmpty()).sorted(BEST).toList();
        List<ClDevice> devices = IntStream.range(0, best.size())
                .mapToObj(i -> best.get(i).as("opencl:" + i, best.get(i).kind()))
                .toList();
        if (!devices.isEmpty()) {
            return new ClSurvey(devices, refused, Optional.empty());
        }
        return none(refused.isEmpty() ? noDevice(platforms) : unfit(refused));
    }

    private static Unusable noPlatform() {
        // Containers often have NVIDIA's driver and lack the file that tells the loader of it.
        try (Arena arena = Arena.ofConfined()) {
            if (Os.isLinux() && ClLibrary.open("libnvidia-opencl.so.1", arena).isPresent()) {
                return new Unusable(
                        "no OpenCL driver; NVIDIA's is there but not registered",
                        "mkdir -p /etc/OpenCL/vendors && echo libnvidia-opencl.so.1 >/etc/OpenCL/vendors/nvidia.icd");
            }
        }
        return new Unusable("no OpenCL driver; the loader finds none", ClLibrary.INSTALL);
    }

    private static Unusable noDevice(List<String> platforms) {
        String drivers = String.join(", ", platforms);
        return new Unusable(
                "no OpenCL device; " + drivers + " finds none",
                drivers.contains("rusticl")
                        ? "name the driver of your GPU to Mesa, such as RUSTICL_ENABLE=radeonsi, or install its vendor's"
                                + " OpenCL driver"
                        : "install the driver of the GPU that is there"
                                + (Os.isLinux() ? ", and see that you may open /dev/dri/render* (group render)" : ""));
    }

    private static Unusable unfit(List<String> refused) {
        return new Unusable(
                "no OpenCL device that can be used; " + String.join("; ", refused),
                "update the driver, or use --backend cpu");
    }

    Probe probe() {
        if (nothing.isPresent()) {
            return nothing.get();
        }
        ClDevice best = devices.getFirst();
        return new Probe.Usable(
                devices.stream().map(ClDevice::info).toList(),
                best.kind().rank,
                best.kind() == ClDevice.Kind.CPU
                        ? "only a CPU; the backend cpu is faster there"
                        : best.kind().label + ", " + best.name(),
                refused);
    }

    @FunctionalInterface
    private interface Listing {
        /// @param room entries that `list` has room for
        int get(int room, long list, long count);
    }

    private static List<Long> devices(ClQueries queries, long platform) {
        return handles(
                "the list of devices",
                CL_DEVICE_NOT_FOUND,
                (room, list, count) -> queries.getDeviceIds(platform, CL_DEVICE_TYPE_ALL, room, list, count));
    }

    /// @param none the code that says that there are none
    private static List<Long> handles(String what, int none, Listing listing) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            int code = listing.get(0, 0, count.address());
            int n = count.get(ValueLayout.JAVA_INT, 0);
            if (code == none || (code == 0 && n <= 0)) {
                return List.of();
            }
            Cl.check(code, what);
            MemorySegment list = arena.allocate(ValueLayout.JAVA_LONG, n);
            Cl.check(listing.get(n, list.address(), 0), what);
            return LongStream.of(list.toArray(ValueLayout.JAVA_LONG)).boxed().toList();
        }
    }
}

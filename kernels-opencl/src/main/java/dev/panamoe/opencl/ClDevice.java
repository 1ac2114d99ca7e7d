package dev.panamoe.opencl;

import static org.lwjgl.opencl.CL10.CL_DEVICE_ADDRESS_BITS;
import static org.lwjgl.opencl.CL10.CL_DEVICE_AVAILABLE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_COMPILER_AVAILABLE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_ENDIAN_LITTLE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_EXTENSIONS;
import static org.lwjgl.opencl.CL10.CL_DEVICE_GLOBAL_MEM_SIZE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_LOCAL_MEM_SIZE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_MAX_COMPUTE_UNITS;
import static org.lwjgl.opencl.CL10.CL_DEVICE_MAX_MEM_ALLOC_SIZE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_MAX_WORK_GROUP_SIZE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_MEM_BASE_ADDR_ALIGN;
import static org.lwjgl.opencl.CL10.CL_DEVICE_NAME;
import static org.lwjgl.opencl.CL10.CL_DEVICE_SINGLE_FP_CONFIG;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_ACCELERATOR;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_CPU;
import static org.lwjgl.opencl.CL10.CL_DEVICE_TYPE_GPU;
import static org.lwjgl.opencl.CL10.CL_DEVICE_VENDOR;
import static org.lwjgl.opencl.CL10.CL_DEVICE_VENDOR_ID;
import static org.lwjgl.opencl.CL10.CL_DEVICE_VERSION;
import static org.lwjgl.opencl.CL10.CL_DRIVER_VERSION;
import static org.lwjgl.opencl.CL10.CL_PLATFORM_NAME;
import static org.lwjgl.opencl.CL10.CL_PLATFORM_VERSION;
import static org.lwjgl.opencl.CL11.CL_DEVICE_HOST_UNIFIED_MEMORY;
import static org.lwjgl.opencl.CL11.CL_DEVICE_OPENCL_C_VERSION;
import static org.lwjgl.opencl.CL12.CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A device of OpenCL, as its driver describes it. All sizes are bytes.
///
/// @param id as `--backend` and messages name it: `opencl:0`
/// @param platform its `cl_platform_id`
/// @param device its `cl_device_id`
/// @param name as people know it
/// @param vendorId the vendor's PCI number, where the driver gives that
/// @param driver version of the driver
/// @param version of OpenCL: 12, 20, 30
/// @param languageVersion of OpenCL C, which may be lower: 12, 20, 30
/// @param maxAllocation the largest buffer
/// @param maxWorkGroup the most work-items of a work-group
/// @param alignment what the offset of a sub-buffer must be a multiple of
/// @param hostUnifiedMemory whether its memory is the host's
/// @param exactDivisions whether its compiler can be asked for divisions that are correctly rounded
/// @param dot4 how it multiplies bytes
/// @param refusal why it cannot be used, so far as it does not follow from the rest
record ClDevice(
        String id,
        long platform,
        long device,
        Kind kind,
        String name,
        String vendor,
        int vendorId,
        String platformName,
        String platformVersion,
        String driver,
        int version,
        int languageVersion,
        long globalMemory,
        long maxAllocation,
        long localMemory,
        long maxWorkGroup,
        int computeUnits,
        int alignment,
        boolean hostUnifiedMemory,
        boolean subGroups,
        Set<String> extensions,
        boolean exactDivisions,
        Dot4 dot4,
        Optional<String> refusal) {
    private static final Pattern VERSION = Pattern.compile("(\\d{1,2})\\.(\\d)");

    private static final int NVIDIA = 0x10DE;

    private static final int CL_DEVICE_MAX_NUM_SUB_GROUPS = 0x105C;
    private static final int CL_DEVICE_BOARD_NAME_AMD = 0x4038;

    // Of the extension cl_khr_integer_dot_product, whose own names are longer than a line.
    private static final int CL_DEVICE_DOT_CAPABILITIES = 0x1073;
    private static final int CL_DEVICE_DOT_4X8_ACCELERATION = 0x1075;
    private static final int CL_DOT_INPUT_4X8_PACKED = 1;

    private static final int CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV = 0x4000;
    private static final int CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV = 0x4001;

    /// What the kernels are written for.
    private static final int MIN_VERSION = 12;

    private static final long MIN_WORK_GROUP = 256;
    private static final long MIN_LOCAL_MEMORY = 32 << 10;

    /// Above and below the backend `cpu`, whose rank is 10.
    enum Kind {
        DISCRETE_GPU("discrete GPU", 20),
        /// One that shares the host's memory.
        INTEGRATED_GPU("integrated GPU", 15),
        ACCELERATOR("accelerator", 15),
        /// The kernels of the backend `cpu` are made for it.
        CPU("CPU", 5),
        OTHER("custom device", 5);

        final String label;
        final int rank;

        Kind(String label, int rank) {
            this.label = label;
            this.rank = rank;
        }
    }

    ClDevice {
        extensions = Set.copyOf(extensions);
    }

    /// Asks the driver.
    ///
    /// @throws PanamoeException when it does not answer what every driver can answer
    static ClDevice read(ClQueries queries, long platform, long device) {
        Asked asked = new Asked(queries, device);
        long type = asked.number(CL_DEVICE_TYPE, "type");
        boolean unified = asked.numberOrZero(CL_DEVICE_HOST_UNIFIED_MEMORY) != 0;
        Set<String> extensions = Set.copyOf(
                List.of(asked.text(CL_DEVICE_EXTENSIONS, "extensions").split("\\s+")));
        int version = version(asked.text(CL_DEVICE_VERSION, "version"));
        boolean subGroups = extensions.contains("cl_khr_subgroups")
                || extensions.contains("cl_intel_subgroups")
                || (version >= 30 && asked.numberOrZero(CL_DEVICE_MAX_NUM_SUB_GROUPS) > 0);
        // AMD's drivers give an internal name as the device's.
        String board =
                extensions.contains("cl_amd_device_attribute_query") ? asked.textOrEmpty(CL_DEVICE_BOARD_NAME_AMD) : "";
        return new ClDevice(
                "opencl",
                platform,
                device,
                kind(type, unified),
                board.isEmpty() ? asked.text(CL_DEVICE_NAME, "name") : board,
                asked.text(CL_DEVICE_VENDOR, "vendor"),
                (int) asked.number(CL_DEVICE_VENDOR_ID, "vendor's number"),
                platformText(queries, platform, CL_PLATFORM_NAME),
                platformText(queries, platform, CL_PLATFORM_VERSION),
                asked.text(CL_DRIVER_VERSION, "driver's version"),
                version,
                version(asked.text(CL_DEVICE_OPENCL_C_VERSION, "version of OpenCL C")),
                asked.number(CL_DEVICE_GLOBAL_MEM_SIZE, "memory"),
                asked.number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, "largest allocation"),
                asked.number(CL_DEVICE_LOCAL_MEM_SIZE, "local memory"),
                asked.number(CL_DEVICE_MAX_WORK_GROUP_SIZE, "work-group limit"),
                (int) asked.number(CL_DEVICE_MAX_COMPUTE_UNITS, "compute units"),
                (int) asked.number(CL_DEVICE_MEM_BASE_ADDR_ALIGN, "alignment") / Byte.SIZE,
                unified,
                subGroups,
                extensions,
                (asked.numberOrZero(CL_DEVICE_SINGLE_FP_CONFIG) & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0,
                asked.dot4(extensions),
                missing(asked));
    }

    /// A device that is asked for facts.
    private record Asked(ClQueries queries, long device) {
        long number(int key, String what) {
            return Cl.number("the " + what + " of a device", query(key));
        }

        String text(int key, String what) {
            return Cl.text("the " + what + " of a device", query(key));
        }

        private Cl.Query query(int key) {
            return (size, value, returned) -> queries.getDeviceInfo(device, key, size, value, returned);
        }

        /// What old or new drivers may not know.
        long numberOrZero(int key) {
            try {
                return number(key, "optional fact");
            } catch (PanamoeException e) {
                return 0;
            }
        }

        Dot4 dot4(Set<String> extensions) {
            boolean packed = extensions.contains(Dot4.EXTENSION)
                    && (numberOrZero(CL_DEVICE_DOT_CAPABILITIES) & CL_DOT_INPUT_4X8_PACKED) != 0;
            long capability = extensions.contains("cl_nv_device_attribute_query")
                    ? 10 * numberOrZero(CL_DEVICE_COMPUTE_CAPABILITY_MAJOR_NV)
                            + numberOrZero(CL_DEVICE_COMPUTE_CAPABILITY_MINOR_NV)
                    : 0;
            return Dot4.of(packed, packed ? accelerated() : Optional.empty(), (int) capability);
        }

        /// The first of six `cl_bool`: of products of signed bytes.
        private Optional<Boolean> accelerated() {
            try {
                byte[] facts = Cl.bytes("the speed of a device's dot products", query(CL_DEVICE_DOT_4X8_ACCELERATION));
                return facts.length == 0 ? Optional.empty() : Optional.of(facts[0] != 0);
            } catch (PanamoeException e) {
                return Optional.empty();
            }
        }

        String textOrEmpty(int key) {
            try {
                return text(key, "optional fact");
            } catch (PanamoeException e) {
                return "";
            }
        }
    }

    /// @param key `CL_PLATFORM_NAME` or another text
    static String platformText(ClQueries queries, long platform, int key) {
        return Cl.text(
                "what a driver is called",
                (size, value, returned) -> queries.getPlatformInfo(platform, key, size, value, returned));
    }

    private static Kind kind(long type, boolean unified) {
        if ((type & CL_DEVICE_TYPE_GPU) != 0) {
            return unified ? Kind.INTEGRATED_GPU : Kind.DISCRETE_GPU;
        }
        if ((type & CL_DEVICE_TYPE_ACCELERATOR) != 0) {
            return Kind.ACCELERATOR;
        }
        return (type & CL_DEVICE_TYPE_CPU) != 0 ? Kind.CPU : Kind.OTHER;
    }

    private static Optional<String> missing(Asked asked) {
        if (asked.number(CL_DEVICE_AVAILABLE, "state") == 0) {
            return Optional.of("its driver says that it is not available");
        }
        if (asked.number(CL_DEVICE_COMPILER_AVAILABLE, "compiler") == 0) {
            return Optional.of("its driver has no compiler");
        }
        if (asked.number(CL_DEVICE_ENDIAN_LITTLE, "byte order") == 0) {
            return Optional.of("it is big-endian");
        }
        return asked.number(CL_DEVICE_ADDRESS_BITS, "addresses") < Long.SIZE
                ? Optional.of("its addresses are shorter than 64 bits")
                : Optional.empty();
    }

    /// Of `OpenCL 3.0 PoCL …` or `OpenCL C 1.2 …`: 30 or 12; 10 where there is none.
    static int version(String text) {
        Matcher found = VERSION.matcher(text);
        return found.find() ? 10 * Integer.parseInt(found.group(1)) + Integer.parseInt(found.group(2)) : 10;
    }

    /// Why it cannot be used.
    ///
    /// @return empty where it can
    @Override
    public Optional<String> refusal() {
        if (version < MIN_VERSION) {
            return Optional.of("OpenCL " + dotted(version) + ", and " + dotted(MIN_VERSION) + " is needed");
        }
        if (refusal.isPresent()) {
            return refusal;
        }
        if (maxWorkGroup < MIN_WORK_GROUP) {
            return Optional.of("work-groups of at most " + maxWorkGroup + ", and " + MIN_WORK_GROUP + " are needed");
        }
        if (localMemory < MIN_LOCAL_MEMORY) {
            return Optional.of(size(localMemory) + " of local memory, and " + size(MIN_LOCAL_MEMORY) + " are needed");
        }
        return Optional.empty();
    }

    /// The same device under another id, to be treated as another kind.
    ClDevice as(String otherId, Kind otherKind) {
        return as(otherId, otherKind, dot4);
    }

    private ClDevice as(String otherId, Kind otherKind, Dot4 otherDot4) {
        return new ClDevice(
                otherId,
                platform,
                device,
                otherKind,
                name,
                vendor,
                vendorId,
                platformName,
                platformVersion,
                driver,
                version,
                languageVersion,
                globalMemory,
                maxAllocation,
                localMemory,
                maxWorkGroup,
                computeUnits,
                alignment,
                hostUnifiedMemory,
                subGroups,
                extensions,
                exactDivisions,
                otherDot4,
                refusal);
    }

    boolean isCpu() {
        return kind == Kind.CPU;
    }

    boolean isGpu() {
        return kind == Kind.DISCRETE_GPU || kind == Kind.INTEGRATED_GPU;
    }

    /// A GPU of NVIDIA.
    boolean isNvidia() {
        return isGpu() && (vendorId == NVIDIA || vendor.contains("NVIDIA"));
    }

    boolean fp16() {
        return extensions.contains("cl_khr_fp16");
    }

    /// Whether products of 8-bit integers are faster than those of floats. On a CPU the latter have kernels of their
    /// own.
    boolean eightBits() {
        return dot4.isFast() && !isCpu();
    }

    /// For the compiler of kernels that multiply bytes.
    String dot4Options() {
        if (dot4.way() != Dot4.Way.EXTENSION) {
            return dot4.way().options;
        }
        // Compilers may know the extension in the newest OpenCL C alone; the oldest is what they take by default.
        return dot4.way().options + (version >= 30 ? " -cl-std=CL3.0" : languageVersion >= 20 ? " -cl-std=CL2.0" : "");
    }

    /// The same device, with another way to multiply bytes.
    ClDevice with(Dot4 other) {
        return as(id, kind, other);
    }

    /// For `panamoe devices`.
    DeviceInfo info() {
        List<String> facts = new ArrayList<>(List.of(
                kind.label,
                computeUnits + (computeUnits == 1 ? " compute unit" : " compute units"),
                "work-groups of " + maxWorkGroup,
                size(localMemory) + " of local memory",
                "buffers of " + size(maxAllocation)));
        if (subGroups) {
            facts.add("sub-groups");
        }
        if (fp16()) {
            facts.add("fp16");
        }
        facts.add(isCpu() ? "float products (CPU)" : dot4.reason());
        facts.add("OpenCL " + dotted(version));
        facts.add("driver " + driver + " (" + platformName + ")");
        return new DeviceInfo(id, name, globalMemory, facts);
    }

    private static String dotted(int version) {
        return version / 10 + "." + version % 10;
    }

    private static String size(long bytes) {
        if (bytes < 1L << 20) {
            return (bytes >> 10) + " KiB";
        }
        return bytes < 1L << 30
                ? (bytes >> 20) + " MiB"
                : String.format(Locale.ROOT, "%.1f GiB", (double) bytes / (1L << 30));
    }
}

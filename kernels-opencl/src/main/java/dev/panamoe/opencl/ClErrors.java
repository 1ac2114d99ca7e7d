package dev.panamoe.opencl;

/// What the error codes of OpenCL are called and mean. Source: `CL/cl.h` and the extension specifications of Khronos.
final class ClErrors {
    private ClErrors() {}

    /// `CL_OUT_OF_RESOURCES`, or `error -9999` for a code that nobody has described.
    static String name(int code) {
        return switch (code) {
            case 0 -> "CL_SUCCESS";
            case -1 -> "CL_DEVICE_NOT_FOUND";
            case -2 -> "CL_DEVICE_NOT_AVAILABLE";
            case -3 -> "CL_COMPILER_NOT_AVAILABLE";
            case -4 -> "CL_MEM_OBJECT_ALLOCATION_FAILURE";
            case -5 -> "CL_OUT_OF_RESOURCES";
            case -6 -> "CL_OUT_OF_HOST_MEMORY";
            case -7 -> "CL_PROFILING_INFO_NOT_AVAILABLE";
            case -8 -> "CL_MEM_COPY_OVERLAP";
            case -9 -> "CL_IMAGE_FORMAT_MISMATCH";
            case -10 -> "CL_IMAGE_FORMAT_NOT_SUPPORTED";
            case -11 -> "CL_BUILD_PROGRAM_FAILURE";
            case -12 -> "CL_MAP_FAILURE";
            case -13 -> "CL_MISALIGNED_SUB_BUFFER_OFFSET";
            case -14 -> "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST";
            case -15 -> "CL_COMPILE_PROGRAM_FAILURE";
            case -16 -> "CL_LINKER_NOT_AVAILABLE";
            case -17 -> "CL_LINK_PROGRAM_FAILURE";
            case -18 -> "CL_DEVICE_PARTITION_FAILED";
            case -19 -> "CL_KERNEL_ARG_INFO_NOT_AVAILABLE";
            case -30 -> "CL_INVALID_VALUE";
            case -31 -> "CL_INVALID_DEVICE_TYPE";
            case -32 -> "CL_INVALID_PLATFORM";
            case -33 -> "CL_INVALID_DEVICE";
            case -34 -> "CL_INVALID_CONTEXT";
            case -35 -> "CL_INVALID_QUEUE_PROPERTIES";
            case -36 -> "CL_INVALID_COMMAND_QUEUE";
            case -37 -> "CL_INVALID_HOST_PTR";
            case -38 -> "CL_INVALID_MEM_OBJECT";
            case -42 -> "CL_INVALID_BINARY";
            case -43 -> "CL_INVALID_BUILD_OPTIONS";
            case -44 -> "CL_INVALID_PROGRAM";
            case -45 -> "CL_INVALID_PROGRAM_EXECUTABLE";
            case -46 -> "CL_INVALID_KERNEL_NAME";
            case -47 -> "CL_INVALID_KERNEL_DEFINITION";
            case -48 -> "CL_INVALID_KERNEL";
            case -49 -> "CL_INVALID_ARG_INDEX";
            case -50 -> "CL_INVALID_ARG_VALUE";
            case -51 -> "CL_INVALID_ARG_SIZE";
            case -52 -> "CL_INVALID_KERNEL_ARGS";
            case -53 -> "CL_INVALID_WORK_DIMENSION";
            case -54 -> "CL_INVALID_WORK_GROUP_SIZE";
            case -55 -> "CL_INVALID_WORK_ITEM_SIZE";
            case -56 -> "CL_INVALID_GLOBAL_OFFSET";
            case -57 -> "CL_INVALID_EVENT_WAIT_LIST";
            case -58 -> "CL_INVALID_EVENT";
            case -59 -> "CL_INVALID_OPERATION";
            case -61 -> "CL_INVALID_BUFFER_SIZE";
            case -63 -> "CL_INVALID_GLOBAL_WORK_SIZE";
            case -64 -> "CL_INVALID_PROPERTY";
            case -66 -> "CL_INVALID_COMPILER_OPTIONS";
            case -68 -> "CL_INVALID_DEVICE_PARTITION_COUNT";
            case -72 -> "CL_MAX_SIZE_RESTRICTION_EXCEEDED";
            case -1001 -> "CL_PLATFORM_NOT_FOUND_KHR";
            default -> "error " + code;
        };
    }

    /// Whether a code of any call means that the device, its context or its queue cannot be used any more. (-9999 is
    /// NVIDIA's for a kernel that read or wrote where it may not.)
    static boolean isLostDevice(int code) {
        return switch (code) {
            case -2, -33, -34, -36, -9999 -> true;
            default -> false;
        };
    }

    /// Whether a code of a call that waits means that an operation before has failed, after which a queue is of no use.
    /// NVIDIA says `CL_OUT_OF_RESOURCES`, which from other calls is a lack of memory or of registers.
    static boolean isFailedOperation(int code) {
        return code == -5 || code == -14;
    }

    /// What a code means and what can be done about it.
    static String advice(int code) {
        return switch (code) {
            case -4, -5, -61 ->
                "the device has not enough memory left, or its driver gave up; close other programs that use it, take a"
                        + " smaller --ctx, or use --backend cpu";
            case -6 -> "the host has not enough memory left; take a smaller --ctx or model";
            case -1, -2, -32, -33, -1001 ->
                "the device is gone, or another program has it; see 'panamoe devices', or use --backend cpu";
            case -14, -34, -36, -58, -9999 ->
                "the device is lost or what it was running failed; the system's log may say why (Linux: dmesg), an update"
                        + " of the driver may help, --backend cpu does without";
            case -3, -16 -> "the driver has no compiler here; install the whole driver, or use --backend cpu";
            case -11, -15, -17, -42, -43, -45, -66 ->
                "the driver could not compile Panamoe's kernels; an update of it may help, --backend cpu does without";
            default ->
                "the driver refused a call that Panamoe believes right; please report it, --backend cpu does without";
        };
    }

    /// `CL_OUT_OF_RESOURCES (-5): what it means and what can be done about it`.
    static String describe(int code) {
        String name = name(code);
        return (name.startsWith("CL_") ? name + " (" + code + ")" : name) + ": " + advice(code);
    }
}

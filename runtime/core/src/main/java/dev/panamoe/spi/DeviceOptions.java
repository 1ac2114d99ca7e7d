package dev.panamoe.spi;

/// How to open a device.
///
/// @param threads host threads to compute with; 0 = as many as the backend thinks best
/// @param kernels which of the device's kernel sets to use: {@link #AUTO}, or a name that the backend knows
/// @param activations what activations are rounded to before they meet weights
/// @param packing what becomes of weights when they are uploaded
/// @param tuning whether a device that can be tuned measures what it is fastest with
public record DeviceOptions(int threads, String kernels, Activations activations, Packing packing, Tuning tuning) {
    /// Lets the backend choose.
    public static final String AUTO = "auto";

    public static final DeviceOptions DEFAULT = new DeviceOptions(0);

    /// What activations are rounded to before they are multiplied with weights.
    public enum Activations {
        /// What the backend is fastest with.
        AUTO,
        /// Nothing: float32, which the tightest tolerances ask for.
        F32,
        /// 8 bits in blocks of 32, for the weights that {@link Rounding} names.
        Q8;

        /// What makes another device compute with the same.
        public static Activations of(Arithmetic arithmetic) {
            return switch (arithmetic) {
                case F32 -> F32;
                case INT8 -> Q8;
            };
        }
    }

    /// Whether weights are brought into the order that the kernels like best.
    public enum Packing {
        /// Re-packed, and kept in a file beside the user's other caches, which is mapped at the next start.
        KEPT,
        /// Re-packed at every start.
        MEMORY,
        /// Computed on as they lie in the model file: for machines whose memory the model just fills.
        NONE
    }

    /// Whether a device measures which layouts of its kernels are the fastest for the weights that are uploaded, where
    /// it can. Results do not depend on it.
    public enum Tuning {
        /// Once, on devices that are not CPUs; what was found is kept in a file beside the user's other caches.
        AUTO,
        /// Not at all: with what is known to work.
        OFF,
        /// Anew, and also on CPUs; it takes longer.
        AGAIN
    }

    /// Defaults but for the threads.
    public DeviceOptions(int threads) {
        this(threads, AUTO, Activations.AUTO, Packing.MEMORY, Tuning.AUTO);
    }

    public DeviceOptions withThreads(int count) {
        return new DeviceOptions(count, kernels, activations, packing, tuning);
    }

    public DeviceOptions withKernels(String name) {
        return new DeviceOptions(threads, name, activations, packing, tuning);
    }

    public DeviceOptions withActivations(Activations type) {
        return new DeviceOptions(threads, kernels, type, packing, tuning);
    }

    public DeviceOptions withPacking(Packing what) {
        return new DeviceOptions(threads, kernels, activations, what, tuning);
    }

    public DeviceOptions withTuning(Tuning when) {
        return new DeviceOptions(threads, kernels, activations, packing, when);
    }
}

package dev.panamoe.cpu;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.spi.DeviceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The kernel sets of this machine: native code for its instruction set, and the Vector API, which is always there.
final class KernelSets {
    private KernelSets() {}

    /// A set that is here, or why it is not.
    ///
    /// @param kernels empty when they cannot be used
    /// @param reason why not; empty when they can
    record Candidate(String name, Optional<KernelSet> kernels, String reason) {}

    /// All sets, fastest first, with those that cannot be used here and why.
    static List<Candidate> candidates() {
        List<Candidate> all = new ArrayList<>(NativeKernels.candidates(CpuInfo.read()));
        KernelSet vector = new VectorKernels();
        all.add(new Candidate(vector.name(), Optional.of(vector), ""));
        return all;
    }

    /// The set of that name, or the fastest usable one for {@link DeviceOptions#AUTO}.
    ///
    /// @throws PanamoeException when there is none of that name, or it cannot be used here
    static KernelSet choose(String name) {
        List<Candidate> all = candidates();
        for (Candidate c : all) {
            if (name.equals(DeviceOptions.AUTO) && c.kernels().isPresent()) {
                return c.kernels().get();
            }
            if (name.equals(c.name())) {
                return c.kernels()
                        .orElseThrow(() -> new PanamoeException("cpu: the kernels '" + name + "' cannot be used here: "
                                + c.reason() + "; leave out --cpu-kernels to take the best that can"));
            }
        }
        throw new PanamoeException("cpu: there are no kernels '" + name + "'; there are " + DeviceOptions.AUTO + ", "
                + all.stream().map(Candidate::name).collect(Collectors.joining(", ")));
    }
}

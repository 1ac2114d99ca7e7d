package dev.panamoe.cli;

import dev.panamoe.engine.Benchmark.Test;
import dev.panamoe.engine.Parity;
import dev.panamoe.engine.Profile;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Ceilings;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/// One line of a benchmark: a test of a model on a device.
///
/// @param setting what was tested
/// @param timing empty when the backend failed parity, and so was not timed
record BenchResult(Setting setting, Test test, Optional<Timing> timing) {
    /// A model on a device.
    ///
    /// @param device as `devices` names it
    /// @param kernels the kernel set; empty where there is no choice
    /// @param rows most rows of a forward pass
    /// @param arithmetic what its products are made of
    /// @param ceilings of the device; empty where it cannot measure them
    /// @param parity empty when it was not asked for
    record Setting(
            BenchModel model,
            String device,
            String kernels,
            int threads,
            int rows,
            Arithmetic arithmetic,
            Optional<Ceilings> ceilings,
            Optional<Parity.Result> parity) {
        /// Device and kernel set, for people.
        String where() {
            return kernels.isEmpty() ? device : device + " " + kernels;
        }

        boolean failed() {
            return parity.isPresent() && !parity.get().isSound();
        }
    }

    /// What was measured.
    ///
    /// @param samples tokens a second, one each repeat
    /// @param bytes of weights, keys and values that the whole test reads, each once a pass
    /// @param flops of the whole test
    /// @param profile of the fastest of as many more repeats, if it was asked for
    record Timing(List<Double> samples, long bytes, double flops, Optional<Profile> profile) {
        Timing {
            samples = List.copyOf(samples);
        }

        double median() {
            double[] sorted = values().sorted().toArray();
            int half = sorted.length / 2;
            return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        }

        double min() {
            return values().min().orElseThrow();
        }

        double max() {
            return values().max().orElseThrow();
        }

        private DoubleStream values() {
            return samples.stream().mapToDouble(s -> s);
        }
    }

    /// `pp512`, and where the context is not empty `pp512 @ d1024`.
    String label() {
        return test.name() + (test.depth() == 0 ? "" : " @ d" + test.depth());
    }

    double bytesPerSecond(Timing t) {
        return t.bytes() * t.median() / test.tokens();
    }

    double flopsPerSecond(Timing t) {
        return t.flops() * t.median() / test.tokens();
    }

    /// What bounds the test by its nature: the memory of a token after the other, the multiply-adds of a prompt.
    double achieved(Timing t) {
        return test.generation() ? bytesPerSecond(t) : flopsPerSecond(t);
    }

    /// The device's ceiling for that.
    Optional<Double> ceiling() {
        return setting.ceilings().map(c -> test.generation() ? c.read() : c.operations(setting.arithmetic()));
    }

    /// How much of the ceiling was reached.
    Optional<Double> share(Timing t) {
        return ceiling().map(c -> achieved(t) / c);
    }
}

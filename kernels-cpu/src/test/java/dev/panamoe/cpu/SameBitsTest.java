package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Results are the same bits with vectors of 128, 256 and 512 bits, while kernels are interpreted, and with C1 and C2:
/// each way is a virtual machine of its own that prints a hash of the results, after seeing all its runs agree.
class SameBitsTest {
    @Tag("slow")
    @Test
    @Timeout(120)
    void onAnyVectorWidthAndCompiler() throws IOException, InterruptedException {
        Map<String, List<String>> ways = new LinkedHashMap<>();
        for (int bits : new int[] {128, 256, 512}) {
            ways.put(bits + " bits", List.of("-D" + Simd.WIDTH_PROPERTY + "=" + bits));
        }
        ways.put("C1, which has no vector instructions", List.of("-XX:TieredStopAtLevel=1"));
        Map<String, String> hashes = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> way : ways.entrySet()) {
            hashes.put(way.getKey(), hashOf(way.getValue(), way.getKey().startsWith("C1") ? 1 : 20));
        }
        assertThat(hashes.values()).as("%s", hashes).allMatch(h -> h.equals(hashes.get("512 bits")));
        assertThat(hashes.get("512 bits")).matches("-?\\d+ -?\\d+");
    }

    /// Native code takes the place of the Vector API unseen. (Widths and compilers with packed weights are the business
    /// of {@link VectorKernelsTest}.)
    @Test
    void withAnyKernelSet() {
        String expected = hashOf("vector", 2);
        for (KernelSets.Candidate set : KernelSets.candidates()) {
            if (set.kernels().isPresent()) {
                assertThat(hashOf(set.name(), 2)).as(set.name()).isEqualTo(expected);
            }
        }
    }

    private static String hashOf(List<String> options, int runs) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(options);
        command.addAll(List.of(Printer.class.getName(), String.valueOf(runs)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("exit code of %s: %s", command, out).isZero();
        return out.strip();
    }

    static final class Printer {
        private Printer() {}

        public static void main(String[] args) {
            int runs = Integer.parseInt(args[0]);
            System.out.println(hashOf("none", runs));
        }
    }

    /// Of one token and of several; the same in each run.
    private static String hashOf(String kernels, int runs) {
        try (CpuDevice device = Workload.device(kernels, 2)) {
            Workload workload = new Workload(device);
            int decode = 0;
            int prefill = 0;
            for (int i = 0; i < runs; i++) {
                workload.reset();
                workload.run(1);
                int d = workload.hash();
                workload.reset();
                workload.run(Workload.TOKENS);
                int p = workload.hash();
                if (i > 0 && (d != decode || p != prefill)) {
                    throw new IllegalStateException("run " + i + " gave other bits");
                }
                decode = d;
                prefill = p;
            }
            return decode + " " + prefill;
        }
    }
}

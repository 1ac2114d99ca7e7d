package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What depends on the run of a virtual machine: that products with packed weights are the same bits interpreted and
/// compiled and with vectors of any width, and that the JIT boxes no vector, which it does or does not from start to
/// start. Each way is a virtual machine of its own.
@Tag("slow")
class VectorKernelsRunsTest {
    private static final int COLS = 256;
    private static final int ROWS = 32;
    private static final int[] TOKENS = {1, 3, 16};

    @Test
    @Timeout(180)
    void sameBitsHoweverItRuns() throws IOException, InterruptedException {
        Map<String, String> hashes = new LinkedHashMap<>();
        for (int bits : new int[] {128, 256, 512}) {
            hashes.put(bits + " bits", output(List.of("-D" + Simd.WIDTH_PROPERTY + "=" + bits), "bits", "100"));
        }
        hashes.put("interpreted", output(List.of("-Xint"), "bits", "1"));
        hashes.put("C1", output(List.of("-XX:TieredStopAtLevel=1"), "bits", "1"));
        assertThat(hashes.get("512 bits")).matches("-?\\d+");
        assertThat(hashes.values()).as("%s", hashes).containsOnly(hashes.get("512 bits"));
    }

    @Test
    @Timeout(400)
    void steadyStateAllocatesNothing() throws IOException, InterruptedException {
        for (int start = 0; start < 2; start++) {
            // Types meet the JIT in another order each time, with the limits that this process has.
            List<String> options = ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                    .filter(o -> o.startsWith("-XX:PerMethod"))
                    .toList();
            assertThat(output(options, "bytes", String.valueOf(start)))
                    .as("kernels that allocate, start %d", start)
                    .isEmpty();
        }
    }

    private static String output(List<String> options, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(Runner.class.getName());
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("exit code of %s: %s", command, out).isZero();
        return out.strip();
    }

    static final class Runner {
        private final KernelSet kernels = new VectorKernels();
        private final Scratch scratch = new Scratch();
        private final Arena arena = Arena.ofShared();

        private Runner() {}

        /// `bits RUNS` prints a hash of all results after seeing all runs agree; `bytes SEED` prints what still
        /// allocates after a minute of trying.
        public static void main(String[] args) {
            int n = Integer.parseInt(args[1]);
            Runner runner = new Runner();
            if (args[0].equals("bits")) {
                System.out.println(runner.hash(n));
            } else {
                runner.allocations(n);
            }
        }

        private int hash(int runs) {
            int hash = 0;
            for (PackedType type : PackedType.values()) {
                for (int tokens : TOKENS) {
                    Case some = new Case(type, tokens);
                    int first = some.run();
                    for (int i = 1; i < runs; i++) {
                        if (some.run() != first) {
                            throw new IllegalStateException(type + ", " + tokens + " tokens: run " + i + " differs");
                        }
                    }
                    hash = 31 * hash + first;
                }
            }
            return hash;
        }

        private void allocations(int seed) {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            List<PackedType> types = new ArrayList<>(List.of(PackedType.values()));
            Collections.shuffle(types, new Random(seed));
            for (PackedType type : types) {
                for (int tokens : TOKENS) {
                    Case some = new Case(type, tokens);
                    long bytes = Long.MAX_VALUE;
                    long giveUp = System.nanoTime() + 60_000_000_000L;
                    while (bytes > 0 && System.nanoTime() < giveUp) {
                        long before = threads.getCurrentThreadAllocatedBytes();
                        for (int i = 0; i < 20; i++) {
                            some.multiply();
                        }
                        bytes = threads.getCurrentThreadAllocatedBytes() - before;
                    }
                    if (bytes > 0) {
                        System.out.println(type + ", " + tokens + " tokens: " + bytes / 20 + " bytes a call");
                    }
                }
            }
        }

        private final class Case {
            private final PackedWeight w;
            private final Panel single = kernels.newPanel();
            private final Panel panel = kernels.newPanel();
            private final float[] x;
            private final int[] yAt;
            private final int tokens;
            private final float[] y;

            Case(PackedType type, int tokens) {
                Random random = new Random(type.unitBytes() + tokens);
                this.tokens = tokens;
                w = VectorKernelsTest.weight(arena, type, COLS, ROWS, 1, random);
                x = VectorKernelsTest.activations(random, tokens * COLS);
                y = new float[tokens * ROWS];
                yAt = new int[tokens];
                for (int t = 0; t < tokens; t++) {
                    yAt[t] = t * ROWS;
                }
                panel.reset(type, COLS, tokens);
                single.reset(type, COLS, tokens);
            }

            /// Every second token is quantised where it belongs, the others are copied from tiles of their own.
            void multiply() {
                for (int t = 0; t < tokens; t++) {
                    if (t % 2 == 0) {
                        panel.set(0, tokens, t, x, t * COLS);
                    } else {
                        single.set(t, 1, 0, x, t * COLS);
                        panel.copy(0, tokens, t, single, t);
                    }
                }
                kernels.matmul(w, 0, 0, w.groups(), panel, 0, tokens, y, yAt, 0, scratch);
            }

            int run() {
                multiply();
                return Arrays.hashCode(y);
            }
        }
    }
}

package dev.panamoe.ffm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StdErrTest {
    @TempDir
    Path folder;

    /// Runs in its own JVM, whose standard error is a file and whose descriptor 9 is another.
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            System.err.println("before");
            CallResult result = StdErr.restore();
            System.err.println("after");
            System.out.println(result.reason());
        }
    }

    @Test
    void movesStandardErrorToTheKeptDescriptor() throws Exception {
        String out = run("9>kept", "-Dpanamoe.stderr=9");
        assertThat(out).isEqualTo("done\n");
        assertThat(file("filtered")).isEqualTo("before\n");
        assertThat(file("kept")).isEqualTo("after\n");
    }

    @Test
    void withoutThePropertyNothingMoves() throws Exception {
        assertThat(run("9>kept")).isEqualTo("done\n");
        assertThat(file("filtered")).isEqualTo("before\nafter\n");
    }

    @Test
    void aDescriptorThatIsNotOpenLeavesStandardErrorAsItIs() throws Exception {
        assertThat(run("", "-Dpanamoe.stderr=77")).startsWith("dup2(77, 2): ");
        assertThat(file("filtered")).isEqualTo("before\nafter\n");
    }

    private String run(String redirection, String... options) throws IOException, InterruptedException {
        assumeTrue(Os.isLinux() || Os.isMac());
        List<String> command = new ArrayList<>(List.of(
                "/bin/sh",
                "-c",
                "exec \"$@\" 2>filtered " + redirection,
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.add(Program.class.getName());
        Path out = folder.resolve("out");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return file("out");
    }

    private String file(String name) throws IOException {
        return Files.readString(folder.resolve(name));
    }
}

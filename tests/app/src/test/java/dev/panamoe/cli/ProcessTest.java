package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What only a process of its own shows: exit codes, the locale, closed pipes, signals, memory.
@Timeout(60)
class ProcessTest {
    private static final List<String> ENDLESS =
            List.of("run", "--raw", "--ignore-eos", "--ctx", "100000", "--seed", "1", "Once upon a time");

    @TempDir
    Path folder;

    static List<String> java(List<String> options, List<String> args) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "dev.panamoe.cli.Main"));
        command.addAll(args);
        return command;
    }

    private Process start(List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectError(folder.resolve("err").toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    private String err() throws IOException {
        return Files.readString(folder.resolve("err"));
    }

    private List<String> messages() throws IOException {
        return err().lines().filter(l -> l.startsWith("panamoe: ")).toList();
    }

    private static int exitCode(Process process) throws InterruptedException {
        assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private static String all(Process process) throws IOException {
        try (InputStream in = process.getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void exitCodes() throws Exception {
        assertThat(exitCode(start(java(List.of(), List.of("--version")), Map.of())))
                .isZero();
        assertThat(exitCode(start(java(List.of(), List.of("run", "--model", "/no/such", "hi")), Map.of())))
                .isEqualTo(1);
        assertThat(messages()).containsExactly("panamoe: /no/such: there is no such file");
        assertThat(exitCode(start(java(List.of(), List.of("run", "--wrong")), Map.of())))
                .isEqualTo(2);
    }

    @Test
    void outputIsUtf8InEveryLocale() throws Exception {
        String text = "\u00FC\u6F22\uD83D\uDE42";
        Path template = Files.writeString(folder.resolve("t.jinja"), "{{ text }}");
        Path input = Files.writeString(folder.resolve("case.json"), "{\"text\": \"" + text + "\"}");
        Process process = start(
                java(
                        List.of("-Dfile.encoding=ISO-8859-1", "-Dstdout.encoding=US-ASCII"),
                        List.of("template", "--file", template.toString(), "--input", input.toString())),
                Map.of("LC_ALL", "POSIX", "LANG", "POSIX"));
        assertThat(all(process)).isEqualTo(text);
        assertThat(exitCode(process)).isZero();
    }

    @Test
    void aReaderThatLeavesEndsItQuietly() throws Exception {
        Process process = start(java(List.of(), ENDLESS), Map.of());
        InputStream out = process.getInputStream();
        assertThat(out.read()).isNotNegative();
        out.close();
        assertThat(exitCode(process)).isZero();
        assertThat(messages()).isEmpty();
        assertThat(err()).doesNotContain("Exception");
    }

    @Test
    void aFullDiskIsAFailure() throws Exception {
        Path full = Path.of("/dev/full");
        assumeThat(full).exists();
        Process process = new ProcessBuilder(java(List.of(), List.of("inspect")))
                .redirectOutput(full.toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        assertThat(exitCode(process)).isEqualTo(1);
        assertThat(messages()).hasSize(1).first().asString().contains("cannot write to standard output");
    }

    /// Some text has come, so the signal finds the program in the middle of its work.
    @Test
    void anInterruptStopsAtOnce() throws Exception {
        // A shell that runs a build in the background has its children ignore the signal, and Java keeps to that.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT"));
        command.addAll(java(List.of(), ENDLESS));
        Path env = Path.of("/usr/bin/env");
        assumeThat(env).exists();
        assumeThat(exitCode(new ProcessBuilder("env", "--default-signal=INT", "true").start()))
                .isZero();
        Process process = start(command, Map.of());
        InputStream out = process.getInputStream();
        assertThat(out.readNBytes(3)).hasSize(3);
        long before = System.nanoTime();
        assertThat(exitCode(new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start()))
                .isZero();
        assertThat(exitCode(process)).isEqualTo(130);
        assertThat(TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - before)).isLessThan(5);
        assertThat(messages()).isEmpty();
        assertThat(err()).doesNotContain("Exception");
    }

    @Test
    void aHeapThatIsTooSmallIsNamed() throws Exception {
        byte[] text = new byte[40 << 20];
        Arrays.fill(text, (byte) 'a');
        Path file = Files.write(folder.resolve("long.txt"), text);
        Process process = start(java(List.of("-Xmx32m"), List.of("perplexity", "--file", file.toString())), Map.of());
        assertThat(exitCode(process)).isEqualTo(1);
        assertThat(messages()).hasSize(1).first().asString().contains("heap", "PANAMOE_JAVA_OPTS=-Xmx");
        assertThat(err()).doesNotContain("\tat ");
    }
}

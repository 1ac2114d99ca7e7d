package dev.panamoe.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panamoe.ffm.Os;
import dev.panamoe.ffm.StdErr;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The launcher, copied into a folder of its own with a small program in place of Panamoe and a script in place of
/// Maven.
class LauncherTest {
    private static final Path ROOT = Path.of(System.getProperty("panamoe.root"));
    private static final String WARNING_OF_THE_JVM = "incubator";

    /// The program in place of Panamoe.
    private static final String PROGRAM = """
        package dev.panamoe.cli;
        public final class Main {
            public static void main(String[] args) throws Exception {
                dev.panamoe.ffm.StdErr.restore();
                switch (args.length == 0 ? "" : args[0]) {
                    case "echo" -> System.out.write((String.join("|", args) + "\\n").getBytes("UTF-8"));
                    case "cat" -> System.in.transferTo(System.out);
                    case "run" -> java.nio.file.Files.writeString(
                            java.nio.file.Path.of("trainings"), "x", java.nio.file.StandardOpenOption.CREATE,
                            java.nio.file.StandardOpenOption.APPEND);
                    case "heap" -> System.out.println(Runtime.getRuntime().maxMemory() >> 20);
                    case "fail" -> {
                        System.err.println("one");
                        System.out.println("two");
                        System.err.print("three");
                        System.exit(Integer.parseInt(args[1]));
                    }
                    default -> {}
                }
                System.out.flush();
            }
        }
        """;

    /// The script in place of Maven: counts its calls and writes the jars anew.
    private static final String MAVEN = """
        #!/usr/bin/env bash
        echo call >>calls
        if [ -f broken ]; then
            echo '[INFO] noise'
            echo '[ERROR] Main.java:[3,1] no such thing'
            exit 1
        fi
        sleep 0.5
        touch runtime/app/target/panamoe/lib/*.jar
        """;

    @TempDir
    static Path folder;

    private static Path root = Path.of("");

    private record Run(int exit, String out, String err) {}

    @BeforeAll
    static void lay() throws IOException, URISyntaxException {
        assumeTrue(Os.isLinux() || Os.isMac());
        root = folder.resolve("a folder with 'blanks'");
        Path lib = Files.createDirectories(root.resolve("runtime/app/target/panamoe/lib"));
        Files.createDirectories(root.resolve("runtime/core/src/main/java"));
        Files.writeString(root.resolve("runtime/core/src/main/java/A.java"), "class A {}");
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        Files.copy(ROOT.resolve("panamoe"), root.resolve("panamoe"));
        assertThat(root.resolve("panamoe").toFile().setExecutable(true)).isTrue();
        Files.writeString(root.resolve("mvnw"), MAVEN);
        assertThat(root.resolve("mvnw").toFile().setExecutable(true)).isTrue();

        Path bindings = Path.of(
                StdErr.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path classes = folder.resolve("classes");
        Path source = Files.writeString(folder.resolve("Main.java"), PROGRAM);
        int compiled = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-cp", bindings.toString(), "-d", classes.toString(), source.toString());
        assertThat(compiled).isZero();
        jar(classes, lib.resolve("panamoe-app-1.jar"));
        if (Files.isDirectory(bindings)) {
            jar(bindings, lib.resolve("panamoe-ffm-bindings-1.jar"));
        } else {
            Files.copy(bindings, lib.resolve("panamoe-ffm-bindings-1.jar"));
        }
    }

    @BeforeEach
    void isBuilt() throws IOException {
        Files.deleteIfExists(root.resolve("broken"));
        Files.deleteIfExists(root.resolve("calls"));
        Files.deleteIfExists(root.resolve("trainings"));
        Instant now = Instant.now();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.sorted().toList()) {
                boolean jar = file.toString().endsWith(".jar");
                if (!file.toString().endsWith(".jsa")) {
                    Files.setLastModifiedTime(file, FileTime.from(now.minusSeconds(jar ? 60 : 120)));
                }
            }
        }
    }

    @Test
    void passesArgumentsInputAndOutputThrough() throws Exception {
        Run echo = run(Map.of("LC_ALL", "C"), "", "./panamoe echo 'a  b' '' '*' 'Größe 日本' '$HOME'");
        assertThat(echo).isEqualTo(new Run(0, "echo|a  b||*|Größe 日本|$HOME\n", ""));
        assertThat(run(Map.of(), "from the pipe", "./panamoe cat")).isEqualTo(new Run(0, "from the pipe", ""));
    }

    @Test
    void worksThroughASymbolicLinkFromAnyFolder() throws Exception {
        Run echo = run(Map.of(), "", "ln -sf ../panamoe runtime/link && cd / && \"$OLDPWD/runtime/link\" echo x");
        assertThat(echo).isEqualTo(new Run(0, "echo|x\n", ""));
    }

    @Test
    void givesBackTheExitCodeAndStandardErrorWithoutTheWarningOfTheJvm() throws Exception {
        assertThat(run(Map.of(), "", "./panamoe fail 7")).isEqualTo(new Run(7, "two\n", "one\nthree"));
        assertThat(run(Map.of(), "", "./panamoe fail 3 2>&1")).isEqualTo(new Run(3, "one\ntwo\nthree", ""));
        assertThat(run(Map.of(), "", "./panamoe fail 3 2>&1 | cat; exit ${PIPESTATUS[0]}"))
                .isEqualTo(new Run(3, "one\ntwo\nthree", ""));
        assertThat(run(Map.of(), "", "./panamoe fail 5 2>&-")).isEqualTo(new Run(5, "two\n", ""));
        assertThat(run(Map.of(), "", "./panamoe fail 5 >&-")).isEqualTo(new Run(5, "", "one\nthree"));
        assertThat(run(Map.of(), "", "./panamoe cat <&-")).isEqualTo(new Run(0, "", ""));
    }

    @Test
    void showsWhatTheJvmSaysWhenItDoesNotStart() throws Exception {
        // The filter outlives the JVM by a moment; the pipe waits for it.
        Run run = run(Map.of("PANAMOE_JAVA_OPTS", "-Xmx9q"), "", "./panamoe echo 2>&1 | cat; exit ${PIPESTATUS[0]}");
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out()).contains("-Xmx9q").doesNotContain(WARNING_OF_THE_JVM);
    }

    @Test
    void theUsersOptionsWin() throws Exception {
        assertThat(heap("")).isBetween(450, 512);
        assertThat(heap("-Xmx100m")).isBetween(80, 100);
        assertThat(heap("-XX:+UseParallelGC -Xmx128m -Dpattern=*")).isBetween(100, 128);
    }

    @Test
    void showsTheCommandOnRequest() throws Exception {
        Run run = run(Map.of("PANAMOE_DEBUG_LAUNCHER", "1"), "", "./panamoe echo 'a b'");
        assertThat(run.out()).isEqualTo("echo|a b\n");
        assertThat(run.err()).startsWith("panamoe: ").contains("dev.panamoe.cli.Main echo a\\ b");
    }

    @Test
    void refusesAnOldOrMissingJdk() throws Exception {
        Run run = run(Map.of("PANAMOE_JAVA_HOME", "/nowhere"), "", "./panamoe echo");
        assertThat(run).isEqualTo(new Run(1, "", "panamoe: PANAMOE_JAVA_HOME=/nowhere is not a JDK 25 or newer\n"));
        Path old = Files.createDirectories(folder.resolve("old/bin"));
        for (String tool : List.of("java", "javac")) {
            Files.writeString(old.resolve(tool), "#!/bin/sh\n");
            assertThat(old.resolve(tool).toFile().setExecutable(true)).isTrue();
        }
        Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"24.0.2\"\n");
        Run tooOld = run(Map.of("PANAMOE_JAVA_HOME", old.getParent().toString()), "", "./panamoe echo");
        assertThat(tooOld.exit()).isEqualTo(1);
        assertThat(tooOld.err()).endsWith("is not a JDK 25 or newer\n");
    }

    @Test
    void buildsOnlyWhatIsOlderThanItsSourcesAndOnceForAllWhoWait() throws Exception {
        assertThat(run(Map.of(), "", "./panamoe echo").err()).isEmpty();
        assertThat(root.resolve("calls")).doesNotExist();

        Files.setLastModifiedTime(root.resolve("runtime/core/src/main/java/A.java"), FileTime.from(Instant.now()));
        Run four = run(Map.of(), "", "for i in 1 2 3 4; do ./panamoe echo $i & done; wait");
        assertThat(four.out().lines().sorted()).containsExactly("echo|1", "echo|2", "echo|3", "echo|4");
        assertThat(four.err().lines().filter("panamoe: building (sources changed)…"::equals))
                .hasSize(1);
        assertThat(root.resolve("calls")).hasContent("call");

        assertThat(run(Map.of(), "", "./panamoe echo").err()).isEmpty();
    }

    @Test
    void noticesADeletedSource() throws Exception {
        Path second = Files.writeString(root.resolve("runtime/core/src/main/java/B.java"), "class B {}");
        isBuilt();
        Files.delete(second);
        assertThat(run(Map.of(), "", "./panamoe echo").err()).isEqualTo("panamoe: building (sources changed)…\n");
    }

    @Test
    void showsTheErrorsOfAFailedBuildAndLeavesNoLock() throws Exception {
        Files.writeString(root.resolve("broken"), "");
        Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(Instant.now()));
        Run run = run(Map.of(), "", "./panamoe echo");
        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .contains("no such thing")
                .contains("the build failed")
                .doesNotContain("noise");
        assertThat(Files.isSymbolicLink(root.resolve("runtime/app/target/panamoe.lock")))
                .isFalse();
    }

    @Test
    void takesAwayTheLockOfADeadProcess() throws Exception {
        Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(Instant.now()));
        Run run = run(
                Map.of(), "", "sleep 0 & dead=$!; wait; ln -s $dead runtime/app/target/panamoe.lock; ./panamoe echo");
        assertThat(run).isEqualTo(new Run(0, "echo\n", "panamoe: building (sources changed)…\n"));
    }

    @Test
    void archivesTheClassesOnceForAllAndAgainAfterABuild() throws Exception {
        deleteArchives();
        Run four = run(Map.of(), "", "for i in 1 2 3 4; do ./panamoe echo $i & done; wait");
        assertThat(four.out().lines().sorted()).containsExactly("echo|1", "echo|2", "echo|3", "echo|4");
        assertThat(four.err()).isEmpty();
        assertThat(root.resolve("trainings")).hasContent("x");
        assertThat(sourceOfMain()).contains("shared objects file");

        Files.setLastModifiedTime(root.resolve("pom.xml"), FileTime.from(Instant.now()));
        run(Map.of(), "", "./panamoe echo");
        assertThat(root.resolve("calls")).hasContent("call");
        assertThat(root.resolve("trainings")).hasContent("xx");
        assertThat(sourceOfMain()).contains("shared objects file");
    }

    @Test
    void doesWithoutAnArchiveThatDoesNotFit() throws Exception {
        run(Map.of(), "", "./panamoe echo");
        for (Path archive : archives()) {
            Files.writeString(archive, "not an archive");
        }
        assertThat(run(Map.of(), "", "./panamoe echo 2>&1 | cat")).isEqualTo(new Run(0, "echo\n", ""));
        assertThat(sourceOfMain()).contains("file:");
        assertThat(archives()).isNotEmpty();
        deleteArchives();
    }

    @Test
    void makesAndUsesNoArchiveOnRequest() throws Exception {
        deleteArchives();
        Run run = run(Map.of("PANAMOE_ARCHIVE", "0", "PANAMOE_DEBUG_LAUNCHER", "1"), "", "./panamoe echo");
        assertThat(run.out()).isEqualTo("echo\n");
        assertThat(run.err()).doesNotContain("SharedArchiveFile");
        assertThat(archives()).isEmpty();
        assertThat(root.resolve("trainings")).doesNotExist();
    }

    private static List<Path> archives() throws IOException {
        try (Stream<Path> files = Files.list(root.resolve("runtime/app/target/panamoe"))) {
            return files.filter(f -> f.toString().endsWith(".jsa")).toList();
        }
    }

    private static void deleteArchives() throws IOException {
        for (Path archive : archives()) {
            Files.delete(archive);
        }
    }

    /// Where the JVM took the program's class from, as it says itself.
    private static String sourceOfMain() throws Exception {
        Map<String, String> log = Map.of("PANAMOE_JAVA_OPTS", "-Xlog:class+load:file=loaded");
        assertThat(run(log, "", "./panamoe echo")).isEqualTo(new Run(0, "echo\n", ""));
        try (Stream<String> lines = Files.lines(root.resolve("loaded"))) {
            return lines.filter(l -> l.contains(" dev.panamoe.cli.Main "))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static int heap(String options) throws Exception {
        Run run = run(Map.of("PANAMOE_JAVA_OPTS", options), "", "./panamoe heap");
        assertThat(run.err()).isEmpty();
        return Integer.parseInt(run.out().strip());
    }

    private static Run run(Map<String, String> environment, String input, String script)
            throws IOException, InterruptedException {
        Path in = Files.writeString(folder.resolve("in"), input);
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", script)
                .directory(root.toFile())
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        // What the JVM announces when it takes options from these would be no part of the test.
        builder.environment()
                .keySet()
                .removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "PANAMOE_JAVA_OPTS", "PANAMOE_ARCHIVE"));
        builder.environment().put("PANAMOE_JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as(script).isTrue();
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static void jar(Path classes, Path file) throws IOException {
        Map<String, Path> entries = new TreeMap<>();
        try (Stream<Path> files = Files.walk(classes)) {
            files.filter(Files::isRegularFile)
                    .forEach(f -> entries.put(classes.relativize(f).toString().replace('\\', '/'), f));
        }
        try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, Path> entry : entries.entrySet()) {
                jar.putNextEntry(new JarEntry(entry.getKey()));
                Files.copy(entry.getValue(), jar);
                jar.closeEntry();
            }
        }
    }
}

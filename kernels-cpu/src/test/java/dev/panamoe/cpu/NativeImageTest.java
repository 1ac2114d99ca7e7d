package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.panamoe.cpu.NativeKernels.Target;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.Os;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The committed images belong to the sources beside them, and give what [PackedOracle] gives: in a C program, by both
/// conventions of x86, and in an emulator of Arm.
///
/// What needs a compiler or an emulator is skipped without it, unless `PANAMOE_REQUIRE_ALL` is set.
class NativeImageTest {
    private static final Path MODULE = Path.of(System.getProperty("panamoe.root"), "kernels-cpu");
    private static final Path SOURCES = MODULE.resolve("src/main/native");
    private static final Path IMAGES = MODULE.resolve("src/main/resources/dev/panamoe/cpu");
    private static final String ARM_GCC = "aarch64-linux-gnu-gcc";

    @TempDir
    static Path folder;

    private static Path calls;

    @BeforeAll
    static void writeCalls() throws IOException {
        calls = folder.resolve("calls");
        try (OutputStream out = Files.newOutputStream(calls)) {
            for (NativeCase c : NativeCase.all()) {
                out.write(c.encoded());
            }
        }
    }

    @Test
    void imagesAndSourcesAreThoseOfTheManifest() throws IOException {
        for (String line : Files.readAllLines(IMAGES.resolve("images.txt"))) {
            String[] words = line.split(" {2}", 2);
            if (words.length == 2 && words[0].length() == 64) {
                Path file = (words[1].endsWith(".bin") ? IMAGES : SOURCES).resolve(words[1]);
                assertThat(sha256(Files.readAllBytes(file)))
                        .as(
                                "%s has changed since the images were built: mvn generate-resources -Pnative"
                                        + " -pl kernels-cpu -am",
                                file)
                        .isEqualTo(words[0]);
            }
        }
        assertThat(Files.readString(IMAGES.resolve("images.txt")))
                .contains("kernels.c", "x86.h", "neon.h", "image.ld", "build.sh")
                .contains(List.of(Target.values()).stream()
                        .map(target -> target.label() + ".bin")
                        .toList());
    }

    /// With other tools than those of the manifest the bytes may differ, and the hashes above have to do.
    @Test
    @Timeout(180)
    void buildingAgainGivesTheSameBytes() throws IOException, InterruptedException {
        requireTools("gcc", ARM_GCC, "objcopy", "sha256sum");
        Path built = folder.resolve("built");
        run(List.of(SOURCES.resolve("build.sh").toString(), built.toString()));
        List<String> here = Files.readAllLines(built.resolve("images.txt"));
        List<String> then = Files.readAllLines(IMAGES.resolve("images.txt"));
        assumeTrue(here.subList(0, 2).equals(then.subList(0, 2)), () -> "other tools: " + here.subList(0, 2));
        assertThat(here).isEqualTo(then);
        for (Target target : Target.values()) {
            assertThat(built.resolve(target.label() + ".bin"))
                    .hasSameBinaryContentAs(IMAGES.resolve(target.label() + ".bin"));
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(180)
    void imagesGiveTheOraclesBitsInACProgram(Target target) throws IOException, InterruptedException {
        boolean arm = target == Target.NEON_DOTPROD;
        boolean onArm = Os.architecture().equals("aarch64");
        boolean emulated = arm && !onArm;
        if (!emulated) {
            assumeTrue(target.lacking(Os.architecture(), CpuInfo.read().flags()).isEmpty(), "not this processor");
        }
        assumeTrue(Os.isLinux());
        String gcc = emulated ? ARM_GCC : "gcc";
        requireTools(emulated ? new String[] {gcc, "qemu-aarch64"} : new String[] {gcc});
        Path program = folder.resolve("check-" + target.label());
        run(List.of(
                gcc,
                "-O1",
                "-static",
                "-Wall",
                MODULE.resolve("src/test/native/check_image.c").toString(),
                "-o",
                program.toString()));
        List<String> command = new ArrayList<>();
        if (emulated) {
            command.addAll(List.of("qemu-aarch64", "-cpu", "max"));
        }
        command.addAll(List.of(
                program.toString(), IMAGES.resolve(target.label() + ".bin").toString(), calls.toString()));
        assertThat(run(command)).contains(" calls, 0 wrong");
    }

    /// Stops the test where a program is missing.
    private static void requireTools(String... names) {
        for (String name : names) {
            boolean there = AVAILABLE.computeIfAbsent(name, NativeImageTest::starts);
            if (System.getenv("PANAMOE_REQUIRE_ALL") != null) {
                assertThat(there).as(name).isTrue();
            }
            assumeTrue(there, name + " is missing");
        }
    }

    private static final Map<String, Boolean> AVAILABLE = new ConcurrentHashMap<>();

    private static boolean starts(String name) {
        try {
            return new ProcessBuilder(name, "--version")
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("%s: %s", command, out).isZero();
        return out;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }
}

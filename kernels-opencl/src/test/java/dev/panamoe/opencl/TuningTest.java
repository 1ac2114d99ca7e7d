package dev.panamoe.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.opencl.ClDevice.Kind;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is chosen, when it is measured and what is kept: with times that are given. That every choice gives the same
/// bits is shown in {@link SameBitsTest}.
class TuningTest {
    private static final Map<QuantType, Long> LARGE = Map.of(QuantType.Q4_0, 1L << 30);

    @TempDir
    Path folder;

    private final ClDevice cpu = ClSurveyTest.device("cpu", Kind.CPU, "550");
    private final ClDevice gpu = ClSurveyTest.device("gpu", Kind.DISCRETE_GPU, "550");

    /// Of products of a configuration; rows are the same for all.
    private ToDoubleFunction<MatvecConfig> seconds = c -> 1;

    private final List<QuantType> measured = new ArrayList<>();
    private final List<String> shown = new ArrayList<>();
    private int open;

    /// As the next start would have it.
    private Tuning tuning(ClDevice device, DeviceOptions.Tuning mode) {
        return tuning(device, mode, new KeptFiles(Optional.of(folder)));
    }

    private Tuning tuning(ClDevice device, DeviceOptions.Tuning mode, KeptFiles files) {
        return new Tuning(device, false, mode, files, new ProgramCache(device, 0, files), format -> {
            measured.add(format.type());
            open++;
            return new Tuning.Probe() {
                @Override
                public double compare(int rows, MatvecConfig now, MatvecConfig other) {
                    return seconds.applyAsDouble(other) / seconds.applyAsDouble(now);
                }

                @Override
                public void close() {
                    open--;
                }
            };
        });
    }

    private List<String> tune(Tuning tuning) {
        return tuning.tune(LARGE, shown::add);
    }

    private static String chosen(Tuning tuning) {
        return tuning.config(QuantType.Q4_0).toString();
    }

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("tuning-Q4_0-"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void theFastestIsTakenAndKept() {
        seconds = c -> c.toString().contains("width 4") ? 0.5 : 1;
        Tuning first = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(chosen(first)).isEqualTo(MatvecConfig.GPU.toString());
        assertThat(tune(first))
                .singleElement()
                .asString()
                .matches(gpu.id() + ": kernels tuned for Q4_0 \\(2\\.00 times as fast\\) in \\d+\\.\\d s \\(kept\\)");
        assertThat(shown).containsExactly(gpu.id() + ": measuring kernels for Q4_0, once for this device…");
        assertThat(chosen(first)).startsWith("width 4 panels 1");
        Tuning next = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(chosen(next)).isEqualTo(chosen(first));
        assertThat(tune(next)).isEmpty();
        assertThat(measured).containsExactly(QuantType.Q4_0);
        assertThat(open).isZero();
        assertThat(chosen(tuning(gpu, DeviceOptions.Tuning.OFF))).isEqualTo(MatvecConfig.GPU.toString());
    }

    /// What is hardly faster may be slower next time.
    @Test
    void littleGainOrAFailureChangesNothing() {
        seconds = c -> c.toString().equals(MatvecConfig.GPU.toString())
                ? 1
                : c.toString().contains("unroll 8") ? 0.98 : Double.POSITIVE_INFINITY;
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(tune(tuning)).singleElement().asString().contains("tuned for Q4_0 in ");
        assertThat(chosen(tuning)).startsWith("width 1 panels 1 runs 1 unroll 4 several 4");
    }

    /// Each candidate seems fast when it is timed first, and is slower than the default afterwards.
    @Test
    void whatSeemedFastByChanceIsNotTaken() {
        Set<String> timed = new HashSet<>();
        seconds = c -> c.toString().equals(MatvecConfig.GPU.toString()) ? 1 : timed.add(c.toString()) ? 0.5 : 1.1;
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(tune(tuning)).singleElement().asString().doesNotContain("fast");
        assertThat(chosen(tuning)).startsWith("width 1 panels 1 runs 1 unroll 4");
    }

    /// Products of `matvec.cl` that take 1 up to 16 rows and 3 from there on, those of `matmul.cl` always 2.
    @Test
    void theLimitBetweenFewAndManyRows() {
        seconds = c -> c.few() == 1 ? 2 : c.few() <= 16 ? 1 : 3;
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        tune(tuning);
        assertThat(tuning.config(QuantType.Q4_0).few()).isEqualTo(16);
        seconds = c -> c.few() == 1 ? 2 : 3;
        Tuning other = tuning(gpu, DeviceOptions.Tuning.AGAIN);
        tune(other);
        assertThat(other.config(QuantType.Q4_0).few()).isEqualTo(4);
    }

    @Test
    void severalRowsAtOnceWhereThatIsFaster() {
        seconds = c -> 1.0 / c.several();
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        tune(tuning);
        assertThat(tuning.config(QuantType.Q4_0).several()).isEqualTo(8);
    }

    @Test
    void onlyWhatMattersIsMeasured() {
        Tuning auto = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(auto.tune(Map.of(QuantType.Q4_0, 1L << 20), shown::add)).isEmpty();
        auto.tune(Map.of(QuantType.Q4_0, 4L << 30, QuantType.Q6_K, 1L << 30, QuantType.F32, 100L << 20), shown::add);
        assertThat(measured).containsExactlyInAnyOrder(QuantType.Q4_0, QuantType.Q6_K);
        tuning(gpu, DeviceOptions.Tuning.AGAIN).tune(Map.of(QuantType.F16, 1L << 20), shown::add);
        assertThat(measured).contains(QuantType.F16);
    }

    @Test
    void cpusAreMeasuredWhereTheUserSaysSo() {
        seconds = c -> c.toString().contains("runs 8") ? 0.5 : 1;
        assertThat(tune(tuning(cpu, DeviceOptions.Tuning.AUTO))).isEmpty();
        assertThat(tune(tuning(cpu, DeviceOptions.Tuning.OFF))).isEmpty();
        assertThat(measured).isEmpty();
        tune(tuning(cpu, DeviceOptions.Tuning.AGAIN));
        tune(tuning(cpu, DeviceOptions.Tuning.AGAIN));
        assertThat(measured).hasSize(2);
        assertThat(chosen(tuning(cpu, DeviceOptions.Tuning.AUTO))).startsWith("width 16 panels 1 runs 8");
    }

    @Test
    void withoutAPlaceToKeepItNothingIsMeasuredUnasked() {
        KeptFiles none = new KeptFiles(Optional.empty());
        assertThat(tune(tuning(gpu, DeviceOptions.Tuning.AUTO, none))).isEmpty();
        assertThat(tune(tuning(gpu, DeviceOptions.Tuning.AGAIN, none)))
                .singleElement()
                .asString()
                .doesNotContain("kept");
    }

    @Test
    void aDamagedFileIsNone() throws IOException {
        seconds = c -> c.toString().contains("width 4") ? 0.5 : 1;
        tune(tuning(gpu, DeviceOptions.Tuning.AUTO));
        Path file = file();
        byte[] good = Files.readAllBytes(file);
        byte[] bad = good.clone();
        bad[bad.length - 1] ^= 1;
        Files.write(file, bad);
        assertThat(chosen(tuning(gpu, DeviceOptions.Tuning.AUTO))).isEqualTo(MatvecConfig.GPU.toString());
        tune(tuning(gpu, DeviceOptions.Tuning.AUTO));
        assertThat(measured).hasSize(2);
        assertThat(Files.readAllBytes(file)).isEqualTo(good);
    }

    /// A sound file with what no kernel can be compiled with, as another version might write it.
    @Test
    void aForeignTextIsNone() throws IOException {
        tune(tuning(gpu, DeviceOptions.Tuning.AUTO));
        Path file = file();
        byte[] key = Arrays.copyOfRange(Files.readAllBytes(file), 8, 40);
        for (String text : List.of(
                "",
                "anything",
                "width 3 panels 1 runs 1 unroll 4 several 4 few 8",
                "width 1 panels 1 runs 3 unroll 4 several 4 few 8",
                "width 1 panels 1 runs 0 unroll 4 several 4 few 8",
                "width 1 panels 0 runs 1 unroll 4 several 4 few 8",
                "width 1 panels 2 runs 1 unroll 4 several 4 few 8",
                "width 16 panels 8 runs 1 unroll 4 several 8 few 8",
                "width 1 panels 1 runs 1 unroll 4 several 9 few 8",
                "width 1 panels 1 runs 1 unroll 4 several 4 few 0",
                "width 1 panels 1 runs 1 unroll 4 several 4 few 8 more 1")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            byte[] header = KeptFiles.header(key, bytes);
            byte[] all = Arrays.copyOf(header, header.length + bytes.length);
            System.arraycopy(bytes, 0, all, header.length, bytes.length);
            Files.write(file, all);
            assertThat(chosen(tuning(gpu, DeviceOptions.Tuning.AUTO))).as(text).isEqualTo(MatvecConfig.GPU.toString());
        }
    }

    @Test
    void everyCandidateCanBeKept() {
        for (ClDevice device : List.of(cpu, gpu)) {
            for (boolean integers : new boolean[] {false, true}) {
                for (MatvecConfig c : MatvecConfig.candidates(device, integers)) {
                    MatvecConfig more = c.withSeveral(8).withFew(32);
                    assertThat(MatvecConfig.parse(more.toString()).orElseThrow())
                            .hasToString(more.toString());
                    assertThat(c)
                            .doesNotHaveToString(
                                    MatvecConfig.byDefault(device, integers).toString());
                }
            }
        }
    }

    @Test
    void anotherDriverIsMeasuredAnew() {
        tune(tuning(gpu, DeviceOptions.Tuning.AUTO));
        tune(tuning(ClSurveyTest.device("gpu", Kind.DISCRETE_GPU, "550.1"), DeviceOptions.Tuning.AUTO));
        assertThat(measured).hasSize(2);
    }

    /// Otherwise every start would take the time.
    @Test
    void whatCannotBeKeptIsNotMeasured() throws Exception {
        Path noFolder = Files.writeString(folder.resolve("file"), "");
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO, new KeptFiles(Optional.of(noFolder)));
        assertThat(tune(tuning)).isEmpty();
        assertThat(measured).isEmpty();
    }

    /// A device that a candidate makes useless is not asked again at the next start.
    @Test
    void aLostDevice() {
        seconds = c -> {
            throw new DeviceLostException("gone");
        };
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThatThrownBy(() -> tune(tuning)).isInstanceOf(DeviceLostException.class);
        assertThat(open).isZero();
        Tuning next = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(tune(next)).isEmpty();
        assertThat(chosen(next)).isEqualTo(MatvecConfig.GPU.toString());
    }

    @Test
    void memoryThatIsShort() {
        seconds = c -> {
            throw new PanamoeException("too little memory");
        };
        Tuning tuning = tuning(gpu, DeviceOptions.Tuning.AUTO);
        assertThat(tune(tuning)).containsExactly(gpu.id() + ": not tuned for Q4_0: too little memory");
        assertThat(chosen(tuning)).isEqualTo(MatvecConfig.GPU.toString());
    }

    /// On this device, with few weights: it computes, it is told apart, and everything is given back.
    @Test
    void productsAreTimed() {
        ClDevice device = OpenClHere.device();
        DeviceOptions options = DeviceOptions.DEFAULT.withTuning(DeviceOptions.Tuning.OFF);
        try (OpenClDevice d = new OpenClDevice(device.info(), device, options)) {
            long free = d.freeMemory();
            try (ProductsProbe probe = d.probe(PackedFormat.of(QuantType.Q4_0).orElseThrow(), 1)) {
                MatvecConfig now = MatvecConfig.parse("width 8 panels 1 runs 8 unroll 1 several 4 few 32")
                        .orElseThrow();
                assertThat(probe.compare(1, now, now)).isBetween(0.01, 100.0);
                assertThat(probe.compare(8, now, now.withFew(1))).isBetween(0.001, 1000.0);
                // An array of a negative size does not compile.
                assertThat(probe.compare(8, now, now.withSeveral(-1))).isInfinite();
                // Three runs at a time are six of eight, so that two are missing in every sum.
                assertThat(probe.compare(1, now, now.with(8, 1, 3, 1))).isInfinite();
                // Everything that products write is looked at, and nothing else.
                for (int rows : new int[] {1, 3}) {
                    assertThat(probe.results(rows, now))
                            .hasSize(rows == 1 ? 4 : 2)
                            .allSatisfy(r -> assertThat(r).doesNotContain(Float.NaN));
                }
            }
            assertThat(d.freeMemory()).isEqualTo(free);
        }
    }
}

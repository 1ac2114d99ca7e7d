package dev.panamoe.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.panamoe.engine.Backends;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What `bench` prints and writes. How fast anything is, is nobody's business here.
class BenchCommandTest {
    private static final List<String> TINY = List.of("bench", "-r", "2", "--warm-up", "0");

    private static final String CEILINGS = "reads [\\d.]+ GB/s, multiply-adds of f32 [\\d.]+ [GT]FLOP/s";
    private static final String INTEGERS = ", of 8-bit integers [\\d.]+ [GT]OP/s";
    private static final String HELD_AGAINST_FLOATS =
            "cpu: products are of 8-bit integers, and pp is held against multiply-adds of f32";

    @TempDir
    Path folder;

    private static Cli.Result tiny(String... args) {
        return Cli.run(Cli.args(TINY, args));
    }

    /// Whether the kernels that are chosen here are native code, whose integers have a ceiling.
    private static boolean isNative() {
        try (Device device = Backends.choose("cpu").open(DeviceOptions.DEFAULT)) {
            return !device.kernels().equals("vector");
        }
    }

    private static void isDone(Cli.Result result) {
        assertThat(result.code()).as(result.err()).isZero();
    }

    @Test
    void theTableHasALineForEachTest() {
        Cli.Result result = tiny("-p", "3,5", "-n", "2", "--depth", "0,4", "--threads", "1");
        isDone(result);
        List<String> lines = result.out().lines().toList();
        assertThat(lines.getFirst())
                .matches("model +type +size +params +backend +threads +test +t/s +min +max +reached +of ceiling");
        assertThat(lines.subList(1, 7))
                .allSatisfy(line -> assertThat(line)
                        .matches(
                                "demo:gemma4 +Q8_0 +5\\.4 MiB +5\\.18 M +cpu [\\w-]+ +1 +(pp|tg)\\d( @ d4)? +[\\d.]+ +[\\d.]+"
                                        + " +[\\d.]+ +[\\d.]+ (GB/s|GFLOP/s) +\\d+ %"));
        String order = String.join(" ", lines.subList(1, 7));
        assertThat(order).containsSubsequence("pp3", "pp5", "tg2", "pp3 @ d4", "pp5 @ d4", "tg2 @ d4");
        assertThat(lines.get(7)).isEmpty();
        assertThat(lines.get(8)).matches("cpu, 1 thread: " + CEILINGS + (isNative() ? INTEGERS : ""));
        assertThat(lines.subList(9, lines.size())).isEqualTo(isNative() ? List.of() : List.of(HELD_AGAINST_FLOATS));
        assertThat(result.err()).contains("demo:gemma4, cpu: parity with the reference: at most ");
    }

    /// Kernels of the Vector API multiply floats, and their integers have no ceiling.
    @Test
    void kernelsHaveCeilingsOfTheirOwn() {
        String[] args = {"-q", "-p", "2", "-n", "none", "--threads", "1", "--no-parity", "--cpu-kernels"};
        Cli.Result vector = tiny(Cli.args(List.of(args), "vector"));
        isDone(vector);
        assertThat(vector.out())
                .containsPattern("\ncpu, 1 thread: " + CEILINGS + "\n")
                .contains("\n" + HELD_AGAINST_FLOATS + "\n");
        Cli.Result floats = tiny(Cli.args(List.of(args), "vector", "--activations", "f32"));
        isDone(floats);
        assertThat(floats.out()).doesNotContain("8-bit");
        Assumptions.assumeTrue(isNative());
        Cli.Result both = tiny(Cli.args(List.of(args), "auto,vector"));
        isDone(both);
        assertThat(both.out())
                .containsPattern("\ncpu [\\w-]+, 1 thread: " + CEILINGS + INTEGERS + "\n")
                .containsPattern("\ncpu vector, 1 thread: " + CEILINGS + "\n");
        assertThat(list(tiny(Cli.args(List.of(args), "auto,vector", "--json"))
                        .json()
                        .get("machine")
                        .get("ceilings")))
                .extracting(c -> c.has("int8_ops_per_second"))
                .containsExactly(true, false);
    }

    @Test
    void jsonForPrograms() {
        Cli.Result result =
                tiny("-q", "-p", "6", "-n", "2", "--depth", "3", "--threads", "1,2", "--json", "--backend", "cpu");
        isDone(result);
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).hasLineCount(1);
        JsonNode json = result.json();
        List<JsonNode> rows = list(json.get("results"));
        assertThat(rows).extracting(r -> r.get("test").asString()).containsExactly("pp6", "tg2", "pp6", "tg2");
        assertThat(rows).extracting(r -> r.get("threads").asInt()).containsExactly(1, 1, 2, 2);
        for (JsonNode row : rows) {
            assertThat(row.get("model").asString()).isEqualTo("demo:gemma4");
            assertThat(row.get("architecture").asString()).isEqualTo("gemma4");
            assertThat(row.get("type").asString()).isEqualTo("Q8_0");
            assertThat(row.get("backend").asString()).isEqualTo("cpu");
            assertThat(row.get("depth").asInt()).isEqualTo(3);
            assertThat(row.get("parity").get("status").asString()).isEqualTo("ok");
            assertThat(row.get("parity").get("difference").asDouble())
                    .isPositive()
                    .isLessThan(row.get("parity").get("bound").asDouble());
            JsonNode rate = row.get("tokens_per_second");
            double least = rate.get("min").asDouble();
            double most = rate.get("max").asDouble();
            assertThat(least).isPositive().isLessThanOrEqualTo(most);
            assertThat(rate.get("median").asDouble()).isCloseTo((least + most) / 2, within(1e-6 * most));
            assertThat(list(rate.get("samples"))).hasSize(2);
            JsonNode ceiling = row.get("ceiling");
            double reached = row.get(ceiling.get("of").asString()).asDouble();
            assertThat(ceiling.get("share").asDouble())
                    .isCloseTo(reached / ceiling.get("per_second").asDouble(), within(1e-9));
        }
        // What a test does depends neither on its speed nor on the number of threads.
        assertThat(perToken(rows.get(2), "bytes_per_second"))
                .isCloseTo(perToken(rows.get(0), "bytes_per_second"), within(1e-3));
        assertThat(perToken(rows.get(3), "flops_per_second"))
                .isCloseTo(perToken(rows.get(1), "flops_per_second"), within(1e-3));
        JsonNode machine = json.get("machine");
        assertThat(machine.get("cores").asInt()).isPositive();
        assertThat(machine.get("java").asString()).isEqualTo(Runtime.version().toString());
        List<JsonNode> ceilings = list(machine.get("ceilings"));
        assertThat(ceilings).extracting(c -> c.get("threads").asInt()).containsExactly(1, 2);
        assertThat(ceilings)
                .extracting(c -> c.get("read_bytes_per_second").size())
                .containsExactly(1, 2);
    }

    private static double perToken(JsonNode row, String rate) {
        return row.get(rate).asDouble()
                / row.get("tokens_per_second").get("median").asDouble();
    }

    private static List<JsonNode> list(JsonNode array) {
        List<JsonNode> all = new ArrayList<>();
        array.forEach(all::add);
        return all;
    }

    @Test
    void commaSeparatedValues() throws IOException {
        Path odd = folder.resolve("a, \"b\".gguf");
        Files.copy(Path.of(Cli.fixture("gemma4-moe")).resolve("model-q4_0.gguf"), odd);
        Cli.Result result = tiny("-q", "--csv", "-p", "2", "-n", "none", "--no-parity", "--model", odd.toString());
        isDone(result);
        List<String> lines = result.out().lines().toList();
        assertThat(lines).hasSize(2);
        int columns = lines.getFirst().split(",").length;
        String name = "\"" + odd.toString().replace("\"", "\"\"") + "\"";
        assertThat(lines.get(1)).startsWith(name + ",gemma4,Q4_0,").endsWith(",not checked");
        assertThat(lines.get(1).substring(name.length()).split(","))
                .hasSize(columns)
                .contains("pp2");
    }

    @Test
    void markdownAndWhatWasNotChecked() {
        Cli.Result result =
                tiny("-q", "--markdown", "-p", "none", "-n", "1", "--no-parity", "--model", "demo:deepseek");
        isDone(result);
        List<String> lines = result.out().lines().toList();
        assertThat(lines.get(0)).startsWith("| model | type | size | params |").endsWith("| of ceiling |");
        assertThat(lines.get(1)).matches("\\|( :--- \\| ?| ---: \\| ?)+");
        assertThat(lines.get(2)).startsWith("| demo:deepseek | ").contains(" | tg1 | ");
        int cells = lines.getFirst().split("\\|").length;
        assertThat(lines.subList(0, 3))
                .allSatisfy(line -> assertThat(line.split("\\|")).hasSize(cells));
        assertThat(lines.getLast()).isEqualTo("parity was not checked");
    }

    @Test
    void aPromptLongerThanAPassIsPassedInChunksAndThatIsSaid() {
        Cli.Result result = tiny("-q", "-p", "600", "-n", "none", "--no-parity");
        isDone(result);
        assertThat(result.out()).contains("demo:gemma4: prompts are passed in chunks of at most 512 tokens\n");
    }

    @Test
    void severalModelsInTurn() {
        Cli.Result result = tiny(
                "-q", "--json", "-p", "2", "-n", "none", "-m", "demo:deepseek", "-m", "demo:gemma4", "--no-parity");
        isDone(result);
        assertThat(list(result.json().get("results")))
                .extracting(r -> r.get("architecture").asString())
                .containsExactly("deepseek2", "gemma4");
        assertThat(list(result.json().get("results")))
                .extracting(r -> r.get("parity").get("status").asString())
                .containsOnly("not checked");
    }

    @Test
    void aProfileOfEachTest() {
        Cli.Result result = tiny("-q", "--profile", "-p", "4", "-n", "3");
        isDone(result);
        assertThat(result.out())
                .contains("prompt: 1 pass of 4 tokens, ", "generation: 3 passes of 1 token, ")
                .containsPattern("operation +calls +ms a pass +share +MB a pass +GB/s +GFLOP/s +of ceiling")
                .containsPattern("\n  attn_q\\+attn_k\\+attn_v +\\d+ +[\\d.]+ +[\\d.]+ % ")
                .containsPattern("\n  experts +18 +")
                .containsPattern("\n  output +3 +")
                .contains("(between operations)");
        JsonNode json =
                tiny("-q", "--json", "--profile", "-p", "4", "-n", "none").json();
        JsonNode phase = json.get("results").get(0).get("profile").get(0);
        assertThat(phase.get("phase").asString()).isEqualTo("prompt");
        double shares = 0;
        double last = Double.MAX_VALUE;
        for (JsonNode o : phase.get("operations")) {
            shares += o.get("share").asDouble();
            assertThat(o.get("seconds").asDouble()).isLessThanOrEqualTo(last);
            last = o.get("seconds").asDouble();
        }
        assertThat(shares).isLessThanOrEqualTo(1 + 1e-9);
    }

    @Test
    void aProfileOfAnAnswerBesideIt() {
        Cli.Result result = Cli.run("run", "--raw", "--temp", "0", "-n", "4", "--profile", "What is");
        isDone(result);
        Cli.Result plain = Cli.run("run", "-q", "--raw", "--temp", "0", "-n", "4", "What is");
        assertThat(result.out()).isEqualTo(plain.out());
        assertThat(result.err()).contains("prompt: 1 pass of ", "generation: 3 passes of 1 token, ", "attn_output");
        JsonNode json = Cli.run("run", "-q", "--json", "--raw", "-n", "2", "--profile", "What is")
                .json();
        assertThat(list(json.get("profile")))
                .extracting(p -> p.get("phase").asString())
                .containsExactly("prompt", "generation");
    }

    @Test
    void ceilingsAlone() {
        Cli.Result result = Cli.run("bench", "--ceilings", "--threads", "2");
        isDone(result);
        String reads = "  reads with 1 thread: [\\d.]+ GB/s\n";
        assertThat(result.out()).matches("cpu, 2 threads: " + CEILINGS + (isNative() ? INTEGERS : "") + "\n" + reads);
        assertThat(Cli.run("bench", "--ceilings", "--threads", "2", "--cpu-kernels", "vector")
                        .out())
                .matches("cpu, 2 threads: " + CEILINGS + "\n" + reads);
        assertThat(Cli.run("bench", "--ceilings", "--backend", "reference").out())
                .contains("reference, ", "this device cannot measure what it can do");
        JsonNode json =
                Cli.run("bench", "--ceilings", "--threads", "1", "--json").json();
        assertThat(json.get("machine")
                        .get("ceilings")
                        .get(0)
                        .get("flops_per_second")
                        .asDouble())
                .isPositive();
    }

    /// A backend whose logits are wrong is marked and not timed; others are.
    @Test
    void aBackendThatFailsParityIsNotTimed() throws Exception {
        try (FaultyBackends.Offered _ = new FaultyBackends.Offered(folder, WrongProvider.class)) {
            String[] both = {"-p", "2", "-n", "none", "--backend", "wrong,cpu"};
            Cli.Result result = tiny(both);
            assertThat(result.code()).isEqualTo(ExitCode.FAILED);
            assertThat(result.out())
                    .containsPattern("demo:gemma4 .* wrong +\\d+ +pp2 +FAILED parity\n")
                    .containsPattern("demo:gemma4 .* cpu [\\w-]+ +\\d+ +pp2 +[\\d.]+ ");
            assertThat(result.err()).contains("demo:gemma4, wrong: FAILED parity with the reference");
            assertThat(result.errLines().getLast())
                    .isEqualTo("panamoe: wrong with demo:gemma4: it does not compute what the reference does, so"
                            + " nothing was timed; see 'panamoe verify'");

            JsonNode json = tiny(Stream.concat(Arrays.stream(both), Stream.of("--json", "-q"))
                            .toArray(String[]::new))
                    .json();
            JsonNode wrong = json.get("results").get(0);
            assertThat(wrong.get("parity").get("status").asString()).isEqualTo("FAILED");
            assertThat(wrong.get("tokens_per_second").isNull()).isTrue();
            assertThat(json.get("results").get(1).get("parity").get("status").asString())
                    .isEqualTo("ok");

            Cli.Result csv = tiny(
                    Stream.concat(Arrays.stream(both), Stream.of("--csv", "-q")).toArray(String[]::new));
            assertThat(csv.out()).containsPattern("wrong,,\\d+,pp2,0,0,,,,,,,FAILED\n");
        }
    }

    @Test
    void aReportNeedsNothingButItself() throws Exception {
        Path report = folder.resolve("report.html");
        isDone(tiny("-q", "--profile", "-p", "4", "-n", "2", "--report", report.toString()));
        String page = Files.readString(report);
        assertThat(page).contains("Chart.js v").doesNotContain("{{").doesNotContainPattern("(src|href)=");
        String data = page.replaceAll("(?s).*<script type=\"application/json\" id=\"data\">(.*?)</script>.*", "$1");
        assertThat(Cli.JSON.readTree(data).get("results")).hasSize(2);
        String dom = dom(report);
        assertThat(dom)
                .contains("<td>demo:gemma4</td>", ">pp4</td>", ">tg2</td>", "Roofline", "Time per operation")
                .containsPattern("<td[^>]*>ffn_down</td>");
        assertThat(dom.split("<canvas")).as("plots").hasSize(5);
        // A canvas that the library has drawn on has got a size from it.
        assertThat(dom).containsPattern("<canvas[^>]* width=\"[1-9]\\d+\"");
    }

    /// What a browser makes of the page, if there is one.
    private String dom(Path page) throws IOException, InterruptedException {
        Path browser = Stream.of("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(Path.of(""));
        if (System.getenv("PANAMOE_REQUIRE_ALL") == null) {
            Assumptions.assumeFalse(browser.toString().isEmpty(), "no Chromium here");
        }
        Path out = folder.resolve("dom.html");
        Process process = new ProcessBuilder(
                        browser.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--user-data-dir=" + folder.resolve("profile"),
                        "--virtual-time-budget=5000",
                        "--dump-dom",
                        page.toUri().toString())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("Chromium ends").isTrue();
        return Files.readString(out);
    }
}

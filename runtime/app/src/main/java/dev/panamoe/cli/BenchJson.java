package dev.panamoe.cli;

import dev.panamoe.cli.BenchResult.Setting;
import dev.panamoe.cli.BenchResult.Timing;
import dev.panamoe.cli.BenchRunner.Place;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MemoryInfo;
import dev.panamoe.spi.Ceilings;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Results of a benchmark for programs.
final class BenchJson {
    private BenchJson() {}

    static ObjectNode describe(List<BenchResult> results, Map<Place, Optional<Ceilings>> ceilings, double load)
            throws IOException {
        ObjectNode object = Json.object();
        ArrayNode array = object.putArray("results");
        results.forEach(r -> describe(array.addObject(), r));
        object.set("machine", machine(ceilings, load));
        return object;
    }

    private static void describe(ObjectNode object, BenchResult r) {
        Setting setting = r.setting();
        BenchModel model = setting.model();
        object.put("test", r.test().name())
                .put("model", model.source())
                .put("architecture", model.architecture())
                .put("type", model.type().name())
                .put("size_bytes", model.bytes())
                .put("parameters", model.parameters())
                .put("backend", setting.device())
                .put("kernels", setting.kernels())
                .put("threads", setting.threads())
                .put("depth", r.test().depth())
                .put(
                        "rows_per_pass",
                        r.test().generation()
                                ? 1
                                : Math.min(setting.rows(), r.test().tokens()))
                .put("arithmetic", EnumConverter.label(setting.arithmetic()));
        if (r.timing().isPresent()) {
            timing(object, r, r.timing().get());
        } else {
            object.putNull("tokens_per_second");
        }
        ObjectNode parity = object.putObject("parity");
        if (setting.parity().isPresent()) {
            // JSON has no number that is none; strings are what is left for NaN and infinities.
            double difference = setting.parity().get().difference();
            parity.put("status", setting.failed() ? "FAILED" : "ok");
            if (Double.isFinite(difference)) {
                parity.put("difference", difference);
            } else {
                parity.put("difference", String.valueOf(difference));
            }
            parity.put("where", setting.parity().get().where());
            parity.put("bound", setting.parity().get().bound());
        } else {
            parity.put("status", "not checked");
        }
    }

    private static void timing(ObjectNode object, BenchResult r, Timing t) {
        ArrayNode samples = object.putObject("tokens_per_second")
                .put("median", t.median())
                .put("min", t.min())
                .put("max", t.max())
                .putArray("samples");
        t.samples().forEach(samples::add);
        object.put("bytes_per_second", r.bytesPerSecond(t)).put("flops_per_second", r.flopsPerSecond(t));
        r.ceiling()
                .ifPresent(c -> object.putObject("ceiling")
                        .put("of", r.test().generation() ? "bytes_per_second" : "flops_per_second")
                        .put("per_second", c)
                        .put("share", r.achieved(t) / c));
        t.profile()
                .ifPresent(p -> new ProfileTable(
                                r.setting().ceilings(), r.setting().arithmetic())
                        .describe(object.putArray("profile"), p));
    }

    /// @param load average of the system when the benchmark began; negative where it does not tell
    static ObjectNode machine(Map<Place, Optional<Ceilings>> ceilings, double load) throws IOException {
        CpuInfo cpu = CpuInfo.read();
        ObjectNode object = Json.object()
                .put("cpu", cpu.model())
                .put("cores", cpu.physical())
                .put("performance_cores", cpu.performance())
                .put("cpus", cpu.logical());
        MemoryInfo.read().usableTotal().ifPresent(bytes -> object.put("memory_bytes", bytes));
        object.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"))
                .put("arch", System.getProperty("os.arch"))
                .put("java", Runtime.version().toString())
                .put("vm", System.getProperty("java.vm.name"))
                .put("heap_bytes", Runtime.getRuntime().maxMemory())
                .put("panamoe", Version.number())
                .put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        if (load >= 0) {
            object.put("load_average", load);
        }
        ArrayNode array = object.putArray("ceilings");
        ceilings.forEach((place, measured) -> measured.ifPresent(c -> {
            ObjectNode entry = array.addObject()
                    .put("backend", place.device())
                    .put("kernels", place.kernels())
                    .put("threads", place.threads());
            ArrayNode read = entry.putArray("read_bytes_per_second");
            c.readBytesPerSecond().forEach(read::add);
            entry.put("flops_per_second", c.flops());
            c.int8Ops().ifPresent(ops -> entry.put("int8_ops_per_second", ops));
        }));
        return object;
    }

    /// What the system says of the minute before; negative where it does not.
    static double load() {
        return ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
    }
}

package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.chat.ChatFormat;
import dev.panamoe.chat.Dialect;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.Printable;
import dev.panamoe.model.Caches;
import dev.panamoe.model.MemoryPlan;
import dev.panamoe.model.Model;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe.Unusable;
import dev.panamoe.spi.Probe.Usable;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// Whether a model file runs here, and if not, everything that is missing: what {@link Engine#open} would stumble over
/// one after the other. Nothing is loaded.
///
/// ```java
/// try (ModelFile model = ModelFile.inspect("model.gguf")) {
///     Inspection.of(model.file(), EngineOptions.DEFAULT).missing().forEach(System.out::println);
/// }
/// ```
public final class Inspection {
    private static final int NAMES_SHOWN = 3;
    private static final String ALL_SUPPORTED = "all supported";

    private final GgufFile file;
    private final EngineOptions options;
    private final List<String> missing = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, String> findings = new LinkedHashMap<>();

    private Optional<DeviceInfo> device = Optional.empty();
    private Optional<Memory> memory = Optional.empty();

    /// The memory that running a model takes, in bytes.
    ///
    /// @param context positions of a session
    /// @param weights tensors of the file; mapped, so they count only as far as they are read
    /// @param derived weights computed at load
    /// @param caches keys and values of one session
    /// @param scratch intermediates of a forward pass
    /// @param free what the device can still give, for all but the weights
    public record Memory(
            int context, CacheType cacheType, long weights, long derived, long caches, long scratch, long free) {
        public long total() {
            return weights + derived + caches + scratch;
        }
    }

    private Inspection(GgufFile file, EngineOptions options) {
        this.file = file;
        this.options = options;
    }

    /// @param file as {@link ModelFile#inspect} opens it; used during the call only
    /// @param options as the model would be opened with
    public static Inspection of(GgufFile file, EngineOptions options) {
        Inspection inspection = new Inspection(file, options);
        inspection.inspect();
        return inspection;
    }

    /// Whether {@link Engine#open} and a session of the whole context would succeed, as things are now.
    public boolean runs() {
        return missing.isEmpty();
    }

    /// What keeps the model from running, one line each with what can be done about it.
    public List<String> missing() {
        return List.copyOf(missing);
    }

    /// What does not keep the model from running, but is good to know, one line each.
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /// What was looked at and how it is, by a name for people: the architecture, the tokenizer, the chat template, the
    /// weights on each backend.
    public Map<String, String> findings() {
        return new LinkedHashMap<>(findings);
    }

    /// What the model would run on; empty when the backend asked for cannot be used.
    public Optional<DeviceInfo> device() {
        return device;
    }

    /// Empty when not even the architecture is understood, or there is no device.
    public Optional<Memory> memory() {
        return memory;
    }

    private void inspect() {
        file.faults().forEach(this::lacks);
        Optional<ModelSpec> spec = architecture();
        boolean cacheable = spec.flatMap(this::cacheType).isPresent();
        tokenizer(spec);
        chatTemplate();
        weights(spec, cacheable);
    }

    private Optional<ModelSpec> architecture() {
        boolean empty = file.tensors().isEmpty();
        if (file.faults().isEmpty() && empty) {
            lacks(Engine.NO_WEIGHTS);
        }
        boolean whole = file.faults().isEmpty() && !empty;
        // What is no model, or not the first part of one, need not name an architecture.
        if (!whole && !file.metadata().has("general.architecture")) {
            return Optional.empty();
        }
        return attempt("architecture", () -> {
                    Architectures.requireKnown(file);
                    findings.put("architecture", text("general.architecture"));
                    return whole ? Optional.of(Architectures.read(file)) : Optional.<ModelSpec>empty();
                })
                .flatMap(spec -> spec);
    }

    private Optional<CacheType> cacheType(ModelSpec spec) {
        return attempt("keys and values", () -> {
            Caches.check(file, spec, options.cacheType());
            return options.cacheType();
        });
    }

    private void tokenizer(Optional<ModelSpec> spec) {
        if (spec.isEmpty() && !file.metadata().has("tokenizer.ggml.model")) {
            return;
        }
        attempt("tokenizer", () -> Tokenizer.of(file.metadata())).ifPresent(tokenizer -> {
            Tokenizer.doubt(file.metadata()).ifPresent(notes::add);
            String pre = text("tokenizer.ggml.pre");
            findings.put(
                    "tokenizer",
                    text("tokenizer.ggml.model") + (pre.isEmpty() ? "" : ", " + pre) + ", " + tokenizer.size()
                            + " tokens");
            String families = Dialect.of(tokenizer).families().stream()
                    .map(Dialect.Family::title)
                    .collect(Collectors.joining("; "));
            findings.put("calls of tools", families.isEmpty() ? "no known way to write them" : "as in " + families);
            spec.ifPresent(s -> attempt("vocabulary", () -> {
                Engine.checkVocabulary(file, tokenizer, s);
                return s;
            }));
        });
    }

    /// A model without a template that can be read still continues texts.
    private void chatTemplate() {
        if (!file.metadata().has("tokenizer.ggml.model")) {
            return; // no first part, or no model
        }
        try {
            Optional<String> source = file.metadata().findString("tokenizer.chat_template");
            if (source.isPresent()) {
                ChatFormat.of(file.name(), source, "", "");
            }
            findings.put("chat template", source.isPresent() ? "can be read" : "none; only --raw works");
        } catch (PanamoeException e) {
            String problem = withoutName(e);
            findings.put("chat template", problem);
            notes.add(problem);
        }
    }

    /// The weights on every backend that is usable here, and the memory on the one that would run.
    ///
    /// @param cacheable whether keys and values can be stored as asked for
    private void weights(Optional<ModelSpec> spec, boolean cacheable) {
        device = attempt("backend", () -> Backends.choose(options.backend()).device());
        if (file.tensors().isEmpty()) {
            return;
        }
        List<String> others = new ArrayList<>();
        for (Backends.Found found : Backends.survey()) {
            switch (found.probe()) {
                case Unusable u -> findings.put(found.name(), "not usable: " + u.reason());
                case Usable u -> {
                    Optional<DeviceInfo> chosen = device.filter(u.devices()::contains);
                    DeviceInfo info = chosen.orElse(u.devices().getFirst());
                    boolean good = weights(found, info, spec, chosen.isPresent(), cacheable);
                    if (good && chosen.isEmpty()) {
                        others.add(info.id());
                    }
                }
            }
        }
        boolean lacking = device.isPresent()
                && !findings.getOrDefault("weights on " + device.get().id(), "").equals(ALL_SUPPORTED);
        if (spec.isPresent() && lacking && !others.isEmpty()) {
            notes.add("every weight is supported by --backend " + String.join(", ", others));
        }
    }

    /// Whether all weights are supported.
    private boolean weights(
            Backends.Found found, DeviceInfo info, Optional<ModelSpec> spec, boolean chosen, boolean cacheable) {
        List<String> faults;
        try (Device opened = found.provider().open(info, new DeviceOptions(options.threads()))) {
            faults = spec.map(s -> Model.faults(file, s, opened)).orElseGet(() -> unsupported(opened));
            if (chosen && cacheable) {
                spec.ifPresent(s -> memory(s, opened));
            }
        } catch (PanamoeException e) {
            faults = List.of(withoutName(e));
        } catch (ArithmeticException e) {
            faults = List.of("the sizes in the metadata fit no memory; the file is damaged, or --ctx is too large");
        }
        if (chosen) {
            faults.forEach(this::lacks);
        }
        findings.put("weights on " + info.id(), faults.isEmpty() ? ALL_SUPPORTED : String.join("; ", faults));
        return faults.isEmpty();
    }

    /// Types that the device has no operation for. What the tensors are used for, only an architecture knows.
    private List<String> unsupported(Device opened) {
        Map<QuantType, List<String>> names = new TreeMap<>();
        for (TensorView t : file.tensors().values()) {
            if (Arrays.stream(WeightUse.values()).noneMatch(use -> opened.supports(use, t.type()))) {
                names.computeIfAbsent(t.type(), k -> new ArrayList<>()).add(Printable.escape(t.name()));
            }
        }
        List<String> lines = new ArrayList<>();
        names.forEach((type, tensors) -> lines.add(opened.info().id() + " does not support " + type + " ("
                + String.join(", ", tensors.subList(0, Math.min(NAMES_SHOWN, tensors.size())))
                + (tensors.size() > NAMES_SHOWN ? " and " + (tensors.size() - NAMES_SHOWN) + " more" : "")
                + "); use another quantisation of the model, for example Q4_0, Q4_K or Q8_0"));
        return lines;
    }

    private void memory(ModelSpec spec, Device opened) {
        int context = Engine.contextLength(spec, options);
        MemoryPlan plan = Engine.plan(file, spec, options);
        long free = opened.freeMemory();
        memory = Optional.of(new Memory(
                context, options.cacheType(), plan.weights(), plan.derived(), plan.caches(), plan.scratch(), free));
        long left = free - plan.derived();
        Optional<String> shortage = MemoryPlan.derivedShortage(spec, opened, free)
                .or(() -> MemoryPlan.cacheShortage(
                        spec, context, options.cacheType(), Engine.rowsFor(spec), opened, left));
        if (shortage.isPresent()) {
            lacks(shortage.get());
        } else if (plan.weights() > left - plan.caches()) {
            notes.add("the weights take " + mib(plan.weights()) + " MiB, but only " + mib(left - plan.caches())
                    + " MiB are free beside the rest on " + opened.info().id()
                    + "; what does not fit is read from the file again and again, which is slow");
        }
        if (context > spec.contextLength()) {
            notes.add("the model was trained for " + spec.contextLength() + " positions, --ctx asks for " + context);
        }
    }

    private static long mib(long bytes) {
        return bytes >> 20;
    }

    /// A step whose failure is something that is missing.
    private <T> Optional<T> attempt(String subject, Supplier<T> step) {
        try {
            return Optional.of(step.get());
        } catch (PanamoeException e) {
            findings.put(subject, withoutName(e));
            lacks(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    /// For people: empty when it is missing or no text.
    private String text(String key) {
        try {
            return Printable.escape(file.metadata().findString(key).orElse(""), 40);
        } catch (PanamoeException e) {
            return "";
        }
    }

    private void lacks(String line) {
        String what = withoutName(line);
        if (!missing.contains(what)) {
            missing.add(what);
        }
    }

    private String withoutName(PanamoeException e) {
        return withoutName(String.valueOf(e.getMessage()));
    }

    /// Whoever asks knows which file it is.
    private String withoutName(String line) {
        String prefix = file.name() + ": ";
        return line.startsWith(prefix) ? line.substring(prefix.length()) : line;
    }
}

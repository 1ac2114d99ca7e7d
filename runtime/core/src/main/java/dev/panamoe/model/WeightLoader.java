package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Block.AttentionWeights;
import dev.panamoe.model.Block.DenseWeights;
import dev.panamoe.model.Block.FeedForwardWeights;
import dev.panamoe.model.Block.GqaWeights;
import dev.panamoe.model.Block.Linear;
import dev.panamoe.model.Block.MlaWeights;
import dev.panamoe.model.Block.MoeWeights;
import dev.panamoe.model.Block.PerLayer;
import dev.panamoe.model.ModelWeights.PerLayerInputs;
import dev.panamoe.quant.BlockDecoder;
import dev.panamoe.quant.Quants;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.FeedForwardSpec.Dense;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.Experts.Biases;
import dev.panamoe.spi.HeadSteps;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Finds a model's tensors, checks each against the shape its specification implies, and gives them to a device.
///
/// The same walk over the specification serves two sinks: {@link #check} only looks, so that everything that is wrong
/// with a file on a device is reported at once and before any work; {@link #load} uploads.
final class WeightLoader {
    private static final int FAULTS_SHOWN = 5;
    private static final int NAMES_SHOWN = 3;

    private final GgufFile file;
    private final ModelSpec spec;
    private final Sink sink;
    private final Set<String> routerScales;
    private final Map<RopeSpec, Rope> ropes = new LinkedHashMap<>();

    private WeightLoader(GgufFile file, ModelSpec spec, Sink sink) {
        this.file = file;
        this.spec = spec;
        this.sink = sink;
        this.routerScales = routerScales(spec);
    }

    /// Looks at every tensor of the model without uploading.
    ///
    /// @throws PanamoeException when tensors are missing, have another shape than the metadata implies, or are of quant
    ///     types that the device lacks: everything in one line
    static void check(GgufFile file, ModelSpec spec, Device device) {
        List<String> faults = faults(file, spec, device);
        if (!faults.isEmpty()) {
            throw new PanamoeException(file.name() + ": " + faults.getFirst());
        }
    }

    /// What {@link #check} refuses a file for: at most a line on its tensors and one on the device's types.
    static List<String> faults(GgufFile file, ModelSpec spec, Device device) {
        Check check = new Check(device);
        new WeightLoader(file, spec, check).model();
        return check.messages();
    }

    /// Uploads every tensor of a model that {@link #check} found good.
    ///
    /// @param derived owns weights that are computed from the file's; must outlive the device's use of them
    /// @param bytes of all tensors
    static ModelWeights load(
            GgufFile file, ModelSpec spec, Device device, Arena derived, long bytes, LoadProgress progress) {
        return new WeightLoader(file, spec, new Upload(device, derived, bytes, progress)).model();
    }

    /// What becomes of the tensors that the walk comes upon.
    private interface Sink {
        /// A tensor of the file, or a cut of it.
        Weight place(TensorView view, WeightUse use);

        /// An F32 weight that the host computes.
        ///
        /// @param values fills memory of the shape's size
        Weight derive(String name, WeightUse use, Shape shape, Consumer<MemorySegment> values);

        /// A tensor that is missing or has a wrong shape.
        Weight fault(String name, Shape want, String what);
    }

    /// Collects what is wrong.
    private static final class Check implements Sink {
        private final Device device;
        private final List<String> faults = new ArrayList<>();
        private final Map<String, List<String>> unsupported = new LinkedHashMap<>();

        Check(Device device) {
            this.device = device;
        }

        @Override
        public Weight place(TensorView view, WeightUse use) {
            if (!device.supports(use, view.type())) {
                unsupported
                        .computeIfAbsent(view.type() + " in " + use, t -> new ArrayList<>())
                        .add(view.name());
            }
            return new Unplaced(view.name(), view.type(), view.shape());
        }

        @Override
        public Weight derive(String name, WeightUse use, Shape shape, Consumer<MemorySegment> values) {
            return new Unplaced(name, QuantType.F32, shape);
        }

        @Override
        public Weight fault(String name, Shape want, String what) {
            faults.add(what);
            return new Unplaced(name, QuantType.F32, want);
        }

        List<String> messages() {
            List<String> messages = new ArrayList<>();
            if (!faults.isEmpty()) {
                messages.add(shown(faults, FAULTS_SHOWN, "; ") + "; the file is damaged or of an unknown kind");
            }
            if (!unsupported.isEmpty()) {
                List<String> parts = new ArrayList<>();
                unsupported.forEach((type, names) -> parts.add(type + " (" + shown(names, NAMES_SHOWN, ", ") + ")"));
                messages.add(device.info().id() + " does not support the quant types of these tensors: "
                        + String.join("; ", parts)
                        + "; use another quantisation of the model, for example Q4_0, Q4_K or Q8_0");
            }
            return messages;
        }

        private static String shown(List<String> all, int most, String separator) {
            int n = Math.min(most, all.size());
            String rest = all.size() > n ? " and " + (all.size() - n) + " more" : "";
            return String.join(separator, all.subList(0, n)) + rest;
        }
    }

    /// Gives everything to the device.
    private static final class Upload implements Sink {
        private final Device device;
        private final Arena derived;
        private final long bytes;
        private final LoadProgress progress;
        private long done;

        Upload(Device device, Arena derived, long bytes, LoadProgress progress) {
            this.device = device;
            this.derived = derived;
            this.bytes = bytes;
            this.progress = progress;
        }

        @Override
        public Weight place(TensorView view, WeightUse use) {
            Weight weight = device.upload(view, use);
            // Embeddings that are the output matrix too come twice.
            done = Math.min(bytes, done + TensorView.byteSize(view.type(), view.shape()));
            progress.at(done, bytes);
            return weight;
        }

        @Override
        public Weight derive(String name, WeightUse use, Shape shape, Consumer<MemorySegment> values) {
            MemorySegment data = derived.allocate(TensorView.byteSize(QuantType.F32, shape));
            values.accept(data);
            return device.upload(new TensorView(name, QuantType.F32, shape, data), use);
        }

        @Override
        public Weight fault(String name, Shape want, String what) {
            throw new IllegalStateException("not checked before: " + what);
        }
    }

    /// What stands for a weight while only looking.
    private record Unplaced(String name, QuantType type, Shape shape) implements Weight {}

    /// Uses a tensor if it is there and has the shape that the metadata implies; trailing dimensions of 1 do not
    /// matter.
    private Weight tensor(String name, Shape want, Function<TensorView, Weight> use) {
        return tensor(name, file.find(name), want, use);
    }

    private Weight tensor(String name, Optional<TensorView> found, Shape want, Function<TensorView, Weight> use) {
        if (found.isEmpty()) {
            return sink.fault(name, want, "the tensor " + name + " is missing");
        }
        Shape got = found.get().shape();
        boolean fits = got.cols() == want.cols() && got.rows() == want.rows() && got.slices() == want.slices();
        if (!fits) {
            return sink.fault(name, want, name + " has shape " + got + ", the metadata implies " + want);
        }
        return use.apply(scaled(got.equals(want) ? found.get() : found.get().reshape(want)));
    }

    /// NVFP4's second level: `NAME.scale` beside `NAME.weight` holds one factor, or one a slice.
    ///
    /// @param t of the shape that the metadata implies
    private TensorView scaled(TensorView t) {
        String scale = t.name().replaceFirst("\\.weight$", ".scale");
        boolean none = scale.equals(t.name()) || file.find(scale).isEmpty() || routerScales.contains(scale);
        if (t.type() != QuantType.NVFP4 || none) {
            return t;
        }
        TensorView second = file.get(scale);
        long count = second.shape().size();
        long slices = t.shape().slices();
        if (count != 1 && count != slices) {
            throw new PanamoeException(file.name() + ": " + scale + " has " + count + " values, expected one"
                    + " for each of the " + slices + " matrices of " + t.name());
        }
        float[] factors = Quants.decode(second, file.name());
        List<Float> scales = new ArrayList<>();
        for (int i = 0; i < slices; i++) {
            scales.add(factors[factors.length == 1 ? 0 : i]);
        }
        return t.withSliceScales(scales);
    }

    /// Scales that the router applies to an expert's output, which say nothing about how its weights are stored.
    private static Set<String> routerScales(ModelSpec spec) {
        return spec.layers().stream()
                .filter(l -> l.feedForward() instanceof Moe moe && moe.has(Moe.Part.EXPERT_SCALE))
                .map(l -> "blk." + l.index() + ".ffn_down_exps.scale")
                .collect(Collectors.toSet());
    }

    private ModelWeights model() {
        int d = spec.embedding();
        Weight embedding = matrix("token_embd.weight", WeightUse.EMBED, d, spec.vocabulary());
        String output = file.find("output.weight").isPresent() ? "output.weight" : "token_embd.weight";
        List<Block> blocks = new ArrayList<>();
        PerLayerInputs perLayer = null;
        int w = spec.perLayerInput();
        if (w > 0) {
            int all = w * spec.layers().size();
            perLayer = new PerLayerInputs(
                    matrix("per_layer_token_embd.weight", WeightUse.EMBED, all, spec.vocabulary()),
                    matrix("per_layer_model_proj.weight", WeightUse.MATMUL, d, all),
                    vector("per_layer_proj_norm.weight", w));
        }
        for (LayerSpec layer : spec.layers()) {
            blocks.add(block(layer));
        }
        return new ModelWeights(
                embedding,
                matrix(output, WeightUse.MATMUL, d, spec.vocabulary()),
                vector("output_norm.weight", d),
                perLayer,
                blocks);
    }

    private Block block(LayerSpec layer) {
        String p = "blk." + layer.index() + ".";
        int d = spec.embedding();
        int w = spec.perLayerInput();
        boolean postNorms = layer.has(LayerSpec.Part.POST_NORMS);
        return new Block(
                layer,
                switch (layer.attention()) {
                    case Gqa gqa -> gqa(p, gqa);
                    case Mla mla -> mla(p, mla);
                },
                switch (layer.feedForward()) {
                    case Dense dense -> dense(p, "", dense);
                    case Moe moe -> moe(p, moe);
                },
                List.of(vector(p + "attn_norm.weight", d)),
                postNorms ? vector(p + "post_attention_norm.weight", d) : null,
                ffnNorms(p, layer),
                postNorms ? vector(p + "post_ffw_norm.weight", d) : null,
                layer.has(LayerSpec.Part.OUTPUT_SCALE) ? scalar(p + "layer_output_scale.weight") : 1f,
                w == 0
                        ? null
                        : new PerLayer(
                                matrix(p + "inp_gate.weight", WeightUse.MATMUL, d, w),
                                matrix(p + "proj.weight", WeightUse.MATMUL, w, d),
                                vector(p + "post_norm.weight", d)));
    }

    /// In the order of {@link Intermediates.Layer#ffnNormed}.
    private List<Weight> ffnNorms(String p, LayerSpec layer) {
        List<Weight> norms = new ArrayList<>();
        norms.add(vector(p + layer.ffnNorm() + ".weight", spec.embedding()));
        if (layer.feedForward() instanceof Moe f) {
            if (f.has(Moe.Part.ROUTER_NORM)) {
                norms.add(routerNorm(p + "ffn_gate_inp.scale"));
            }
            if (f.has(Moe.Part.BRANCH_NORMS)) {
                norms.add(vector(p + "pre_ffw_norm_2.weight", spec.embedding()));
            }
        }
        return List.copyOf(norms);
    }

    private AttentionWeights gqa(String p, Gqa a) {
        int d = spec.embedding();
        boolean owns = a.sharedFrom().isEmpty();
        boolean ownsValues = owns && !a.has(Gqa.Part.VALUES_FROM_KEYS);
        boolean bias = a.has(Gqa.Part.QKV_BIAS);
        boolean norms = a.has(Gqa.Part.HEAD_NORMS);
        Weight sinks = a.has(Gqa.Part.SINKS) ? vector(p + "attn_sinks.weight", a.heads()) : null;
        Linear q = linear(p + "attn_q", d, a.queryWidth(), bias);
        Linear k = owns ? linear(p + "attn_k", d, a.keyWidth(), bias) : null;
        Linear v = ownsValues ? linear(p + "attn_v", d, a.keyWidth(), bias) : null;
        Linear output = linear(p + "attn_output", a.outputWidth(), d, a.has(Gqa.Part.OUTPUT_BIAS));
        Rope rope = rope(a.rope());
        List<HeadSteps> steps = new ArrayList<>();
        steps.add(new HeadSteps(q.bias(), norms, norms ? vector(p + "attn_q_norm.weight", a.headSize()) : null, rope));
        if (k != null) {
            Weight kNorm = norms ? vector(p + "attn_k_norm.weight", a.headSize()) : null;
            steps.add(new HeadSteps(k.bias(), norms, kNorm, rope));
            // Values that are the raw keys are those with the keys' bias.
            steps.add(new HeadSteps(v == null ? k.bias() : v.bias(), a.has(Gqa.Part.VALUE_NORM), null, null));
        }
        return new GqaWeights(
                new Attention(a.heads(), a.scale(), a.window(), sinks),
                rope,
                Stream.of(q, k, v).filter(Objects::nonNull).map(Linear::weight).toList(),
                List.copyOf(steps),
                output);
    }

    private AttentionWeights mla(String p, Mla a) {
        int d = spec.embedding();
        boolean compressed = a.queryRank() > 0;
        return new MlaWeights(
                new Attention(a.heads(), a.scale(), a.window()),
                rope(a.rope()),
                List.of(
                        compressed
                                ? matrix(p + "attn_q_a.weight", WeightUse.MATMUL, d, a.queryRank())
                                : matrix(p + "attn_q.weight", WeightUse.MATMUL, d, a.queryWidth()),
                        matrix(p + "attn_kv_a_mqa.weight", WeightUse.MATMUL, d, a.latentSize())),
                compressed ? vector(p + "attn_q_a_norm.weight", a.queryRank()) : null,
                compressed ? matrix(p + "attn_q_b.weight", WeightUse.MATMUL, a.queryRank(), a.queryWidth()) : null,
                vector(p + "attn_kv_a_norm.weight", a.rank()),
                a.splitProjection()
                        ? heads(p + "attn_k_b.weight", a.nopeSize(), a.rank(), a.heads())
                        : keyUpFromFused(p + "attn_kv_b.weight", a),
                a.splitProjection()
                        ? heads(p + "attn_v_b.weight", a.rank(), a.valueSize(), a.heads())
                        : valueUpFromFused(p + "attn_kv_b.weight", a),
                matrix(p + "attn_output.weight", WeightUse.MATMUL, a.outputWidth(), d));
    }

    /// A matrix per head; some files list the heads' rows as one tall matrix of the same bytes.
    private Weight heads(String name, long cols, long rows, long heads) {
        Shape want = Shape.of(cols, rows, heads);
        Shape tall = Shape.of(cols, rows * heads);
        boolean isTall = file.find(name).map(t -> t.shape().equals(tall)).orElse(false);
        return tensor(
                name, isTall ? tall : want, t -> sink.place(isTall ? t.reshape(want) : t, WeightUse.MATMUL_PER_HEAD));
    }

    /// Per head of `attn_kv_b`: key rows (nopeSize, rank), then value rows (valueSize, rank).
    private Weight fusedHeads(String name, Mla a, Function<TensorView, Weight> use) {
        int rows = a.nopeSize() + a.valueSize();
        return tensor(
                name,
                Shape.of(a.rank(), (long) a.heads() * rows),
                t -> use.apply(t.reshape(Shape.of(a.rank(), rows, a.heads()))));
    }

    /// Each head's key rows, transposed to (rank, nopeSize). Quantised blocks run along the other dimension, so the
    /// result is F32: exact, and small beside the experts.
    private Weight keyUpFromFused(String name, Mla a) {
        Shape shape = Shape.of(a.nopeSize(), a.rank(), a.heads());
        return fusedHeads(
                name,
                a,
                t -> sink.derive(name + "[k]", WeightUse.MATMUL_PER_HEAD, shape, out -> transposeKeys(t, a, out)));
    }

    private static void transposeKeys(TensorView fused, Mla a, MemorySegment out) {
        BlockDecoder decoder = Quants.get(fused.type());
        float[] row = new float[a.rank()];
        for (int h = 0; h < a.heads(); h++) {
            float scale =
                    fused.sliceScales().isEmpty() ? 1f : fused.sliceScales().get(h);
            for (int n = 0; n < a.nopeSize(); n++) {
                decoder.decode(fused.data(), fused.sliceStart(h) + n * fused.rowBytes(), row, 0, row.length);
                for (int c = 0; c < row.length; c++) {
                    out.set(LittleEndian.F32, 4 * (((long) h * a.rank() + c) * a.nopeSize() + n), scale * row[c]);
                }
            }
        }
    }

    /// Each head's value rows as they are.
    private Weight valueUpFromFused(String name, Mla a) {
        return fusedHeads(name, a, t -> sink.place(t.rows(a.nopeSize(), a.valueSize()), WeightUse.MATMUL_PER_HEAD));
    }

    private DenseWeights dense(String p, String suffix, Dense f) {
        int d = spec.embedding();
        return new DenseWeights(
                matrix(p + "ffn_gate" + suffix + ".weight", WeightUse.MATMUL, d, f.width()),
                matrix(p + "ffn_up" + suffix + ".weight", WeightUse.MATMUL, d, f.width()),
                matrix(p + "ffn_down" + suffix + ".weight", WeightUse.MATMUL, f.width(), d),
                f.activation());
    }

    private FeedForwardWeights moe(String p, Moe f) {
        int d = spec.embedding();
        int n = f.router().experts();
        boolean branchNorms = f.has(Moe.Part.BRANCH_NORMS);
        return new MoeWeights(
                linear(p + "ffn_gate_inp", d, n, f.has(Moe.Part.ROUTER_BIAS)),
                new Router(
                        f.router(),
                        f.has(Moe.Part.SELECTION_BIAS) ? vector(p + "exp_probs_b.bias", n) : null,
                        f.has(Moe.Part.EXPERT_SCALE) ? vector(p + "ffn_down_exps.scale", n) : null),
                experts(p, f),
                f.beside().map(b -> dense(p, f.besideSuffix(), b)).orElse(null),
                branchNorms ? vector(p + "post_ffw_norm_1.weight", d) : null,
                branchNorms ? vector(p + "post_ffw_norm_2.weight", d) : null);
    }

    private Experts experts(String p, Moe f) {
        int d = spec.embedding();
        int n = f.router().experts();
        int width = f.width();
        Weight gate;
        Weight up;
        String fused = p + "ffn_gate_up_exps.weight";
        if (file.find(fused).isPresent()) {
            Shape both = Shape.of(d, 2L * width, n);
            gate = tensor(fused, both, t -> sink.place(t.rows(0, width), WeightUse.EXPERTS));
            up = tensor(fused, both, t -> sink.place(t.rows(width, width), WeightUse.EXPERTS));
        } else {
            gate = experts(p + "ffn_gate", Shape.of(d, width, n));
            up = experts(p + "ffn_up", Shape.of(d, width, n));
        }
        Weight down = experts(p + "ffn_down", Shape.of(width, d, n));
        Biases biases = null;
        if (f.has(Moe.Part.EXPERT_BIASES)) {
            biases = new Biases(
                    matrix(p + "ffn_gate_exps.bias", WeightUse.EXPERT_BIAS, width, n),
                    matrix(p + "ffn_up_exps.bias", WeightUse.EXPERT_BIAS, width, n),
                    matrix(p + "ffn_down_exps.bias", WeightUse.EXPERT_BIAS, d, n));
        }
        return new Experts(gate, up, down, biases, f.activation());
    }

    /// A matrix an expert: `NAME_exps.weight`, or `NAME.0.weight` and so on as converters before April 2024 wrote them.
    private Weight experts(String name, Shape want) {
        String stacked = name + "_exps.weight";
        if (file.find(stacked).isPresent() || file.find(name + ".0.weight").isEmpty()) {
            return place(stacked, WeightUse.EXPERTS, want);
        }
        List<String> single = IntStream.range(0, Math.toIntExact(want.slices()))
                .mapToObj(e -> name + "." + e + ".weight")
                .toList();
        TensorView all = file.stack(stacked, single)
                .orElseThrow(() -> new PanamoeException(file.name() + ": " + single.getFirst() + " to "
                        + single.getLast() + " differ in type or shape or lie in several files, so they cannot be read"
                        + " as one tensor; convert the model again with a current converter, or get a file made after"
                        + " April 2024"));
        return tensor(stacked, Optional.of(all), want, t -> sink.place(t, WeightUse.EXPERTS));
    }

    /// Gemma's router input is `rms(x) / sqrt(d) * scale`: the constant goes into the weight.
    private Weight routerNorm(String name) {
        Shape shape = Shape.of(spec.embedding());
        double root = Math.sqrt(spec.embedding());
        return tensor(name, shape, t -> {
            float[] scale = Quants.decode(t, file.name());
            for (int i = 0; i < scale.length; i++) {
                scale[i] = (float) (scale[i] / root);
            }
            return sink.derive(
                    name,
                    WeightUse.VECTOR,
                    shape,
                    out -> MemorySegment.copy(scale, 0, out, LittleEndian.F32, 0, scale.length));
        });
    }

    private Rope rope(RopeSpec r) {
        return ropes.computeIfAbsent(r, s -> {
            float[] f = s.inverseFrequencies();
            Weight frequencies = sink.derive(
                    "rope frequencies",
                    WeightUse.VECTOR,
                    Shape.of(f.length),
                    out -> MemorySegment.copy(f, 0, out, LittleEndian.F32, 0, f.length));
            return new Rope(s.pairing(), frequencies, s.amplitude());
        });
    }

    /// `name.weight`, and `name.bias` where the model has one.
    private Linear linear(String name, int in, int out, boolean bias) {
        return new Linear(
                matrix(name + ".weight", WeightUse.MATMUL, in, out), bias ? vector(name + ".bias", out) : null);
    }

    /// A weight whose rows are outputs and whose columns are inputs.
    private Weight matrix(String name, WeightUse use, long cols, long rows) {
        return place(name, use, Shape.of(cols, rows));
    }

    private Weight vector(String name, int length) {
        return place(name, WeightUse.VECTOR, Shape.of(length));
    }

    private Weight place(String name, WeightUse use, Shape want) {
        return tensor(name, want, t -> sink.place(t, use));
    }

    /// A single number that the host needs.
    private float scalar(String name) {
        float[] value = {1};
        tensor(name, Shape.of(1), t -> {
            value[0] = Quants.decode(t, file.name())[0];
            return new Unplaced(name, t.type(), t.shape());
        });
        return value[0];
    }

    /// Bytes of F32 weights that {@link #load} derives: see {@link #keyUpFromFused}.
    static long derivedBytes(ModelSpec spec) {
        long bytes = 0;
        for (LayerSpec layer : spec.layers()) {
            if (layer.attention() instanceof Mla a && !a.splitProjection()) {
                bytes += 4L * a.nopeSize() * a.rank() * a.heads();
            }
        }
        return bytes;
    }
}

package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Block.AttentionWeights;
import dev.panamoe.model.Block.DenseWeights;
import dev.panamoe.model.Block.FeedForwardWeights;
import dev.panamoe.model.Block.GqaWeights;
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
import dev.panamoe.spi.Op;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Weight;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Finds a model's tensors, checks each against the shape its specification implies, and gives them to a device.
///
/// It runs twice over the same specification: {@link #check} only looks, so that everything a device lacks is
/// reported at once and before any work; {@link #load} uploads.
final class WeightLoader {
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final GgufFile file;
    private final ModelSpec spec;
    private final Device device;
    private final Arena derived;
    private final boolean upload;
    private final Map<String, List<String>> unsupported = new LinkedHashMap<>();
    private final Map<RopeSpec, Rope> ropes = new LinkedHashMap<>();

    private WeightLoader(GgufFile file, ModelSpec spec, Device device, Arena derived, boolean upload) {
        this.file = file;
        this.spec = spec;
        this.device = device;
        this.derived = derived;
        this.upload = upload;
    }

    /// Looks at every tensor of the model without uploading.
    ///
    /// @throws PanamoeException when a tensor is missing or has another shape than the metadata implies, or when the
    ///     device lacks quant types: all of them, with the tensors
    static void check(GgufFile file, ModelSpec spec, Device device) {
        try (Arena none = Arena.ofConfined()) {
            WeightLoader loader = new WeightLoader(file, spec, device, none, false);
            loader.model();
            loader.refuseUnsupported();
        }
    }

    /// Uploads every tensor of a model that {@link #check} found good.
    ///
    /// @param derived owns weights that are computed from the file's; must outlive the device's use of them
    static ModelWeights load(GgufFile file, ModelSpec spec, Device device, Arena derived) {
        return new WeightLoader(file, spec, device, derived, true).model();
    }

    private void refuseUnsupported() {
        if (unsupported.isEmpty()) {
            return;
        }
        List<String> parts = new ArrayList<>();
        unsupported.forEach((type, names) -> {
            String shown = String.join(", ", names.subList(0, Math.min(3, names.size())));
            parts.add(type + " (" + shown + (names.size() > 3 ? " and " + (names.size() - 3) + " more" : "") + ")");
        });
        throw new PanamoeException(file.name() + ": " + device.info().id()
                + " does not support the quant types of these tensors: " + String.join("; ", parts)
                + "; use another quantisation of the model, for example Q4_0, Q4_K or Q8_0");
    }

    private ModelWeights model() {
        int d = spec.embedding();
        Weight embedding = matrix("token_embd.weight", Op.EMBED, d, spec.vocabulary());
        String output = file.find("output.weight").isPresent() ? "output.weight" : "token_embd.weight";
        List<Block> blocks = new ArrayList<>();
        PerLayerInputs perLayer = null;
        int w = spec.perLayerInput();
        if (w > 0) {
            int all = w * spec.layers().size();
            perLayer = new PerLayerInputs(
                    matrix("per_layer_token_embd.weight", Op.EMBED, all, spec.vocabulary()),
                    matrix("per_layer_model_proj.weight", Op.MATMUL, d, all),
                    vector("per_layer_proj_norm.weight", w));
        }
        for (LayerSpec layer : spec.layers()) {
            blocks.add(block(layer));
        }
        return new ModelWeights(
                embedding,
                matrix(output, Op.MATMUL, d, spec.vocabulary()),
                vector("output_norm.weight", d),
                perLayer,
                blocks);
    }

    private Block block(LayerSpec layer) {
        String p = "blk." + layer.index() + ".";
        int d = spec.embedding();
        int w = spec.perLayerInput();
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
                vector(p + "attn_norm.weight", d),
                layer.postNorms() ? vector(p + "post_attention_norm.weight", d) : null,
                vector(p + "ffn_norm.weight", d),
                layer.postNorms() ? vector(p + "post_ffw_norm.weight", d) : null,
                layer.outputScale() ? hostVector(p + "layer_output_scale.weight", 1)[0] : 1f,
                w == 0
                        ? null
                        : new PerLayer(
                                matrix(p + "inp_gate.weight", Op.MATMUL, d, w),
                                matrix(p + "proj.weight", Op.MATMUL, w, d),
                                vector(p + "post_norm.weight", d)));
    }

    private AttentionWeights gqa(String p, Gqa a) {
        int d = spec.embedding();
        boolean owns = a.sharedFrom().isEmpty();
        return new GqaWeights(
                new Attention(a.heads(), a.scale(), a.window()),
                rope(a.rope()),
                matrix(p + "attn_q.weight", Op.MATMUL, d, a.queryWidth()),
                owns ? matrix(p + "attn_k.weight", Op.MATMUL, d, a.keyWidth()) : null,
                owns && !a.valuesFromKeys() ? matrix(p + "attn_v.weight", Op.MATMUL, d, a.keyWidth()) : null,
                matrix(p + "attn_output.weight", Op.MATMUL, a.outputWidth(), d),
                a.headNorms() ? vector(p + "attn_q_norm.weight", a.headSize()) : null,
                owns && a.headNorms() ? vector(p + "attn_k_norm.weight", a.headSize()) : null);
    }

    private AttentionWeights mla(String p, Mla a) {
        int d = spec.embedding();
        boolean compressed = a.queryRank() > 0;
        return new MlaWeights(
                new Attention(a.heads(), a.scale(), a.window()),
                rope(a.rope()),
                compressed ? matrix(p + "attn_q_a.weight", Op.MATMUL, d, a.queryRank()) : null,
                compressed ? vector(p + "attn_q_a_norm.weight", a.queryRank()) : null,
                compressed
                        ? matrix(p + "attn_q_b.weight", Op.MATMUL, a.queryRank(), a.queryWidth())
                        : matrix(p + "attn_q.weight", Op.MATMUL, d, a.queryWidth()),
                matrix(p + "attn_kv_a_mqa.weight", Op.MATMUL, d, a.latentSize()),
                vector(p + "attn_kv_a_norm.weight", a.rank()),
                a.splitProjection()
                        ? heads(p + "attn_k_b.weight", a.nopeSize(), a.rank(), a.heads())
                        : keyUpFromFused(p + "attn_kv_b.weight", a),
                a.splitProjection()
                        ? heads(p + "attn_v_b.weight", a.rank(), a.valueSize(), a.heads())
                        : valueUpFromFused(p + "attn_kv_b.weight", a),
                matrix(p + "attn_output.weight", Op.MATMUL, a.outputWidth(), d));
    }

    /// A matrix per head; some files list the heads' rows as one tall matrix of the same bytes.
    private Weight heads(String name, long cols, long rows, long heads) {
        TensorView view = file.get(name);
        Shape want = Shape.of(cols, rows, heads);
        if (view.shape().equals(Shape.of(cols, rows * heads))) {
            view = view.reshape(want);
        }
        return place(expect(view, want), Op.MATMUL_PER_HEAD);
    }

    private TensorView fusedHeads(String name, Mla a) {
        int rows = a.nopeSize() + a.valueSize();
        TensorView view = expect(file.get(name), Shape.of(a.rank(), (long) a.heads() * rows));
        return view.reshape(Shape.of(a.rank(), rows, a.heads()));
    }

    /// Each head's key rows (nopeSize, rank), transposed to (rank, nopeSize). Quantised blocks run along the other
    /// dimension, so the result is F32: exact, and small beside the experts.
    private Weight keyUpFromFused(String name, Mla a) {
        TensorView fused = fusedHeads(name, a);
        Shape shape = Shape.of(a.nopeSize(), a.rank(), a.heads());
        if (!upload) {
            note(fused, Op.MATMUL_PER_HEAD);
            return new Unplaced(name, QuantType.F32, shape);
        }
        BlockDecoder decoder = Quants.get(fused.type());
        MemorySegment out = derived.allocate(TensorView.byteSize(QuantType.F32, shape));
        float[] row = new float[a.rank()];
        for (int h = 0; h < a.heads(); h++) {
            for (int n = 0; n < a.nopeSize(); n++) {
                decoder.decode(fused.data(), h * fused.sliceStride() + n * fused.rowBytes(), row, 0, row.length);
                for (int c = 0; c < row.length; c++) {
                    out.set(F32, 4 * (((long) h * a.rank() + c) * a.nopeSize() + n), row[c]);
                }
            }
        }
        return device.upload(new TensorView(name + "[k]", QuantType.F32, shape, out), Op.MATMUL_PER_HEAD);
    }

    /// Each head's value rows, which follow its key rows, as they are.
    private Weight valueUpFromFused(String name, Mla a) {
        return place(fusedHeads(name, a).rows(a.nopeSize(), a.valueSize()), Op.MATMUL_PER_HEAD);
    }

    private DenseWeights dense(String p, String suffix, Dense f) {
        int d = spec.embedding();
        return new DenseWeights(
                matrix(p + "ffn_gate" + suffix + ".weight", Op.MATMUL, d, f.width()),
                matrix(p + "ffn_up" + suffix + ".weight", Op.MATMUL, d, f.width()),
                matrix(p + "ffn_down" + suffix + ".weight", Op.MATMUL, f.width(), d));
    }

    private FeedForwardWeights moe(String p, Moe f) {
        int d = spec.embedding();
        int n = f.router().experts();
        return new MoeWeights(
                matrix(p + "ffn_gate_inp.weight", Op.MATMUL, d, n),
                new Router(
                        f.router(),
                        f.selectionBias() ? vector(p + "exp_probs_b.bias", n) : null,
                        f.expertScale() ? vector(p + "ffn_down_exps.scale", n) : null),
                experts(p, f),
                f.routerNorm() ? routerNorm(p + "ffn_gate_inp.scale") : null,
                f.beside().map(b -> dense(p, f.besideSuffix(), b)).orElse(null),
                f.branchNorms() ? vector(p + "pre_ffw_norm_2.weight", d) : null,
                f.branchNorms() ? vector(p + "post_ffw_norm_1.weight", d) : null,
                f.branchNorms() ? vector(p + "post_ffw_norm_2.weight", d) : null);
    }

    private Experts experts(String p, Moe f) {
        int d = spec.embedding();
        int n = f.router().experts();
        Shape in = Shape.of(d, f.width(), n);
        Weight gate;
        Weight up;
        String fusedName = p + "ffn_gate_up_exps.weight";
        if (file.find(fusedName).isPresent()) {
            TensorView fused = expect(file.get(fusedName), Shape.of(d, 2L * f.width(), n));
            gate = place(fused.rows(0, f.width()), Op.EXPERTS);
            up = place(fused.rows(f.width(), f.width()), Op.EXPERTS);
        } else {
            gate = place(expect(file.get(p + "ffn_gate_exps.weight"), in), Op.EXPERTS);
            up = place(expect(file.get(p + "ffn_up_exps.weight"), in), Op.EXPERTS);
        }
        Weight down = place(expect(file.get(p + "ffn_down_exps.weight"), Shape.of(f.width(), d, n)), Op.EXPERTS);
        return new Experts(gate, up, down, f.activation());
    }

    /// Gemma's router input is `rms(x) / sqrt(d) * scale`: the constant goes into the weight.
    private Weight routerNorm(String name) {
        float[] scale = hostVector(name, spec.embedding());
        double root = Math.sqrt(spec.embedding());
        for (int i = 0; i < scale.length; i++) {
            scale[i] = (float) (scale[i] / root);
        }
        return vector(name, scale);
    }

    private Rope rope(RopeSpec r) {
        return ropes.computeIfAbsent(
                r, s -> new Rope(s.pairing(), vector("rope frequencies", s.inverseFrequencies()), s.amplitude()));
    }

    /// A weight whose rows are outputs and whose columns are inputs.
    private Weight matrix(String name, Op use, long cols, long rows) {
        return place(expect(file.get(name), Shape.of(cols, rows)), use);
    }

    private Weight vector(String name, int length) {
        return place(expect(file.get(name), Shape.of(length)), Op.VECTOR);
    }

    /// A vector computed on the host.
    private Weight vector(String name, float[] values) {
        Shape shape = Shape.of(values.length);
        if (!upload) {
            return new Unplaced(name, QuantType.F32, shape);
        }
        MemorySegment data = derived.allocate(4L * values.length);
        for (int i = 0; i < values.length; i++) {
            data.set(F32, 4L * i, values[i]);
        }
        return device.upload(new TensorView(name, QuantType.F32, shape, data), Op.VECTOR);
    }

    private float[] hostVector(String name, int length) {
        TensorView view = expect(file.get(name), Shape.of(length));
        float[] out = new float[length];
        Quants.get(view.type()).decode(view.data(), 0, out, 0, length);
        return out;
    }

    private Weight place(TensorView view, Op use) {
        if (!upload) {
            note(view, use);
            return new Unplaced(view.name(), view.type(), view.shape());
        }
        return device.upload(view, use);
    }

    private void note(TensorView view, Op use) {
        if (!device.supports(use, view.type())) {
            unsupported
                    .computeIfAbsent(view.type().toString(), t -> new ArrayList<>())
                    .add(view.name());
        }
    }

    /// The tensor must have the shape that the metadata implies; trailing dimensions of 1 do not matter.
    private TensorView expect(TensorView view, Shape want) {
        if (view.shape().equals(want)) {
            return view;
        }
        if (view.shape().cols() == want.cols()
                && view.shape().rows() == want.rows()
                && view.shape().slices() == want.slices()) {
            return view.reshape(want);
        }
        throw new PanamoeException(file.name() + ": " + view.name() + " has shape " + view.shape()
                + ", but the metadata implies " + want + "; the file is damaged or of an unknown kind");
    }

    /// What stands for a weight while only looking.
    private record Unplaced(String name, QuantType type, Shape shape) implements Weight {}

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

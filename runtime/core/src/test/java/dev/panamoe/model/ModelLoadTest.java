package dev.panamoe.model;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.GgufWriter;
import dev.panamoe.reference.ReferenceProvider;
import dev.panamoe.spec.AttentionSpec.Gqa;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spec.FeedForwardSpec.Moe;
import dev.panamoe.spec.LayerSpec;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a device or a file lacks is refused at load, completely and before any work.
class ModelLoadTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");
    private static final Path GEMMA = FIXTURES.resolve("gemma4-moe/model-q4_0.gguf");

    /// The reference with some of its abilities taken away, and a record of what was uploaded. It computes nothing.
    private static final class Limited implements Device {
        private final Device reference = open();
        private final QuantType lacking;
        private final long memory;
        private final Map<String, TensorView> uploaded = new LinkedHashMap<>();

        Limited(QuantType lacking, long memory) {
            this.lacking = lacking;
            this.memory = memory;
        }

        private static Device open() {
            BackendProvider provider = new ReferenceProvider();
            DeviceInfo info = ((Probe.Usable) provider.probe()).devices().getFirst();
            return provider.open(info, DeviceOptions.DEFAULT);
        }

        @Override
        public DeviceInfo info() {
            return new DeviceInfo("limited", "a test double", 0, List.of());
        }

        @Override
        public long freeMemory() {
            return memory;
        }

        @Override
        public boolean supports(WeightUse use, QuantType type) {
            return type != lacking;
        }

        @Override
        public Weight upload(TensorView view, WeightUse use) {
            uploaded.put(view.name(), view);
            return new Uploaded(view.name(), view.type(), view.shape());
        }

        @Override
        public List<String> endUpload(LoadProgress progress) {
            progress.doing("measuring");
            return List.of("measured");
        }

        @Override
        public Buffer allocate(Buffer.Kind kind, long size) {
            return reference.allocate(kind, size);
        }

        @Override
        public KvCache allocateCache(CacheSpec spec) {
            return reference.allocateCache(spec);
        }

        @Override
        public Ops ops() {
            return reference.ops();
        }

        @Override
        public void write(Ids ids, int[] source) {
            reference.write(ids, source);
        }

        @Override
        public void write(Rows rows, float[] source) {
            reference.write(rows, source);
        }

        @Override
        public void read(Rows rows, float[] target, int offset) {
            reference.read(rows, target, offset);
        }

        @Override
        public void read(Ids ids, int[] target) {
            reference.read(ids, target);
        }

        @Override
        public void close() {
            reference.close();
        }
    }

    private record Uploaded(String name, QuantType type, Shape shape) implements Weight {}

    private static void assertRefused(GgufFile file, ModelSpec spec, Limited device, String... parts) {
        assertThatExceptionOfType(PanamoeException.class)
                .isThrownBy(() -> Model.load(file, spec, device).close())
                .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
        assertThat(device.uploaded)
                .as("nothing is uploaded before everything is checked")
                .isEmpty();
    }

    @Test
    void missingQuantTypesAreListedWithTheirTensors() {
        try (GgufFile file = GgufFile.open(GEMMA)) {
            assertRefused(
                    file,
                    Architectures.read(file),
                    new Limited(QuantType.Q4_0, Long.MAX_VALUE),
                    "model-q4_0.gguf",
                    "limited",
                    "Q4_0 in MATMUL (",
                    "Q4_0 in EXPERTS (",
                    "blk.0.attn_q.weight",
                    " more)");
        }
    }

    @Test
    void shapesOtherThanTheMetadataImpliesAreRefused() {
        try (GgufFile file = GgufFile.open(GEMMA)) {
            ModelSpec s = Architectures.read(file);
            ModelSpec wide = with(s, s.embedding() * 2, s.layers());
            assertRefused(
                    file, wide, new Limited(QuantType.Q8_1, Long.MAX_VALUE), "token_embd.weight has shape", "implies");
        }
    }

    @Test
    void missingTensorsAreNamed() {
        try (GgufFile file = GgufFile.open(GEMMA)) {
            ModelSpec s = Architectures.read(file);
            List<LayerSpec> layers = new ArrayList<>(s.layers());
            LayerSpec last = layers.getLast();
            int next = layers.size();
            layers.add(new LayerSpec(next, last.attention(), last.feedForward(), last.ffnNorm(), last.parts()));
            // All of them are missing: the first few are named and the rest counted.
            assertRefused(
                    file,
                    with(s, s.embedding(), layers),
                    new Limited(QuantType.Q8_1, Long.MAX_VALUE),
                    "model-q4_0.gguf",
                    "blk." + next + ".attn_q.weight is missing",
                    "blk." + next + ".attn_k.weight is missing",
                    " more; the file is damaged");
        }
    }

    @Test
    void missingBiasesAndSinksAreNamed() {
        try (GgufFile file = GgufFile.open(FIXTURES.resolve("mixtral/model.gguf"))) {
            ModelSpec s = Architectures.read(file);
            LayerSpec first = s.layers().getFirst();
            Gqa a = (Gqa) first.attention();
            Set<Gqa.Part> all = Set.of(Gqa.Part.QKV_BIAS, Gqa.Part.OUTPUT_BIAS, Gqa.Part.SINKS);
            Gqa gqa = new Gqa(
                    a.heads(), a.kvHeads(), a.headSize(), a.window(), a.scale(), a.rope(), all, OptionalInt.empty());
            assertRefused(
                    file,
                    with(s, s.embedding(), List.of(new LayerSpec(0, gqa, first.feedForward(), "x", Set.of()))),
                    new Limited(QuantType.Q8_1, Long.MAX_VALUE),
                    "blk.0.attn_sinks.weight is missing",
                    "blk.0.attn_q.bias is missing",
                    "blk.0.attn_k.bias is missing",
                    "blk.0.attn_v.bias is missing",
                    "blk.0.attn_output.bias is missing",
                    "and 1 more");
            Moe moe = withParts((Moe) first.feedForward(), Moe.Part.ROUTER_BIAS, Moe.Part.EXPERT_BIASES);
            assertRefused(
                    file,
                    with(s, s.embedding(), List.of(new LayerSpec(0, a, moe, "x", Set.of()))),
                    new Limited(QuantType.Q8_1, Long.MAX_VALUE),
                    "blk.0.ffn_gate_inp.bias is missing",
                    "blk.0.ffn_gate_exps.bias is missing",
                    "blk.0.ffn_up_exps.bias is missing",
                    "blk.0.ffn_down_exps.bias is missing",
                    "blk.0.x.weight is missing");
        }
    }

    private static Moe withParts(Moe f, Moe.Part... parts) {
        return new Moe(f.router(), f.width(), f.activation(), f.beside(), f.besideSuffix(), Set.of(parts));
    }

    /// A layer of NVFP4 matrices with second-level factors of every form, and a Q8_0 one that must not take any.
    private static GgufWriter nvfp4(long downScales) {
        return new GgufWriter()
                .key("general.architecture", "llama")
                .key("llama.block_count", 1)
                .key("llama.context_length", 100)
                .key("llama.embedding_length", 64)
                .key("llama.feed_forward_length", 128)
                .key("llama.attention.head_count", 2)
                .key("llama.attention.head_count_kv", 1)
                .key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .key("llama.expert_count", 3)
                .key("llama.expert_used_count", 2)
                .tensor("token_embd.weight", QuantType.F32, 64, 10)
                .tensor("output_norm.weight", QuantType.F32, 64)
                .tensor("blk.0.attn_norm.weight", QuantType.F32, 64)
                .tensor("blk.0.attn_q.weight", QuantType.NVFP4, 64, 64)
                .tensor("blk.0.attn_q.scale", QuantType.F32, floats(0.5f), 1)
                .tensor("blk.0.attn_q.input_scale", QuantType.F32, floats(9), 1)
                .tensor("blk.0.attn_k.weight", QuantType.Q8_0, 64, 32)
                .tensor("blk.0.attn_k.scale", QuantType.F32, floats(9), 1)
                .tensor("blk.0.attn_v.weight", QuantType.NVFP4, 64, 32)
                .tensor("blk.0.attn_output.weight", QuantType.F32, 64, 64)
                .tensor("blk.0.ffn_norm.weight", QuantType.F32, 64)
                .tensor("blk.0.ffn_gate_inp.weight", QuantType.F32, 64, 3)
                .tensor("blk.0.ffn_gate_up_exps.weight", QuantType.NVFP4, 64, 256, 3)
                .tensor("blk.0.ffn_gate_up_exps.scale", QuantType.F32, floats(1, 2, 3), 3)
                .tensor("blk.0.ffn_down_exps.weight", QuantType.NVFP4, 128, 64, 3)
                .tensor("blk.0.ffn_down_exps.scale", QuantType.F32, downScales);
    }

    private static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    @Test
    void secondLevelFactorsGoWithTheirTensors() {
        MemorySegment bytes = MemorySegment.ofArray(nvfp4(1).bytes());
        Limited device = new Limited(QuantType.Q8_1, Long.MAX_VALUE);
        try (GgufFile file = GgufFile.ofMemory("m", bytes)) {
            Model.load(file, Architectures.read(file), device).close();
        }
        assertThat(scales(device, "blk.0.attn_q.weight")).containsExactly(0.5f);
        assertThat(scales(device, "blk.0.attn_k.weight")).as("not NVFP4").isEmpty();
        assertThat(scales(device, "blk.0.attn_v.weight")).as("has none").isEmpty();
        assertThat(scales(device, "blk.0.ffn_gate_up_exps.weight[0..127]")).containsExactly(1f, 2f, 3f);
        assertThat(scales(device, "blk.0.ffn_gate_up_exps.weight[128..255]")).containsExactly(1f, 2f, 3f);
        List<Float> down = scales(device, "blk.0.ffn_down_exps.weight");
        assertThat(down).as("one factor for all experts").hasSize(3);
        assertThat(Set.copyOf(down)).hasSize(1);
    }

    private static List<Float> scales(Limited device, String name) {
        return requireNonNull(device.uploaded.get(name)).sliceScales();
    }

    @Test
    void scalesOfTheRouterAreNoSecondLevelFactors() {
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(nvfp4(3).bytes()))) {
            ModelSpec s = Architectures.read(file);
            LayerSpec layer = s.layers().getFirst();
            Moe moe = withParts((Moe) layer.feedForward(), Moe.Part.EXPERT_SCALE);
            Limited device = new Limited(QuantType.Q8_1, Long.MAX_VALUE);
            ModelSpec scaled = with(
                    s, s.embedding(), List.of(new LayerSpec(0, layer.attention(), moe, LayerSpec.FFN_NORM, Set.of())));
            Model.load(file, scaled, device).close();
            assertThat(scales(device, "blk.0.ffn_down_exps.weight")).isEmpty();
            assertThat(device.uploaded).containsKey("blk.0.ffn_down_exps.scale");
        }
    }

    @Test
    void secondLevelFactorsOfAnotherNumberAreRefused() {
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(nvfp4(2).bytes()))) {
            assertRefused(
                    file,
                    Architectures.read(file),
                    new Limited(QuantType.Q8_1, Long.MAX_VALUE),
                    "m: blk.0.ffn_down_exps.scale has 2 values",
                    "3 matrices of blk.0.ffn_down_exps.weight");
        }
    }

    /// A file may claim a billion factors: they are counted before they are read, and the matrix itself goes first.
    @Test
    void shapesAreCheckedBeforeSecondLevelFactors() {
        try (GgufFile file = GgufFile.ofMemory("m", MemorySegment.ofArray(nvfp4(2).bytes()))) {
            ModelSpec s = Architectures.read(file);
            assertRefused(
                    file,
                    with(s, 128, s.layers()),
                    new Limited(QuantType.Q8_1, Long.MAX_VALUE),
                    "blk.0.attn_q.weight has shape [64, 64]",
                    "the file is damaged");
        }
    }

    private static ModelSpec with(ModelSpec s, int embedding, List<LayerSpec> layers) {
        return new ModelSpec(
                s.architecture(),
                s.name(),
                embedding,
                s.vocabulary(),
                s.contextLength(),
                s.normEps(),
                s.embeddingScale(),
                s.logitSoftcap(),
                s.perLayerInput(),
                layers);
    }

    /// A sliding layer needs its window and the rows of a pass, however long the context; the message says what fits.
    @ParameterizedTest
    @EnumSource(names = {"F16", "Q4_0"})
    void cachesThatDoNotFitSayWhatWould(CacheType type) {
        try (GgufFile file = GgufFile.open(GEMMA);
                Limited device = new Limited(QuantType.Q8_1, 1L << 20);
                Model model = Model.load(file, Architectures.read(file), device)) {
            assertThatExceptionOfType(PanamoeException.class)
                    .isThrownBy(() -> model.newCaches(1 << 20, 16, type).close())
                    .satisfies(e -> {
                        String longest = String.valueOf(e.getMessage()).replaceAll(".*at most ", "");
                        int fits = Integer.parseInt(longest);
                        model.newCaches(fits, 16, type).close();
                        assertThat(MemoryPlan.cacheBytes(model.spec(), fits, type, 16))
                                .isLessThanOrEqualTo(1 << 20);
                        assertThat(MemoryPlan.cacheBytes(model.spec(), fits + 1, type, 16))
                                .isGreaterThan(1 << 20);
                    });
        }
    }

    @Test
    void loadingTellsWhatTheDeviceDoesBehindItsWeights() {
        List<String> told = new ArrayList<>();
        LoadProgress progress = new LoadProgress() {
            @Override
            public void at(long done, long total) {
                if (done == total) {
                    told.add("all");
                }
            }

            @Override
            public void doing(String what) {
                told.add(what);
            }

            @Override
            public void done() {
                told.add("done");
            }
        };
        try (GgufFile file = GgufFile.open(GEMMA);
                Limited device = new Limited(QuantType.Q8_1, 1L << 20);
                Model model = Model.load(file, Architectures.read(file), device, progress)) {
            assertThat(told).endsWith("all", "measuring", "done");
            assertThat(model.notes()).containsExactly("measured");
        }
    }

    /// The table of the DeepSeek specification: 70,272 bytes a token over 61 layers for the latent cache.
    @Test
    void latentCachesHoldLatentAndRopeOnly() {
        try (GgufFile file = GgufFile.open(FIXTURES.resolve("deepseek-v3/model-mla-q8_0.gguf"))) {
            ModelSpec spec = Architectures.read(file);
            Mla mla = (Mla) spec.layers().getFirst().attention();
            assertThat(MemoryPlan.cacheBytes(spec, 100, CacheType.F16, 16))
                    .isEqualTo(100L * 2 * mla.latentSize() * spec.layers().size());
            assertThat(MemoryPlan.cacheBytes(spec, 100, CacheType.Q8_0, 16))
                    .isEqualTo(100L * mla.latentSize() / 32 * 34 * spec.layers().size());
        }
    }
}

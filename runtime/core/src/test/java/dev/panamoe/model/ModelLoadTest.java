package dev.panamoe.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.reference.ReferenceProvider;
import dev.panamoe.spec.AttentionSpec.Mla;
import dev.panamoe.spec.CacheType;
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
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a device or a file lacks is refused at load, completely and before any work.
class ModelLoadTest {
    private static final Path FIXTURES = Path.of(System.getProperty("panamoe.testdata"), "fixtures");
    private static final Path GEMMA = FIXTURES.resolve("gemma4-moe/model-q4_0.gguf");

    /// The reference with some of its abilities taken away, and a record of what was uploaded.
    private static final class Limited implements Device {
        private final Device reference = open();
        private final QuantType lacking;
        private final long memory;
        private final List<String> uploaded = new ArrayList<>();

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
            uploaded.add(view.name());
            return reference.upload(view, use);
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

package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.panamoe.ffm.CpuInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every native set that this machine can run gives what [PackedOracle] gives, bit for bit.
class NativeKernelsTest {
    static List<KernelSet> sets() {
        return NativeKernels.candidates(CpuInfo.read()).stream()
                .flatMap(c -> c.kernels().stream())
                .toList();
    }

    static Stream<Arguments> setsAndTypes() {
        return sets().stream()
                .flatMap(set -> Stream.of(PackedType.values()).map(type -> Arguments.of(set.name(), type, set)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("setsAndTypes")
    void productsAreTheOracles(String name, PackedType type, KernelSet set) {
        Random random = new Random(1);
        int[][] sizes = {{32, 16}, {64, 5}, {256, 48}, {608, 33}, {type.unitCols() * 3, 70}, {416, 16}};
        for (boolean wild : new boolean[] {false, true}) {
            for (int[] size : sizes) {
                compare(type, set, size[0], size[1], wild, random);
            }
        }
        if (type.floatActivations()) {
            compare(type, set, 37, 20, false, random);
            compare(type, set, 1000, 33, false, random);
        }
    }

    private static void compare(PackedType type, KernelSet set, int cols, int rows, boolean wild, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            PackedWeight w = PackedData.weight(arena, type, cols, rows, 2, wild, random);
            Panel panel = set.newPanel();
            Scratch scratch = new Scratch();
            for (int tokens = 1; tokens <= Panel.TILE; tokens++) {
                // The tile lies behind another one of the panel.
                int before = 3;
                float[] x = PackedData.activations(cols * (tokens + before), wild, random);
                panel.reset(type, cols, before + tokens);
                for (int t = 0; t < before + tokens; t++) {
                    boolean own = t >= before;
                    panel.set(own ? before : 0, own ? tokens : before, own ? t - before : t, x, t * cols);
                }
                int[] yAt =
                        IntStream.range(0, tokens + 1).map(t -> t * (rows + 1)).toArray();
                float[] y = new float[(tokens + 1) * (rows + 1)];
                int slice = tokens % 2;
                // Groups in two pieces.
                int half = w.groups() / 2;
                for (int[] piece : new int[][] {{0, half}, {half, w.groups() - half}}) {
                    if (piece[1] > 0) {
                        set.matmul(w, slice, piece[0], piece[1], panel, before, tokens, y, yAt, 1, scratch);
                    }
                }
                for (int t = 0; t < tokens; t++) {
                    for (int row = 0; row < rows; row++) {
                        float expected = PackedOracle.product(w, slice, row, x, (before + t) * cols);
                        assertThat(Float.floatToIntBits(y[yAt[t + 1] + row]))
                                .as(
                                        "(%d, %d), %d tokens, wild %s, token %d, row %d: %s, not %s",
                                        rows, cols, tokens, wild, t, row, y[yAt[t + 1] + row], expected)
                                .isEqualTo(Float.floatToIntBits(expected));
                    }
                    assertThat(y[yAt[t + 1] + rows == y.length ? 0 : yAt[t + 1] + rows])
                            .isZero();
                }
            }
            panel.close();
        }
    }

    static Stream<Arguments> nativeSets() {
        return sets().stream().map(set -> Arguments.of(set.name(), set));
    }

    /// A function that reads or writes behind its buffers ends this process.
    @ParameterizedTest(name = "{0}")
    @MethodSource("nativeSets")
    void functionsKeepToTheirBuffers(String name, NativeKernels set) {
        NativeCall call = NativeCall.get();
        for (NativeCase c : NativeCase.all()) {
            try (Arena arena = Arena.ofConfined()) {
                for (int i = 0; i < NativeCase.FIELDS; i++) {
                    call.set(i, c.field(i));
                }
                List<MemorySegment> memory = new ArrayList<>();
                for (NativeCase.Buffer buffer : c.buffers()) {
                    MemorySegment m = GuardedMemory.allocate(arena, buffer.before());
                    call.set(buffer.field(), m.address());
                    memory.add(m);
                }
                set.call(c.entry(), call);
                for (int i = 0; i < memory.size(); i++) {
                    NativeCase.Buffer buffer = c.buffers().get(i);
                    byte[] found = memory.get(i).toArray(ValueLayout.JAVA_BYTE);
                    GuardedMemory.release(memory.get(i));
                    if (!Arrays.equals(found, buffer.after())) {
                        assertThat(words(found, buffer.floats()))
                                .as("%s, field %d", c, buffer.field())
                                .isEqualTo(words(buffer.after(), buffer.floats()));
                    }
                }
            }
        }
    }

    /// That it did so many is checked by the sets themselves, and by the cases of the test above.
    @ParameterizedTest(name = "{0}")
    @MethodSource("nativeSets")
    void multiplyAddsAreCounted(String name, KernelSet set) {
        assertThat(set.multiplyAdd()).hasValue(4000 * 192 * 16);
        assertThat(new VectorKernels().multiplyAdd()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("nativeSets")
    void ceilingsHaveIntegers(String name, KernelSet set) {
        try (WorkerPool pool = new WorkerPool(2)) {
            assertThat(CeilingsProbe.measure(pool, Optional.of(set)).int8Ops()).isPresent();
        }
    }

    /// With all NaNs alike.
    private static int[] words(byte[] bytes, boolean floats) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        return IntStream.range(0, bytes.length / 4)
                .map(i -> floats ? Float.floatToIntBits(buffer.getFloat(4 * i)) : buffer.getInt(4 * i))
                .toArray();
    }

    @Test
    void panelsAreCopied() {
        Random random = new Random(2);
        int cols = 288;
        float[] x = PackedData.activations(3 * cols, false, random);
        for (KernelSet set : sets()) {
            Panel panel = set.newPanel();
            for (PackedType type : PackedType.values()) {
                Panel single = set.newPanel();
                single.reset(type, cols, 3);
                for (int t = 0; t < 3; t++) {
                    single.set(t, 1, 0, x, t * cols);
                }
                panel.reset(type, cols, 3);
                panel.copy(0, 1, 0, single, 0);
                panel.copy(1, 2, 1, single, 2);
                panel.copy(1, 2, 0, single, 1);
                check(set, type, cols, panel, x, random);
                single.close();
            }
            panel.close();
        }
    }

    /// A panel of three tokens, the last two of which are a tile.
    private static void check(KernelSet set, PackedType type, int cols, Panel panel, float[] x, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            PackedWeight w = PackedData.weight(arena, type, cols, 16, 1, false, random);
            float[] y = new float[48];
            int[] yAt = {0, 16, 32};
            set.matmul(w, 0, 0, 1, panel, 0, 1, y, yAt, 0, new Scratch());
            set.matmul(w, 0, 0, 1, panel, 1, 2, y, yAt, 1, new Scratch());
            for (int i = 0; i < y.length; i++) {
                assertThat(y[i])
                        .as("%s %s %d", set.name(), type, i)
                        .isEqualTo(PackedOracle.product(w, 0, i % 16, x, i / 16 * cols));
            }
        }
    }

    /// What no number can be made of makes no number, and nothing worse.
    @Test
    void infinityAndNaNPassThrough() {
        for (KernelSet set : sets()) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                float[] x = PackedData.activations(256, false, new Random(1));
                x[77] = bad;
                try (Arena arena = Arena.ofConfined()) {
                    PackedWeight w = PackedData.weight(arena, PackedType.Q4_0, 256, 16, 1, false, new Random(2));
                    Panel panel = set.newPanel();
                    panel.reset(PackedType.Q4_0, 256, 1);
                    panel.set(0, 1, 0, x, 0);
                    float[] y = new float[16];
                    set.matmul(w, 0, 0, 1, panel, 0, 1, y, new int[1], 0, new Scratch());
                    for (int row = 0; row < 16; row++) {
                        assertThat(Float.floatToIntBits(y[row]))
                                .isEqualTo(Float.floatToIntBits(PackedOracle.product(w, 0, row, x, 0)));
                    }
                    panel.close();
                }
            }
        }
    }

    @Test
    void aCallAllocatesNothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int cols = 256;
        float[] x = PackedData.activations(cols * 4, false, new Random(1));
        float[] y = new float[4 * 32];
        int[] yAt = {0, 32, 64, 96};
        Scratch scratch = new Scratch();
        for (KernelSet set : sets()) {
            try (Arena arena = Arena.ofConfined()) {
                PackedWeight w = PackedData.weight(arena, PackedType.Q4_K, cols, 32, 1, false, new Random(2));
                Panel panel = set.newPanel();
                Panel other = set.newPanel();
                Runnable step = () -> {
                    panel.reset(PackedType.Q4_K, cols, 4);
                    for (int t = 0; t < 4; t++) {
                        panel.set(t, 1, 0, x, t * cols);
                    }
                    other.reset(PackedType.Q4_K, cols, 4);
                    for (int t = 0; t < 4; t++) {
                        other.copy(0, 4, t, panel, t);
                    }
                    set.matmul(w, 0, 0, 2, other, 0, 4, y, yAt, 0, scratch);
                };
                long perRun = Long.MAX_VALUE;
                long giveUp = System.nanoTime() + 60_000_000_000L;
                while (perRun > 0 && System.nanoTime() < giveUp) {
                    long before = threads.getCurrentThreadAllocatedBytes();
                    for (int i = 0; i < 2000; i++) {
                        step.run();
                    }
                    perRun = (threads.getCurrentThreadAllocatedBytes() - before) / 2000;
                }
                assertThat(perRun).as("bytes a call of %s", set.name()).isZero();
                panel.close();
                other.close();
            }
        }
    }

    @Test
    void eachSetIsThereOrSaysWhyNot() {
        List<KernelSets.Candidate> all = NativeKernels.candidates(CpuInfo.read());
        assertThat(all)
                .extracting(KernelSets.Candidate::name)
                .containsExactly("avx512-vnni", "avx-vnni", "avx2", "neon-dotprod");
        assertThat(all)
                .allSatisfy(c ->
                        assertThat(c.reason().isEmpty()).isEqualTo(c.kernels().isPresent()));
        assertThat(NativeKernels.Target.AVX512_VNNI.lacking("amd64", Set.of("avx2", "fma", "f16c", "avx512f")))
                .contains("the processor lacks avx512_vnni, avx512bw, avx512vl");
        assertThat(NativeKernels.Target.AVX2.lacking("amd64", Set.of("avx2", "fma", "f16c")))
                .isEmpty();
        assertThat(NativeKernels.Target.AVX2.lacking("aarch64", Set.of("asimddp")))
                .contains("for amd64, this is aarch64");
        assertThat(NativeKernels.Target.NEON_DOTPROD.lacking("aarch64", Set.of("feat_dotprod")))
                .isEmpty();
    }
}

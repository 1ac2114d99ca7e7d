package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.ffm.CpuInfo;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
}

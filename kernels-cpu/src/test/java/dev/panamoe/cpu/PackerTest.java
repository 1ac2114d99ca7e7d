package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.panamoe.quant.Quants;
import dev.panamoe.spi.Rounding;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Packed weights give the products that the plain decoder's values give: each column by itself, so that every value is
/// in its place.
class PackerTest {
    private static final int ROWS = 21;
    private static final int SLICES = 2;

    @ParameterizedTest
    @EnumSource
    void everyColumnOfEveryRow(PackedType type) {
        int block = type.stored().blockSize();
        int cols = block == 1 ? 7 : block == 32 ? 96 : 512;
        try (Arena arena = Arena.ofConfined()) {
            TensorView view = view(arena, type, cols, type.stored().rowBytes(block));
            PackedWeight packed = pack(arena, view, type);
            float[] row = new float[cols];
            float[] one = new float[cols];
            for (int slice = 0; slice < SLICES; slice++) {
                for (int r = 0; r < ROWS; r++) {
                    Quants.get(type.stored())
                            .decode(view.data(), view.sliceStart(slice) + r * view.rowBytes(), row, 0, cols);
                    for (int k = 0; k < cols; k++) {
                        one[k] = 127;
                        assertThat(PackedOracle.product(packed, slice, r, one, 0))
                                .as("%s, slice %d, row %d, column %d", type, slice, r, k)
                                // minima are subtracted after the product, so cancellation may cost some bits
                                .isCloseTo(127 * row[k], org.assertj.core.data.Offset.offset(1e-4f));
                        one[k] = 0;
                    }
                }
            }
        }
    }

    /// What all backends round activations for, and what the kernels here do, is one list.
    @Test
    void activationsAreRoundedForWhatIsMultipliedAsIntegers() {
        assertThat(Arrays.stream(PackedType.values())
                        .filter(t -> !t.floatActivations())
                        .map(PackedType::stored))
                .containsExactlyInAnyOrderElementsOf(Rounding.TYPES);
    }

    /// Random blocks whose slices lie `gap` bytes apart.
    static TensorView view(Arena arena, PackedType type, int cols, long gap) {
        Shape shape = Shape.of(cols, ROWS, SLICES);
        long slice = type.stored().rowBytes(cols) * ROWS;
        byte[] bytes = new byte[(int) ((SLICES - 1) * (slice + gap) + slice)];
        new Random(cols).nextBytes(bytes);
        MemorySegment data = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
        Random random = new Random(1);
        for (long o = 0; o < bytes.length; o += type.stored().blockBytes()) {
            Scales.set(type.stored(), data, o, (random.nextInt(200) - 100) / 16384f);
        }
        return new TensorView("test", type.stored(), shape, data, slice + gap);
    }

    static PackedWeight pack(Arena arena, TensorView view, PackedType type) {
        int rows = (int) view.shape().rows();
        int cols = (int) view.shape().cols();
        int slices = (int) view.shape().slices();
        MemorySegment target = arena.allocate(slices * type.sliceBytes(rows, cols), 64);
        PackedWeight packed = new PackedWeight(view.name(), type, view.shape(), target, cols, rows, slices);
        for (int slice = 0; slice < slices; slice++) {
            // In two parts, as threads would.
            Packer.pack(view, type, slice, 0, 1, target);
            Packer.pack(view, type, slice, 1, packed.groups(), target);
        }
        return packed;
    }
}

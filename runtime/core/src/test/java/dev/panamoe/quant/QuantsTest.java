package dev.panamoe.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class QuantsTest {
    private static final Path GOLDENS = Path.of(System.getProperty("panamoe.testdata"), "quants");

    static Set<QuantType> supported() {
        return Quants.supported();
    }

    static Set<QuantType> withGoldens() {
        Set<QuantType> types = EnumSet.copyOf(Quants.supported());
        types.remove(QuantType.F32); // its values are its bytes
        types.removeAll(EnumSet.of(QuantType.Q1_0, QuantType.Q2_0)); // no other program to compare with: by hand below
        return types;
    }

    @ParameterizedTest
    @MethodSource("withGoldens")
    void decodesEveryGoldenBitForBit(QuantType type) throws IOException {
        byte[] blocks = Files.readAllBytes(GOLDENS.resolve(type.name().toLowerCase(Locale.ROOT) + ".blocks"));
        int[] want = ints(GOLDENS.resolve(type.name().toLowerCase(Locale.ROOT) + ".f32"));
        assertThat((long) want.length).isEqualTo((long) blocks.length / type.blockBytes() * type.blockSize());

        float[] got = new float[want.length];
        Quants.get(type).decode(MemorySegment.ofArray(blocks), 0, got, 0, got.length);

        assertThat(bits(got)).containsExactly(want);
    }

    @ParameterizedTest
    @MethodSource("supported")
    void decodesAtAnyOffsetAndWritesNothingElse(QuantType type) {
        int blocks = type.blockSize() == 1 ? 5 : 3;
        int count = blocks * type.blockSize();
        byte[] bytes = new byte[blocks * type.blockBytes()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 37 + 11);
        }
        float[] want = new float[count];
        Quants.get(type).decode(MemorySegment.ofArray(bytes), 0, want, 0, count);

        try (Arena arena = Arena.ofConfined()) {
            MemorySegment odd = arena.allocate(bytes.length + 3);
            MemorySegment.copy(bytes, 0, odd, ValueLayout.JAVA_BYTE, 3, bytes.length);
            float[] got = new float[count + 4];
            Arrays.fill(got, 12345f);
            Quants.get(type).decode(odd, 3, got, 2, count);

            assertThat(bits(Arrays.copyOfRange(got, 2, 2 + count))).containsExactly(bits(want));
            assertThat(new float[] {got[0], got[1], got[count + 2], got[count + 3]})
                    .containsOnly(12345f);
        }
    }

    @Test
    void decodesF32AsItStands() {
        float[] values = {0f, -0f, 1.5f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY, Float.NaN};
        ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        float[] got = new float[values.length];
        Quants.get(QuantType.F32).decode(MemorySegment.ofArray(bytes.array()), 0, got, 0, got.length);
        assertThat(bits(got)).containsExactly(bits(values));
    }

    /// The six values worked out by hand from the layout: nothing here comes from another program.
    @Test
    void placesLowNibblesFirstThenHighNibbles() {
        byte[] block = new byte[18];
        block[1] = 0x40; // f16 2.0
        block[2] = (byte) 0xf0; // value 0: 0 - 8, value 16: 15 - 8
        block[17] = 0x19; // value 15: 9 - 8, value 31: 1 - 8
        float[] got = new float[32];
        Quants.get(QuantType.Q4_0).decode(MemorySegment.ofArray(block), 0, got, 0, 32);
        assertThat(new float[] {got[0], got[16], got[15], got[31], got[1], got[17]})
                .containsExactly(-16f, 14f, 2f, -14f, -16f, -16f);
    }

    @Test
    void scalesOfMxfp4ReachBothEndsOfTheRange() {
        byte[] block = new byte[17];
        block[1] = (byte) 0xf1; // value 0: 1 (half a unit), value 16: -12
        float[] got = new float[32];
        int[] exponents = {0, 1, 2, 128, 255};
        for (int e : exponents) {
            block[0] = (byte) e;
            Quants.get(QuantType.MXFP4).decode(MemorySegment.ofArray(block), 0, got, 0, 32);
            assertThat(got[0]).isEqualTo((float) Math.scalb(1.0, e - 128));
            assertThat(got[16]).isEqualTo((float) (-12 * Math.scalb(1.0, e - 128)));
            assertThat(got[1]).isEqualTo(0f);
        }
    }

    @Test
    void bitsOfQ1AreSignsFromTheLowestOn() {
        byte[] block = new byte[18];
        block[1] = 0x40; // f16 2.0
        block[2] = 0x05; // values 0 and 2
        block[17] = (byte) 0x80; // value 127
        float[] got = new float[128];
        Quants.get(QuantType.Q1_0).decode(MemorySegment.ofArray(block), 0, got, 0, 128);
        for (int i = 0; i < 128; i++) {
            assertThat(got[i]).as("value %d", i).isEqualTo(i == 0 || i == 2 || i == 127 ? 2f : -2f);
        }
    }

    @Test
    void pairsOfBitsOfQ2AreValuesFromMinusOneToTwo() {
        byte[] block = new byte[18];
        block[1] = 0x40; // f16 2.0
        block[2] = (byte) 0b11_10_01_00;
        block[17] = (byte) 0b11_00_00_00;
        float[] got = new float[64];
        Quants.get(QuantType.Q2_0).decode(MemorySegment.ofArray(block), 0, got, 0, 64);
        assertThat(Arrays.copyOf(got, 5)).containsExactly(-2f, 0f, 2f, 4f, -2f);
        assertThat(Arrays.copyOfRange(got, 60, 64)).containsExactly(-2f, -2f, -2f, 4f);
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q8_0", "Q6_K", "MXFP4", "NVFP4", "IQ1_M", "Q1_0"})
    void refusesPartsOfBlocks(QuantType type) {
        MemorySegment src = MemorySegment.ofArray(new byte[1000]);
        assertThatThrownBy(() -> Quants.get(type).decode(src, 0, new float[512], 0, type.blockSize() + 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(type.name());
        assertThatThrownBy(() -> Quants.get(type).decode(src, 0, new float[512], 0, -type.blockSize()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @MethodSource("supported")
    void readsAndWritesOnlyInsideTheBounds(QuantType type) {
        MemorySegment src = MemorySegment.ofArray(new byte[type.blockBytes() * 2]);
        int count = type.blockSize() * 2;
        assertThatThrownBy(() -> Quants.get(type).decode(src, 1, new float[count], 0, count))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Quants.get(type).decode(src, 0, new float[count - 1], 0, count))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void supportsWhatThisReleasePromises() {
        // All that files may hold: the rest are plain integers, doubles and formats of activations.
        assertThat(Quants.supported())
                .isEqualTo(EnumSet.complementOf(EnumSet.of(
                        QuantType.I8,
                        QuantType.I16,
                        QuantType.I32,
                        QuantType.I64,
                        QuantType.F64,
                        QuantType.Q8_1,
                        QuantType.Q8_K)));
        for (QuantType type : Quants.supported()) {
            assertThat(Quants.get(type).type()).isEqualTo(type);
        }
    }

    @Test
    void namesTheSupportedTypesWhenOneIsNot() {
        assertThat(Quants.find(QuantType.Q8_1)).isEmpty();
        assertThatThrownBy(() -> Quants.get(QuantType.Q8_1))
                .isInstanceOf(PanamoeException.class)
                .hasMessageContaining("Q8_1")
                .hasMessageContaining("F32, F16, Q4_0")
                .hasMessageContaining("MXFP4")
                .hasMessageNotContaining("\n");
    }

    private static int[] ints(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int[] out = new int[bytes.remaining() / 4];
        bytes.asIntBuffer().get(out);
        return out;
    }

    private static int[] bits(float[] values) {
        int[] out = new int[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = Float.floatToRawIntBits(values[i]);
        }
        return out;
    }
}

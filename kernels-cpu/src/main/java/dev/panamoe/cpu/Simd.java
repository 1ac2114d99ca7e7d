package dev.panamoe.cpu;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The vector shapes of this run and how bytes of weights become lanes.
///
/// Kernels see one set of species in static finals, which the JIT takes for constants. The width is the machine's
/// preferred one, 512 bits at most; the system property `panamoe.cpu.vectorBits` (128, 256, 512) overrides it so that
/// tests run all of them.
final class Simd {
    static final String WIDTH_PROPERTY = "panamoe.cpu.vectorBits";

    /// Partial sums of a dot product: see the package.
    static final int SUMS = 16;

    static final VectorSpecies<Float> F;
    static final VectorSpecies<Integer> I;

    /// Lanes of a vector: 4, 8 or 16, a divisor of {@link #SUMS}.
    static final int L;

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final VectorSpecies<Byte> BYTES;
    private static final VectorSpecies<Short> SHORTS;
    private static final IntVector BYTE_SHIFTS;

    /// Twice the magnitudes of E2M1, four bits each: 0, 1, 2, 3, 4, 6, 8, 12.
    private static final IntVector MAGNITUDES;

    /// The bits of all sixteen doubled values as floats, where a vector holds them.
    private static final IntVector DOUBLED_E2M1;

    /// The sixteen steps of IQ4_NL, four signed bytes a word, the first one topmost.
    private static final int[] NON_LINEAR_WORDS = {0x8198adbf, 0xcfddeaf6, 0x010d1926, 0x35455971};

    /// The steps of each word in all lanes, for vectors that do not hold all sixteen.
    private static final IntVector NON_LINEAR_0;

    private static final IntVector NON_LINEAR_1;
    private static final IntVector NON_LINEAR_2;
    private static final IntVector NON_LINEAR_3;

    /// The bits of the sixteen steps as floats, where a vector holds them.
    private static final IntVector NON_LINEAR;

    static {
        int preferred = Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
        switch (Integer.getInteger(WIDTH_PROPERTY, preferred)) {
            case 512 -> {
                F = FloatVector.SPECIES_512;
                I = IntVector.SPECIES_512;
                BYTES = ByteVector.SPECIES_128;
                SHORTS = ShortVector.SPECIES_256;
            }
            case 256 -> {
                F = FloatVector.SPECIES_256;
                I = IntVector.SPECIES_256;
                BYTES = ByteVector.SPECIES_64;
                SHORTS = ShortVector.SPECIES_128;
            }
            case 128 -> {
                F = FloatVector.SPECIES_128;
                I = IntVector.SPECIES_128;
                BYTES = ByteVector.SPECIES_64;
                SHORTS = ShortVector.SPECIES_64;
            }
            default -> throw new IllegalStateException(WIDTH_PROPERTY + " is none of 128, 256, 512");
        }
        L = F.length();
        BYTE_SHIFTS = IntVector.zero(I).addIndex(8).and(31);
        MAGNITUDES = IntVector.broadcast(I, 0xc8643210);
        DOUBLED_E2M1 = L == 16
                ? FloatVector.fromArray(F, new float[] {0, 1, 2, 3, 4, 6, 8, 12, -0f, -1, -2, -3, -4, -6, -8, -12}, 0)
                        .reinterpretAsInts()
                : IntVector.zero(I);
        NON_LINEAR_0 = IntVector.broadcast(I, NON_LINEAR_WORDS[0]);
        NON_LINEAR_1 = IntVector.broadcast(I, NON_LINEAR_WORDS[1]);
        NON_LINEAR_2 = IntVector.broadcast(I, NON_LINEAR_WORDS[2]);
        NON_LINEAR_3 = IntVector.broadcast(I, NON_LINEAR_WORDS[3]);
        float[] steps = new float[16];
        for (int i = 0; i < 16; i++) {
            steps[i] = NON_LINEAR_WORDS[i / 4] << (i % 4 * 8) >> 24;
        }
        NON_LINEAR = L == 16 ? FloatVector.fromArray(F, steps, 0).reinterpretAsInts() : IntVector.zero(I);
    }

    private Simd() {}

    /// The next `L` bytes, each zero-extended to a lane.
    static IntVector unsignedBytes(MemorySegment s, long offset) {
        if (L == 4) {
            // There is no species of four bytes, and reading eight would leave the segment at its end.
            return IntVector.broadcast(I, s.get(LittleEndian.I32, offset))
                    .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
                    .and(255);
        }
        return (IntVector)
                ByteVector.fromMemorySegment(BYTES, s, offset, LE).convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
    }

    /// The next `L` bytes, each sign-extended to a lane.
    static IntVector signedBytes(MemorySegment s, long offset) {
        if (L == 4) {
            return IntVector.broadcast(I, s.get(LittleEndian.I32, offset))
                    .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
                    .lanewise(VectorOperators.LSHL, 24)
                    .lanewise(VectorOperators.ASHR, 24);
        }
        return (IntVector) ByteVector.fromMemorySegment(BYTES, s, offset, LE).convertShape(VectorOperators.B2I, I, 0);
    }

    /// The next `L` 16-bit values, each sign-extended to a lane.
    static IntVector shorts(MemorySegment s, long offset) {
        return (IntVector) ShortVector.fromMemorySegment(SHORTS, s, offset, LE).convertShape(VectorOperators.S2I, I, 0);
    }

    /// The next `L` floats.
    static FloatVector floats(MemorySegment s, long offset) {
        return FloatVector.fromMemorySegment(F, s, offset, LE);
    }

    /// IEEE halves, sign-extended to lanes, as floats; exact, with subnormals and infinities. NaN becomes infinity.
    static FloatVector halves(IntVector h) {
        // The exponent goes where that of a float is, 112 too small; the first product mends it, subnormals included.
        // The other two overflow for what lies above the largest half, and change nothing else.
        return h.lanewise(VectorOperators.LSHL, 13)
                .and(0x8fffe000)
                .reinterpretAsFloats()
                .mul(0x1p112f)
                .mul(0x1p112f)
                .mul(0x1p-112f);
    }

    /// Four-bit floats (E2M1) in the low bits of lanes, times two; the other bits of the lanes may be anything.
    static FloatVector doubledE2m1(IntVector q) {
        if (L == 16) {
            return q.and(15).selectFrom(DOUBLED_E2M1).reinterpretAsFloats();
        }
        IntVector magnitude = MAGNITUDES
                .lanewise(VectorOperators.LSHR, q.and(7).lanewise(VectorOperators.LSHL, 2))
                .and(15);
        return ((FloatVector) magnitude.convert(VectorOperators.I2F, 0))
                .reinterpretAsInts()
                .or(q.lanewise(VectorOperators.LSHL, 28).and(0x80000000))
                .reinterpretAsFloats();
    }

    /// The steps of IQ4_NL that the low four bits of lanes stand for; the other bits may be anything.
    static FloatVector nonLinear(IntVector q) {
        if (L == 16) {
            return q.and(15).selectFrom(NON_LINEAR).reinterpretAsFloats();
        }
        VectorMask<Integer> odd = q.and(4).compare(VectorOperators.NE, 0);
        IntVector word = NON_LINEAR_0
                .blend(NON_LINEAR_1, odd)
                .blend(NON_LINEAR_2.blend(NON_LINEAR_3, odd), q.and(8).compare(VectorOperators.NE, 0));
        return (FloatVector) word.lanewise(VectorOperators.LSHL, q.and(3).lanewise(VectorOperators.LSHL, 3))
                .lanewise(VectorOperators.ASHR, 24)
                .convert(VectorOperators.I2F, 0);
    }
}

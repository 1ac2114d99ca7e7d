package dev.panamoe.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The layouts of everything in a model file: little-endian, of any alignment. A segment carries no byte order of its
/// own, so each read names one of these.
public final class LittleEndian {
    public static final ValueLayout.OfByte I8 = ValueLayout.JAVA_BYTE;
    public static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    /// The unsigned byte at `offset`.
    public static int u8(MemorySegment s, long offset) {
        return s.get(I8, offset) & 0xff;
    }

    /// The unsigned 16-bit value at `offset`.
    public static int u16(MemorySegment s, long offset) {
        return s.get(I16, offset) & 0xffff;
    }

    /// The IEEE half at `offset`, exactly.
    public static float f16(MemorySegment s, long offset) {
        return Float.float16ToFloat(s.get(I16, offset));
    }

    /// The bfloat16 at `offset`, exactly: the upper half of the bits of a float.
    public static float bf16(MemorySegment s, long offset) {
        return Float.intBitsToFloat(s.get(I16, offset) << 16);
    }
}

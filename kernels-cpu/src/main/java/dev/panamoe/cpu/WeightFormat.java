package dev.panamoe.cpu;

import dev.panamoe.tensor.QuantType;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;

/// What the kernels do with weights of one storage type. Both ways give the same values: those of
/// `dev.panamoe.quant.BlockDecoder`, bit for bit but for the sign of zero. Layouts are drawn there.
interface WeightFormat {
    /// Weights as floats, for products with many rows of activations.
    ///
    /// @param src weights, little-endian, of any alignment
    /// @param offset byte of the first block
    /// @param dst receives values from `at` on
    /// @param count number of values, a multiple of the type's block size
    void unpack(MemorySegment src, long offset, float[] dst, int at, int count);

    /// The product of one row of weights and one of activations, without unpacked weights in memory. One row at a time
    /// reads memory as one stream, which hardware prefetching follows best.
    ///
    /// @param count values of the row, which begins at byte `offset` of `src` and at `x[at]`
    /// @param sums receives the sixteen partial sums from `s` on, see the package
    void dot(MemorySegment src, long offset, float[] x, int at, int count, float[] sums, int s);

    /// The types of this backend.
    Map<QuantType, WeightFormat> TYPES = types();

    /// @throws IllegalArgumentException when this backend does not have the type
    static WeightFormat of(QuantType type) {
        WeightFormat format = TYPES.get(type);
        if (format == null) {
            throw new IllegalArgumentException(type + " is not supported");
        }
        return format;
    }

    private static Map<QuantType, WeightFormat> types() {
        Map<QuantType, WeightFormat> types = new EnumMap<>(QuantType.class);
        types.put(QuantType.F32, new PlainFormats.F32());
        types.put(QuantType.F16, new PlainFormats.F16());
        types.put(QuantType.BF16, new PlainFormats.BF16());
        types.put(QuantType.Q4_0, new BlockFormats.Q4_0());
        types.put(QuantType.Q4_1, new BlockFormats.Q4_1());
        types.put(QuantType.Q5_0, new BlockFormats.Q5_0());
        types.put(QuantType.Q5_1, new BlockFormats.Q5_1());
        types.put(QuantType.Q8_0, new BlockFormats.Q8_0());
        types.put(QuantType.MXFP4, new BlockFormats.MXFP4());
        types.put(QuantType.IQ4_NL, new NonLinearFormats.IQ4_NL());
        types.put(QuantType.IQ4_XS, new NonLinearFormats.IQ4_XS());
        types.put(QuantType.Q2_K, new TwoBitFormats.Q2_K());
        types.put(QuantType.Q3_K, new TwoBitFormats.Q3_K());
        types.put(QuantType.Q4_K, new SuperBlockFormats.Q4_K());
        types.put(QuantType.Q5_K, new SuperBlockFormats.Q5_K());
        types.put(QuantType.Q6_K, new SuperBlockFormats.Q6_K());
        for (QuantType type : EnumSet.of(
                QuantType.IQ1_S,
                QuantType.IQ1_M,
                QuantType.IQ2_XXS,
                QuantType.IQ2_XS,
                QuantType.IQ2_S,
                QuantType.IQ3_XXS,
                QuantType.IQ3_S,
                QuantType.TQ1_0,
                QuantType.TQ2_0,
                QuantType.Q1_0,
                QuantType.Q2_0,
                QuantType.NVFP4)) {
            types.put(type, new DecodedFormat(type));
        }
        return Collections.unmodifiableMap(types);
    }
}

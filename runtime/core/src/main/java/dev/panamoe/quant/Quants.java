package dev.panamoe.quant;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// The storage types that can be decoded. A new type is one file beside this one and one entry here.
public final class Quants {
    private static final Map<QuantType, BlockDecoder> DECODERS = index(List.of(
            new F32(),
            new F16(),
            new BF16(),
            new Q4_0(),
            new Q4_1(),
            new Q5_0(),
            new Q5_1(),
            new Q8_0(),
            new Q2_K(),
            new Q3_K(),
            new Q4_K(),
            new Q5_K(),
            new Q6_K(),
            new IQ1_S(),
            new IQ1_M(),
            new IQ2_XXS(),
            new IQ2_XS(),
            new IQ2_S(),
            new IQ3_XXS(),
            new IQ3_S(),
            new IQ4_NL(),
            new IQ4_XS(),
            new TQ1_0(),
            new TQ2_0(),
            new Q1_0(),
            new Q2_0(),
            new MXFP4(),
            new NVFP4()));

    private Quants() {}

    /// The decoder of a type, if there is one.
    public static Optional<BlockDecoder> find(QuantType type) {
        return Optional.ofNullable(DECODERS.get(type));
    }

    /// The decoder of a type.
    ///
    /// @throws PanamoeException naming the supported types when there is none
    public static BlockDecoder get(QuantType type) {
        return find(type)
                .orElseThrow(() -> new PanamoeException("the storage type " + type
                        + " cannot be decoded; use a file with these types only: "
                        + supported().stream().map(QuantType::name).collect(Collectors.joining(", "))));
    }

    /// The values of a small tensor whose slices touch, decoded on the heap.
    ///
    /// @param source the file, for messages
    /// @return (size), in the order of the file
    /// @throws PanamoeException naming file and tensor when its type cannot be decoded
    public static float[] decode(TensorView tensor, String source) {
        BlockDecoder decoder = find(tensor.type())
                .orElseThrow(() -> new PanamoeException(
                        source + ": " + tensor.name() + ": " + tensor.type() + " cannot be decoded; it should be F32"));
        float[] values = new float[Math.toIntExact(tensor.shape().size())];
        decoder.decode(tensor.data(), 0, values, 0, values.length);
        return values;
    }

    /// The encoder of a type.
    ///
    /// @throws IllegalArgumentException when there is none: only types that caches are stored as have one
    public static BlockEncoder encoder(QuantType type) {
        if (find(type).orElse(null) instanceof BlockEncoder encoder) {
            return encoder;
        }
        throw new IllegalArgumentException("values cannot be stored as " + type);
    }

    /// The types that can be decoded, in the order of their GGUF ids.
    public static Set<QuantType> supported() {
        return Collections.unmodifiableSet(DECODERS.keySet());
    }

    private static Map<QuantType, BlockDecoder> index(List<BlockDecoder> decoders) {
        Map<QuantType, BlockDecoder> map = new EnumMap<>(QuantType.class);
        decoders.forEach(d -> map.put(d.type(), d));
        return map;
    }
}

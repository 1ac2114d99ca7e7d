package dev.panamoe.gguf;

import dev.panamoe.tensor.QuantType;

/// Says why a tensor type id cannot be read.
final class TensorTypes {
    /// ik_llama.cpp numbers its own types from here; ggml's own ids stay far below.
    private static final int IK_FIRST = 133;

    private static final int IK_LAST = 511;

    private TensorTypes() {}

    /// What to say of an id that [QuantType#byId] does not know.
    static String explain(int id) {
        return switch (id) {
            case 4, 5 -> "the type Q4_" + (id - 2) + " (id " + id + "), which GGUF removed; get a newer file";
            case 31, 32, 33 ->
                "an interleaved variant of Q4_0 (id " + id + "), which GGUF removed; get a plain Q4_0 file";
            case 36, 37, 38 ->
                "an interleaved variant of IQ4_NL (id " + id + "), which GGUF removed; get a plain IQ4_NL file";
            default ->
                id >= IK_FIRST && id <= IK_LAST
                        ? "the ik_llama.cpp-only type " + ikName(id) + "; get a file with llama.cpp's types"
                        : "the unknown type " + Integer.toUnsignedString(id) + "; the file is damaged or too new";
        };
    }

    private static String ikName(int id) {
        String name = switch (id) {
            case 133 -> "Q6_0";
            case 137, 138, 139, 140, 141 -> "IQ" + (id - 135) + "_K";
            case 144 -> "IQ4_KS";
            case 153, 154, 155, 156, 157, 158 -> "IQ*_KT";
            default -> id >= 202 ? "with interleaved rows (_R4, _R8)" : "";
        };
        return (name + " (id " + id + ")").strip();
    }
}

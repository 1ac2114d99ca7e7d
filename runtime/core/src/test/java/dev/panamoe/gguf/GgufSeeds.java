package dev.panamoe.gguf;

import dev.panamoe.tensor.QuantType;
import java.util.List;

/// Small sound files that together use everything the format has.
final class GgufSeeds {
    private GgufSeeds() {}

    static List<byte[]> all() {
        GgufWriter everyType = new GgufWriter();
        int[] sizes = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
        for (int type = 0; type < sizes.length; type++) {
            if (sizes[type] > 0) {
                everyType
                        .raw("scalar" + type, type, GgufWriter.le(sizes[type], 3))
                        .array("array" + type, type, 2, new byte[2 * sizes[type]]);
            }
        }
        GgufWriter everyTensorType = new GgufWriter();
        for (QuantType type : QuantType.values()) {
            everyTensorType.tensor("t." + type, type, type.blockSize(), 2);
        }
        return List.of(
                new GgufWriter().bytes(),
                new GgufWriter()
                        .version(2)
                        .key("general.architecture", "gemma4")
                        .bytes(),
                everyType
                        .key("text", "žluť")
                        .key("texts", new String[] {"a", "", "b".repeat(40)})
                        .bytes(),
                everyTensorType.bytes(),
                new GgufWriter()
                        .alignment(64)
                        .key("general.type", "model")
                        .key("split.no", (short) 0)
                        .key("split.count", (short) 1)
                        .key("split.tensors.count", 2)
                        .tensor("token_embd.weight", QuantType.Q4_0, 64, 3)
                        .tensor("blk.0.ffn_gate_exps.weight", QuantType.MXFP4, 32, 2, 2, 2)
                        .bytes());
    }
}

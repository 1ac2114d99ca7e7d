package dev.panamoe.cli;

import dev.panamoe.engine.Engine;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.TensorView;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;

/// What a benchmark says of a model.
///
/// @param source as the user named it
/// @param architecture `general.architecture`
/// @param type in which most of its bytes are stored
/// @param bytes of all tensors
/// @param parameters weights in all tensors
record BenchModel(String source, String architecture, QuantType type, long bytes, long parameters) {
    static BenchModel of(String source, Engine engine) {
        Map<QuantType, Long> byType = new EnumMap<>(QuantType.class);
        long parameters = 0;
        for (TensorView t : engine.tensors()) {
            byType.merge(t.type(), TensorView.byteSize(t.type(), t.shape()), Long::sum);
            parameters += t.shape().size();
        }
        QuantType most = byType.entrySet().stream()
                .max(Comparator.comparingLong(Map.Entry::getValue))
                .map(Map.Entry::getKey)
                .orElse(QuantType.F32);
        return new BenchModel(
                source,
                engine.spec().architecture(),
                most,
                byType.values().stream().mapToLong(b -> b).sum(),
                parameters);
    }

    /// The file's name without its folder and ending.
    String name() {
        return source.substring(source.lastIndexOf('/') + 1).replaceFirst("\\.gguf$", "");
    }
}

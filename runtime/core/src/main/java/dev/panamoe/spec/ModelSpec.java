package dev.panamoe.spec;

import java.util.List;

/// What a model is, apart from its weights: built from GGUF metadata by `dev.panamoe.arch`, never changed.
///
/// @param architecture `general.architecture`
/// @param name for people
/// @param embedding width of the residual stream
/// @param vocabulary rows of the embedding table
/// @param contextLength positions the model was trained for
/// @param normEps of every RMS norm
/// @param embeddingScale factor on token embeddings
/// @param logitSoftcap cap of the logits, 0 = none
/// @param perLayerInput width of the per-layer embeddings, 0 = none (Gemma 4 E2B, E4B)
public record ModelSpec(
        String architecture,
        String name,
        int embedding,
        int vocabulary,
        int contextLength,
        float normEps,
        float embeddingScale,
        float logitSoftcap,
        int perLayerInput,
        List<LayerSpec> layers) {
    public ModelSpec {
        layers = List.copyOf(layers);
        Math.multiplyExact(perLayerInput, layers.size());
    }
}

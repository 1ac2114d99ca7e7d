package dev.panamoe.spi;

import dev.panamoe.spec.RouterSpec;
import org.jspecify.annotations.Nullable;

/// A {@link RouterSpec} with its weights on a device.
///
/// @param selectionBias (experts) F32, added to scores for choosing only; null when the model has none
/// @param expertScale (experts) F32, on the weight of each chosen expert; null when the model has none
public record Router(
        RouterSpec spec,
        @Nullable Weight selectionBias,
        @Nullable Weight expertScale) {}

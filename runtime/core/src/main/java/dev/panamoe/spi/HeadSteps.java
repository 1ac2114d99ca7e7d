package dev.panamoe.spi;

import org.jspecify.annotations.Nullable;

/// What is done to projected queries, keys or values before attention, in this order.
///
/// @param bias (heads * size) F32, added; null when there is none
/// @param normed whether each head is normed
/// @param norm (size) F32: the norm's weight; null when it has none
/// @param rope how the first columns of each head are rotated; null when they are not
public record HeadSteps(
        @Nullable Weight bias,
        boolean normed,
        @Nullable Weight norm,
        @Nullable Rope rope) {
    public HeadSteps {
        if (norm != null && !normed) {
            throw new IllegalArgumentException("the weight " + norm.name() + " of a norm that there is not");
        }
    }
}

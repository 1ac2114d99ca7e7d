package dev.panamoe.arch;

import dev.panamoe.spec.RopeSpec;

/// Inverse frequencies of the rotary embedding's variants.
final class Ropes {
    private Ropes() {}

    /// `base^(-2i / dims)` for `i = 0 … dims/2 - 1`.
    static float[] plain(int dims, float base) {
        float[] f = new float[dims / 2];
        for (int i = 0; i < f.length; i++) {
            f[i] = (float) Math.pow(base, -2.0 * i / dims);
        }
        return f;
    }

    /// Positions divided by `factor`.
    static float[] linear(int dims, float base, float factor) {
        float[] f = plain(dims, base);
        for (int i = 0; i < f.length; i++) {
            f[i] /= factor;
        }
        return f;
    }

    /// YaRN (Peng et al. 2023, "YaRN: Efficient Context Window Extension"): pairs that turn often within the original
    /// context keep their frequency, slow ones are divided by `factor`, with a linear ramp between.
    ///
    /// @param originalContext positions the model was first trained for
    /// @param betaFast turns within the original context from which on a pair keeps its frequency
    /// @param betaSlow turns up to which it is divided
    /// @param roundBounds whether the ramp begins and ends at whole pairs, as it does but for gpt-oss
    static float[] yarn(
            int dims,
            float base,
            float factor,
            int originalContext,
            float betaFast,
            float betaSlow,
            boolean roundBounds) {
        double low = rampBound(dims, base, originalContext, betaFast);
        double high = rampBound(dims, base, originalContext, betaSlow);
        low = Math.max(0, roundBounds ? Math.floor(low) : low);
        high = Math.min(dims - 1, roundBounds ? Math.ceil(high) : high);
        float[] f = plain(dims, base);
        for (int i = 0; i < f.length; i++) {
            double divided = Math.clamp((i - low) / Math.max(0.001, high - low), 0, 1);
            f[i] = (float) (f[i] / factor * divided + f[i] * (1 - divided));
        }
        return f;
    }

    /// YaRN as the keys `rope.scaling.*` have it.
    static float[] yarn(Hyper h, int dims, float base, boolean roundBounds) {
        return yarn(
                dims,
                base,
                h.positive("rope.scaling.factor"),
                h.width("rope.scaling.original_context_length"),
                h.positive("rope.scaling.yarn_beta_fast", 32f),
                h.positive("rope.scaling.yarn_beta_slow", 1f),
                roundBounds);
    }

    /// The pair, as a real number, that turns `turns` times within the original context.
    private static double rampBound(int dims, float base, int originalContext, float turns) {
        return dims * Math.log(originalContext / (2 * Math.PI * turns)) / (2 * Math.log(base));
    }

    /// `0.1 m ln(factor) + 1`: how much YaRN raises attention, `m` being the model's multiplier.
    static double yarnMagnitude(double factor, double m) {
        return factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1;
    }

    /// Frequencies divided by the factors a file gives (`rope_freqs.weight`).
    static float[] divided(float[] frequencies, float[] divisors) {
        float[] f = new float[frequencies.length];
        for (int i = 0; i < f.length; i++) {
            f[i] = frequencies[i] / divisors[i];
        }
        return f;
    }

    static RopeSpec halves(float[] frequencies) {
        return new RopeSpec(RopeSpec.Pairing.HALVES, frequencies, 1f);
    }
}

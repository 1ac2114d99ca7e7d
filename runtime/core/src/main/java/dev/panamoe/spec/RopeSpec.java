package dev.panamoe.spec;

/// Rotary position embedding as data: every variant (plain, YaRN, frequency factors, partly rotated heads) is a list
/// of inverse frequencies.
///
/// Pair `i` of a head at position `p` turns by the angle `p * inverseFrequency(i)`:
/// `(a, b) -> amplitude * (a cos - b sin, a sin + b cos)`.
public final class RopeSpec {
    /// Which two values of a head turn together.
    public enum Pairing {
        /// `(2i, 2i + 1)`; llama.cpp calls it NORM.
        INTERLEAVED,
        /// `(i, i + dims / 2)`; llama.cpp calls it NEOX.
        HALVES
    }

    private final Pairing pairing;
    private final float[] inverseFrequencies;
    private final float amplitude;

    /// @param inverseFrequencies radians per position of each pair: `dims / 2` values
    /// @param amplitude factor on the rotated values; 1 but for YaRN without mscale
    public RopeSpec(Pairing pairing, float[] inverseFrequencies, float amplitude) {
        this.pairing = pairing;
        this.inverseFrequencies = inverseFrequencies.clone();
        for (float f : this.inverseFrequencies) {
            if (!Float.isFinite(f)) {
                throw new IllegalArgumentException("a rope frequency is " + f);
            }
        }
        this.amplitude = amplitude;
    }

    public Pairing pairing() {
        return pairing;
    }

    /// A copy: `dims / 2` values.
    public float[] inverseFrequencies() {
        return inverseFrequencies.clone();
    }

    public float amplitude() {
        return amplitude;
    }

    /// How many values of a head turn.
    public int dims() {
        return 2 * inverseFrequencies.length;
    }
}

package dev.panamoe.sampling;

/// A counter-based generator: draw `n` of seed `s` is `mix(s + (n + 1) · γ)` with the golden γ and the finalizer
/// "variant 13" of David Stafford, that is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
/// generators, 2014). Integer arithmetic only, so it is the same on every machine.
final class CounterRandom {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private final long seed;
    private long draws;

    CounterRandom(long seed) {
        this.seed = seed;
    }

    long nextLong() {
        draws++;
        long z = seed + draws * GAMMA;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /// Uniform over the multiples of 2⁻⁵³ from 0 to below 1.
    double nextUnit() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }
}

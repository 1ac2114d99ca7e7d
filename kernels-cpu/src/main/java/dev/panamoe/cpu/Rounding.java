package dev.panamoe.cpu;

/// Rounds activations to the values that packed weights meet, for weights that are not packed: a slow way to the same
/// results, which shows that packing changes nothing.
final class Rounding {
    private static final int BLOCK = 32;

    private Rounding() {}

    /// `n` values from `x[at]` on, in blocks of 32, to `y[to]` on. May be in place. The rule is in
    /// `docs/packed-weights.md`.
    static void row(float[] x, int at, float[] y, int to, int n) {
        for (int block = 0; block < n; block += BLOCK) {
            int count = Math.min(BLOCK, n - block);
            float max = 0;
            for (int i = block; i < block + count; i++) {
                max = Math.max(max, Math.abs(x[at + i]));
            }
            float step = max / 127;
            float inverse = max == 0 ? 0 : 127 / max;
            for (int i = block; i < block + count; i++) {
                // Of the least subnormal values the inverse is infinite, and that of zero no number.
                float scaled = x[at + i] == 0 ? 0 : x[at + i] * inverse;
                y[to + i] = step * (float) Math.clamp(Math.rint(scaled), -127, 127);
            }
        }
    }
}

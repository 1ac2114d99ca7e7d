package dev.panamoe.cpu;

import static dev.panamoe.cpu.Simd.F;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Functions of whole vectors, made of exactly rounded operations only, so that interpreter, compiler and every vector
/// width give the same bits.
final class VectorMath {
    private static final float LOG2_E = 1.442695f;

    /// ln 2 in two parts, the first with few enough digits that its product with a whole number is exact.
    private static final float LN2_HIGH = 0x1.63p-1f;

    private static final float LN2_LOW = -2.12194440e-4f;

    /// Adding and subtracting it rounds to a whole number.
    private static final float ROUND = 0x1.8p23f;

    private VectorMath() {}

    /// `e^x`, within 2 units in the last place; 0 below -104, infinity above 89.
    ///
    /// `e^x = 2^n e^r` with `|r| <= ln 2 / 2`; the Taylor polynomial of degree 7 is accurate to 6e-9 there.
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(-104f).min(89f);
        FloatVector n = clamped.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND))
                .sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(F, -LN2_HIGH), clamped);
        r = n.fma(FloatVector.broadcast(F, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(F, 1f / 5040);
        p = p.fma(r, FloatVector.broadcast(F, 1f / 720));
        p = p.fma(r, FloatVector.broadcast(F, 1f / 120));
        p = p.fma(r, FloatVector.broadcast(F, 1f / 24));
        p = p.fma(r, FloatVector.broadcast(F, 1f / 6));
        p = p.fma(r, FloatVector.broadcast(F, 0.5f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        p = p.fma(r, FloatVector.broadcast(F, 1f));
        // 2^n in two factors: n reaches beyond the exponents of a float on both sides.
        IntVector whole = (IntVector) n.convert(VectorOperators.F2I, 0);
        IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
        return p.mul(powerOfTwo(half)).mul(powerOfTwo(whole.sub(half)));
    }

    private static FloatVector powerOfTwo(IntVector n) {
        return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    }

    /// `x / (1 + e^-x)`.
    static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1f));
    }

    /// The tanh form of GELU, `0.5 x (1 + tanh z)`, which is `x / (1 + e^-2z)`.
    static FloatVector gelu(FloatVector x) {
        FloatVector cube = x.mul(x).mul(x);
        FloatVector z = cube.fma(FloatVector.broadcast(F, 0.044715f), x).mul(-2 * 0.7978846f);
        return x.div(exp(z).add(1f));
    }

    /// {@link dev.panamoe.spec.Activation#SWIGLU_CLAMPED}.
    static FloatVector clampedSwiglu(FloatVector gate, FloatVector up) {
        FloatVector g = gate.min(7f);
        return g.div(exp(g.mul(-1.702f)).add(1f)).mul(up.max(-7f).min(7f).add(1f));
    }

    /// `tanh x`, within 2e-7.
    static FloatVector tanh(FloatVector x) {
        FloatVector two = FloatVector.broadcast(F, 2f);
        return FloatVector.broadcast(F, 1f).sub(two.div(exp(x.mul(2f)).add(1f)));
    }

    /// {@link #exp(FloatVector)} of one value, the same bits.
    static float exp(float x) {
        float clamped = Math.min(Math.max(x, -104f), 89f);
        float n = Math.fma(clamped, LOG2_E, ROUND) - ROUND;
        float r = Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, clamped));
        float p = Math.fma(1f / 5040, r, 1f / 720);
        p = Math.fma(p, r, 1f / 120);
        p = Math.fma(p, r, 1f / 24);
        p = Math.fma(p, r, 1f / 6);
        p = Math.fma(p, r, 0.5f);
        p = Math.fma(p, r, 1f);
        p = Math.fma(p, r, 1f);
        int whole = (int) n;
        int half = whole >> 1;
        return p * Float.intBitsToFloat((half + 127) << 23) * Float.intBitsToFloat((whole - half + 127) << 23);
    }
}

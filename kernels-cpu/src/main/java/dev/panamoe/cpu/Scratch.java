package dev.panamoe.cpu;

/// Working memory of one thread; it grows to what the model needs and stays.
final class Scratch {
    /// Weights or keys as floats.
    float[] panel = new float[0];

    /// Values of an attention block as floats.
    float[] values = new float[0];

    /// Partial sums of products.
    float[] sums = new float[0];

    /// Attention: scores of a block of positions, and what is carried from block to block.
    float[] scores = new float[0];

    float[] maxima = new float[0];
    float[] totals = new float[0];

    /// Attention: weighted sums of values of one split.
    float[] mixed = new float[0];

    /// Expert choice.
    double[] routing = new double[0];

    static float[] atLeast(float[] array, int size) {
        return array.length >= size ? array : new float[size];
    }

    static int[] atLeast(int[] array, int size) {
        return array.length >= size ? array : new int[size];
    }
}

package dev.panamoe.cpu;

/// The largest values of a row, see {@link dev.panamoe.spi.Ops#topK}: one pass that keeps the best so far in order. Few
/// values enter late, so most are compared once.
final class TopK {
    private TopK() {}

    /// @param x the row at `at`, (n)
    /// @param k at most n
    /// @param ids, values get k from `idsAt` and `valuesAt` on
    static void row(float[] x, int at, int n, int k, int[] ids, int idsAt, float[] values, int valuesAt) {
        int size = 0;
        for (int c = 0; c < n; c++) {
            float value = x[at + c];
            if (size < k) {
                size++;
            } else if (!isLarger(value, values[valuesAt + k - 1])) {
                continue;
            }
            int place = size - 1;
            while (place > 0 && isLarger(value, values[valuesAt + place - 1])) {
                values[valuesAt + place] = values[valuesAt + place - 1];
                ids[idsAt + place] = ids[idsAt + place - 1];
                place--;
            }
            values[valuesAt + place] = value == 0 ? 0 : value; // of -0 too
            ids[idsAt + place] = c;
        }
    }

    /// NaN is larger than anything else.
    private static boolean isLarger(float a, float b) {
        return a > b || (Float.isNaN(a) && !Float.isNaN(b));
    }
}

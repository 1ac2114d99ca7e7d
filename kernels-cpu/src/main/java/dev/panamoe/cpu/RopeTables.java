package dev.panamoe.cpu;

import java.util.Arrays;

/// Cosines and sines of the last few combinations of positions and frequencies: all layers and both queries and keys
/// of a batch turn by the same angles.
final class RopeTables {
    /// Models have at most two kinds of layers, each with its frequencies.
    private static final int KEPT = 4;

    /// Cosines and sines: value `t * pairs + i` is that of pair `i` at the `t`-th position, times the amplitude.
    static final class Table {
        private float[] frequencies = new float[0];
        private float amplitude;
        private int[] positions = new int[0];
        private int count;
        private float[] cos = new float[0];
        private float[] sin = new float[0];

        float[] cos() {
            return cos;
        }

        float[] sin() {
            return sin;
        }
    }

    private final Table[] tables = new Table[KEPT];
    private int next;

    RopeTables() {
        Arrays.setAll(tables, i -> new Table());
    }

    /// @param positions `count` of them, from `at` on
    Table get(float[] frequencies, float amplitude, int[] positions, int at, int count) {
        for (Table t : tables) {
            if (t.count == count
                    && t.amplitude == amplitude
                    && Arrays.equals(t.frequencies, frequencies)
                    && Arrays.equals(t.positions, 0, count, positions, at, at + count)) {
                return t;
            }
        }
        Table table = tables[next];
        next = (next + 1) % KEPT;
        table.frequencies = frequencies;
        table.amplitude = amplitude;
        table.positions = Scratch.atLeast(table.positions, count);
        System.arraycopy(positions, at, table.positions, 0, count);
        table.count = count;
        int pairs = frequencies.length;
        table.cos = Scratch.atLeast(table.cos, count * pairs);
        table.sin = Scratch.atLeast(table.sin, count * pairs);
        for (int t = 0; t < count; t++) {
            for (int i = 0; i < pairs; i++) {
                double angle = (double) positions[at + t] * frequencies[i];
                table.cos[t * pairs + i] = (float) (Math.cos(angle) * amplitude);
                table.sin[t * pairs + i] = (float) (Math.sin(angle) * amplitude);
            }
        }
        return table;
    }
}

package dev.panamoe.bench;

import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import dev.panamoe.spi.WeightUse;
import dev.panamoe.tensor.TensorView;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntBinaryOperator;

/// What an operation works on, on one device: rows of the tokens `first` to `first + tokens - 1` of a batch. A token
/// has the same values whichever side it is on.
final class Side implements AutoCloseable {
    private final Device device;
    private final int first;
    private final int tokens;
    private final List<Rows> outputs = new ArrayList<>();
    private final List<Ids> chosen = new ArrayList<>();
    private final List<KvCache> caches = new ArrayList<>();
    private final float[] waiting = new float[1];
    private final int[] waitingId = new int[1];
    private int made;

    Side(Device device, int first, int tokens) {
        this.device = device;
        this.first = first;
        this.tokens = tokens;
    }

    Device device() {
        return device;
    }

    Ops ops() {
        return device.ops();
    }

    int first() {
        return first;
    }

    int tokens() {
        return tokens;
    }

    /// A row of random values a token.
    Rows input(int cols) {
        Rows rows = Rows.of(device.allocate(Buffer.Kind.F32, (long) tokens * cols), tokens, cols);
        write(rows, made++);
        return rows;
    }

    /// The same for results: they are compared, and random again when {@link #reset}.
    Rows output(int cols) {
        Rows rows = Rows.of(device.allocate(Buffer.Kind.F32, (long) tokens * cols), tokens, cols);
        outputs.add(rows);
        return rows;
    }

    /// Integers of a token, to be compared.
    Ids chosen(int cols) {
        Ids ids = Ids.of(device.allocate(Buffer.Kind.I32, (long) tokens * cols), tokens, cols);
        chosen.add(ids);
        return ids;
    }

    /// @param value of a token and a column
    Ids ids(int cols, IntBinaryOperator value) {
        Ids ids = Ids.of(device.allocate(Buffer.Kind.I32, (long) tokens * cols), tokens, cols);
        int[] values = new int[tokens * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = value.applyAsInt(first + i / cols, i % cols);
        }
        device.write(ids, values);
        return ids;
    }

    Weight upload(TensorView view, WeightUse use) {
        return device.upload(view, use);
    }

    List<Weight> upload(List<TensorView> views, WeightUse use) {
        return views.stream().map(v -> upload(v, use)).toList();
    }

    KvCache cache(CacheSpec spec) {
        KvCache cache = device.allocateCache(spec);
        caches.add(cache);
        return cache;
    }

    /// Makes the outputs what they were in the beginning, for operations that work in place.
    void reset() {
        for (int i = 0; i < outputs.size(); i++) {
            write(outputs.get(i), -1L - i);
        }
        for (Ids ids : chosen) {
            device.write(ids, new int[ids.rows() * ids.cols()]);
        }
    }

    private void write(Rows rows, long seed) {
        float[] values = new float[rows.rows() * rows.cols()];
        for (int t = 0; t < rows.rows(); t++) {
            Samples.fill(values, t * rows.cols(), rows.cols(), seed * 1_000_003 + first + t);
        }
        device.write(rows, values);
    }

    /// Waits until the operations before are done: reading a value does on every kind of device.
    void finish() {
        if (outputs.isEmpty()) {
            device.read(new Ids(chosen.getFirst().buffer(), 0, 1, 1), waitingId);
        } else {
            device.read(outputs.getFirst().rows(0, 1).columns(0, 1), waiting, 0);
        }
    }

    int outputs() {
        return outputs.size();
    }

    /// Of an output, the row of a token.
    float[] read(int output, int token) {
        return values(outputs.get(output).rows(token - first, 1));
    }

    float[] values(Rows rows) {
        float[] values = new float[rows.rows() * rows.cols()];
        device.read(rows, values, 0);
        return values;
    }

    /// All integers of a token that are results.
    List<Integer> readIds(int token) {
        List<Integer> values = new ArrayList<>();
        for (Ids ids : chosen) {
            int[] row = new int[ids.cols()];
            device.read(ids.rows(token - first, 1), row);
            for (int v : row) {
                values.add(v);
            }
        }
        return values;
    }

    /// Caches; the device stays open.
    @Override
    public void close() {
        caches.forEach(KvCache::close);
    }
}

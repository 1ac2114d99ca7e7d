package dev.panamoe.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Buffer;
import dev.panamoe.spi.CacheSpec;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Rows;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Attention over several splits: the same bits whether a token is alone or in a batch, by stored or by unpacked rows,
/// with its splits shared between threads or not.
class AttentionSplitTest {
    private static final int POSITIONS = 2 * AttentionTask.SPLIT + 100;
    private static final int BATCH = 5;
    private static final int PIECE = 100;
    private static final float SCALE = 0.1f;

    private record Heads(int heads, int kvHeads, int size, int window, int capacity, boolean latent) {}

    @ParameterizedTest
    @EnumSource(CacheType.class)
    void splitsAreMergedInOneOrder(CacheType type) {
        for (Heads shape : List.of(
                new Heads(2, 1, 64, 0, POSITIONS, false),
                new Heads(1, 1, 96, 0, POSITIONS, false),
                new Heads(6, 2, 64, 0, POSITIONS, false),
                // A window over a boundary of splits, in a ring that wraps within a block.
                new Heads(4, 2, 64, 600, 650, false),
                new Heads(2, 1, 64, 0, POSITIONS, true))) {
            float[] alone = attention(type, shape, 1, 1);
            assertThat(attention(type, shape, 4, 1))
                    .as("%s %s, four threads", type, shape)
                    .isEqualTo(alone);
            assertThat(attention(type, shape, 1, BATCH))
                    .as("%s %s, batch", type, shape)
                    .isEqualTo(alone);
            assertThat(attention(type, shape, 3, BATCH))
                    .as("%s %s, both", type, shape)
                    .isEqualTo(alone);
            double[] exact = reference(shape);
            for (int i = 0; i < alone.length; i++) {
                assertThat((double) alone[i])
                        .as("%s %s, %d", type, shape, i)
                        .isCloseTo(exact[i], offset(type == CacheType.Q4_0 ? 0.1 : 0.02));
            }
        }
    }

    /// Results of the last {@link #BATCH} tokens, `batch` of them at a time.
    private static float[] attention(CacheType type, Heads shape, int threads, int batch) {
        try (CpuDevice device = Workload.device("vector", threads)) {
            int kvSize = shape.kvHeads() * shape.size();
            int valueSize = shape.latent() ? shape.size() / 2 : shape.size();
            KvCache cache = device.allocateCache(
                    new CacheSpec(shape.kvHeads(), shape.size(), valueSize, shape.latent(), shape.capacity(), type));
            Rows k = rows(device, POSITIONS, kvSize, 1);
            Rows v = rows(device, POSITIONS, kvSize, 2);
            Rows q = rows(device, BATCH * shape.heads(), shape.size(), 3);
            Rows out = rows(device, BATCH * shape.heads(), valueSize, 4);
            Ids at = Ids.of(device.allocate(Buffer.Kind.I32, POSITIONS), POSITIONS, 1);
            device.write(at, IntStream.range(0, POSITIONS).toArray());
            Attention how = new Attention(
                    shape.heads(),
                    SCALE,
                    shape.window(),
                    new CpuVector("sinks", QuantType.F32, Shape.of(shape.heads()), values(shape.heads(), 5)));
            // In pieces that a ring can hold.
            for (int p = 0; p < POSITIONS - BATCH; p += PIECE) {
                int n = Math.min(PIECE, POSITIONS - BATCH - p);
                append(device, cache, k.rows(p, n), v.rows(p, n), at.rows(p, n));
            }
            for (int t = 0; t < BATCH; t += batch) {
                int p = POSITIONS - BATCH + t;
                append(device, cache, k.rows(p, batch), v.rows(p, batch), at.rows(p, batch));
                device.ops()
                        .attention(
                                out.rows(t * shape.heads(), batch * shape.heads()),
                                q.rows(t * shape.heads(), batch * shape.heads()),
                                cache,
                                at.rows(p, batch),
                                how);
            }
            cache.close();
            return Arrays.copyOfRange(HostBuffer.floats(out), out.offset(), out.offset() + out.rows() * out.cols());
        }
    }

    /// The same by definition, on keys and values that were never rounded.
    private static double[] reference(Heads shape) {
        int kvSize = shape.kvHeads() * shape.size();
        int valueSize = shape.latent() ? shape.size() / 2 : shape.size();
        float[] k = values(POSITIONS * kvSize, 1);
        float[] v = shape.latent() ? k : values(POSITIONS * kvSize, 2);
        float[] q = values(BATCH * shape.heads() * shape.size(), 3);
        float[] sinks = values(shape.heads(), 5);
        double[] out = new double[BATCH * shape.heads() * valueSize];
        for (int row = 0; row < BATCH * shape.heads(); row++) {
            int position = POSITIONS - BATCH + row / shape.heads();
            int head = row % shape.heads();
            int at = head / (shape.heads() / shape.kvHeads()) * shape.size();
            double total = Math.exp(sinks[head]);
            for (int p = shape.window() == 0 ? 0 : position - shape.window() + 1; p <= position; p++) {
                double score = 0;
                for (int d = 0; d < shape.size(); d++) {
                    score += (double) q[row * shape.size() + d] * k[p * kvSize + at + d];
                }
                double factor = Math.exp(SCALE * score);
                total += factor;
                for (int d = 0; d < valueSize; d++) {
                    out[row * valueSize + d] += factor * v[p * kvSize + at + d];
                }
            }
            for (int d = 0; d < valueSize; d++) {
                out[row * valueSize + d] /= total;
            }
        }
        return out;
    }

    private static void append(CpuDevice device, KvCache cache, Rows k, Rows v, Ids at) {
        device.ops().kvAppend(cache, k, cache.spec().valuesInKeys() ? null : v, at);
    }

    private static Rows rows(CpuDevice device, int rows, int cols, int seed) {
        Rows x = Rows.of(device.allocate(Buffer.Kind.F32, rows * cols), rows, cols);
        device.write(x, values(rows * cols, seed));
        return x;
    }

    private static float[] values(int n, int seed) {
        Random random = new Random(seed);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}

package dev.panamoe.reference;

import dev.panamoe.spec.Activation;
import dev.panamoe.spec.RopeSpec;
import dev.panamoe.spi.Attention;
import dev.panamoe.spi.Experts;
import dev.panamoe.spi.HostBuffer;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.KvCache;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rope;
import dev.panamoe.spi.Rounding;
import dev.panamoe.spi.Router;
import dev.panamoe.spi.Rows;
import dev.panamoe.spi.Weight;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The definition of every operation: loops over single values, sums in double, results rounded to float once.
/// Activations are rounded to 8 bits first where the weight says so.
final class ReferenceOps implements Ops {
    @Override
    public void embed(Rows y, Weight w, Ids tokens, float scale) {
        ReferenceWeight table = ReferenceWeight.of(w);
        require(y.rows() == tokens.rows() && y.cols() == table.cols(), "embed", w, y);
        float[] row = new float[table.cols()];
        for (int r = 0; r < y.rows(); r++) {
            int token = ids(tokens)[tokens.offset() + r];
            if (token < 0 || token >= table.rows()) {
                throw new IndexOutOfBoundsException("token " + token + " of a vocabulary of " + table.rows());
            }
            table.row(0, token, row);
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, scale * row[c]);
            }
        }
    }

    @Override
    public void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps) {
        requireSame("rmsNorm", y, x);
        float[] weight = null;
        if (w != null) {
            weight = ReferenceWeight.of(w).vector();
            require(weight.length == x.cols(), "rmsNorm", w, x);
        }
        for (int r = 0; r < x.rows(); r++) {
            double squares = 0;
            for (int c = 0; c < x.cols(); c++) {
                squares += (double) get(x, r, c) * get(x, r, c);
            }
            double factor = 1 / Math.sqrt(squares / x.cols() + eps);
            for (int c = 0; c < x.cols(); c++) {
                double normed = get(x, r, c) * factor;
                set(y, r, c, (float) (weight == null ? normed : normed * weight[c]));
            }
        }
    }

    @Override
    public void matmul(Rows y, Weight w, Rows x) {
        ReferenceWeight m = ReferenceWeight.of(w);
        require(x.rows() == y.rows() && x.cols() == m.cols() && y.cols() == m.rows(), "matmul", w, x);
        Rows in = m.operand(x);
        float[] row = new float[m.cols()];
        for (int o = 0; o < m.rows(); o++) {
            m.row(0, o, row);
            for (int r = 0; r < x.rows(); r++) {
                set(y, r, o, dot(row, in, r));
            }
        }
    }

    @Override
    public void matmulPerHead(Rows y, Weight w, Rows x) {
        ReferenceWeight m = ReferenceWeight.of(w);
        int heads = Math.toIntExact(m.shape().slices());
        require(
                x.rows() == y.rows() && x.rows() % heads == 0 && x.cols() == m.cols() && y.cols() == m.rows(),
                "matmulPerHead",
                w,
                x);
        Rows in = m.operand(x);
        float[] row = new float[m.cols()];
        for (int h = 0; h < heads; h++) {
            for (int o = 0; o < m.rows(); o++) {
                m.row(h, o, row);
                for (int r = h; r < x.rows(); r += heads) {
                    set(y, r, o, dot(row, in, r));
                }
            }
        }
    }

    @Override
    public void addBias(Rows y, Weight bias) {
        float[] b = ReferenceWeight.of(bias).vector();
        require(b.length == y.cols(), "addBias", bias, y);
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, get(y, r, c) + b[c]);
            }
        }
    }

    @Override
    public void rope(Rows x, Ids positions, Rope rope) {
        float[] frequencies = ReferenceWeight.of(rope.inverseFrequencies()).vector();
        int pairs = frequencies.length;
        require(x.cols() == 2 * pairs && x.rows() % positions.rows() == 0, "rope", rope.inverseFrequencies(), x);
        int heads = x.rows() / positions.rows();
        for (int r = 0; r < x.rows(); r++) {
            int position = ids(positions)[positions.offset() + r / heads];
            for (int i = 0; i < pairs; i++) {
                boolean halves = rope.pairing() == RopeSpec.Pairing.HALVES;
                int first = halves ? i : 2 * i;
                int second = halves ? i + pairs : 2 * i + 1;
                double angle = (double) position * frequencies[i];
                double cos = Math.cos(angle) * rope.amplitude();
                double sin = Math.sin(angle) * rope.amplitude();
                double a = get(x, r, first);
                double b = get(x, r, second);
                set(x, r, first, (float) (a * cos - b * sin));
                set(x, r, second, (float) (a * sin + b * cos));
            }
        }
    }

    @Override
    public void kvAppend(KvCache cache, Rows k, @Nullable Rows v, Ids positions) {
        ReferenceCache c = (ReferenceCache) cache;
        Rows values = v == null ? k : v;
        for (int r = 0; r < positions.rows(); r++) {
            int position = ids(positions)[positions.offset() + r];
            c.store(
                    position,
                    floats(k),
                    k.offset() + r * k.stride(),
                    floats(values),
                    values.offset() + r * values.stride());
        }
    }

    @Override
    public void attention(Rows out, Rows q, KvCache cache, Ids positions, Attention attention) {
        ReferenceCache c = (ReferenceCache) cache;
        int heads = attention.heads();
        int perKey = heads / c.spec().kvHeads();
        float[] sinks = attention.sinks() == null
                ? null
                : ReferenceWeight.of(attention.sinks()).vector();
        if (q.rows() != positions.rows() * heads || out.rows() != q.rows()) {
            throw new IllegalArgumentException("attention: " + q.rows() + " query rows for " + positions.rows()
                    + " tokens of " + heads + " heads");
        }
        for (int r = 0; r < q.rows(); r++) {
            int head = r % heads / perKey;
            int position = ids(positions)[positions.offset() + r / heads];
            int first = attention.window() == 0 ? 0 : Math.max(0, position - attention.window() + 1);
            double[] p = new double[position - first + 1];
            double sink = sinks == null ? Double.NEGATIVE_INFINITY : sinks[r % heads];
            double max = sink;
            for (int t = 0; t < p.length; t++) {
                double score = 0;
                for (int i = 0; i < q.cols(); i++) {
                    score += (double) get(q, r, i) * c.key(first + t, head, i);
                }
                p[t] = score * attention.scale();
                max = Math.max(max, p[t]);
            }
            double sum = Math.exp(sink - max);
            for (int t = 0; t < p.length; t++) {
                p[t] = Math.exp(p[t] - max);
                sum += p[t];
            }
            for (int i = 0; i < out.cols(); i++) {
                double value = 0;
                for (int t = 0; t < p.length; t++) {
                    value += p[t] * c.value(first + t, head, i);
                }
                set(out, r, i, (float) (value / sum));
            }
        }
    }

    @Override
    public void route(Ids ids, Rows weights, Rows logits, Router router) {
        ReferenceRouter chooser = new ReferenceRouter(router);
        for (int r = 0; r < logits.rows(); r++) {
            double[] z = new double[logits.cols()];
            for (int e = 0; e < z.length; e++) {
                z[e] = get(logits, r, e);
            }
            double[] scores = chooser.scores(z);
            int[] chosen = chooser.choose(scores);
            double[] w = chooser.weights(scores, chosen);
            for (int j = 0; j < chosen.length; j++) {
                ids(ids)[ids.offset() + r * ids.cols() + j] = chosen[j];
                set(weights, r, j, (float) w[j]);
            }
        }
    }

    @Override
    public void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights) {
        ReferenceWeight gate = ReferenceWeight.of(experts.gate());
        ReferenceWeight up = ReferenceWeight.of(experts.up());
        ReferenceWeight down = ReferenceWeight.of(experts.down());
        require(
                gate.cols() == x.cols() && down.rows() == y.cols() && down.cols() == gate.rows(),
                "experts",
                experts.down(),
                x);
        Rows gateIn = gate.operand(x);
        Rows upIn = up.operand(x);
        float[] in = new float[gate.cols()];
        float[] hidden = new float[gate.rows()];
        float[] out = new float[down.cols()];
        float[] gateBias = new float[gate.rows()];
        float[] upBias = new float[gate.rows()];
        float[] downBias = new float[y.cols()];
        for (int r = 0; r < x.rows(); r++) {
            double[] sum = new double[y.cols()];
            for (int j = 0; j < ids.cols(); j++) {
                int e = ids(ids)[ids.offset() + r * ids.cols() + j];
                if (experts.biases() != null) {
                    ReferenceWeight.of(experts.biases().gate()).row(0, e, gateBias);
                    ReferenceWeight.of(experts.biases().up()).row(0, e, upBias);
                    ReferenceWeight.of(experts.biases().down()).row(0, e, downBias);
                }
                for (int i = 0; i < hidden.length; i++) {
                    gate.row(e, i, in);
                    float g = dot(in, gateIn, r) + gateBias[i];
                    up.row(e, i, in);
                    hidden[i] = activate(experts.activation(), g, dot(in, upIn, r) + upBias[i]);
                }
                if (down.rounded()) {
                    Rounding.row(hidden, 0, hidden, 0, hidden.length);
                }
                for (int o = 0; o < sum.length; o++) {
                    down.row(e, o, out);
                    double d = 0;
                    for (int i = 0; i < hidden.length; i++) {
                        d += (double) out[i] * hidden[i];
                    }
                    sum[o] += get(weights, r, j) * (d + downBias[o]);
                }
            }
            for (int o = 0; o < sum.length; o++) {
                set(y, r, o, (float) sum[o]);
            }
        }
    }

    @Override
    public void glu(Rows y, Rows gate, Rows up, Activation activation) {
        requireSame("glu", y, gate);
        requireSame("glu", y, up);
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, activate(activation, get(gate, r, c), get(up, r, c)));
            }
        }
    }

    private static float activate(Activation activation, float g, float u) {
        return switch (activation) {
            case SILU -> (float) (g / (1 + Math.exp(-g))) * u;
            case GELU_TANH ->
                (float) (0.5 * g * (1 + Math.tanh(0.7978845608028654 * (g + 0.044715 * g * (double) g * g)))) * u;
            case SWIGLU_CLAMPED -> {
                double gate = Math.min(g, 7f);
                yield (float) (gate / (1 + Math.exp(-1.702 * gate)) * (Math.clamp(u, -7f, 7f) + 1));
            }
        };
    }

    @Override
    public void add(Rows y, Rows x) {
        requireSame("add", y, x);
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, get(y, r, c) + get(x, r, c));
            }
        }
    }

    @Override
    public void scale(Rows y, float factor) {
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, get(y, r, c) * factor);
            }
        }
    }

    @Override
    public void softcap(Rows y, float cap) {
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, (float) (cap * Math.tanh(get(y, r, c) / (double) cap)));
            }
        }
    }

    @Override
    public void topK(Ids ids, Rows values, Rows x) {
        for (int r = 0; r < x.rows(); r++) {
            int row = r;
            // The sort is stable, so that of equals the lower column stays first.
            int[] columns = IntStream.range(0, x.cols())
                    .boxed()
                    .sorted(Comparator.comparing((Integer c) -> ordered(get(x, row, c)), Comparator.reverseOrder()))
                    .mapToInt(c -> c)
                    .toArray();
            for (int j = 0; j < ids.cols(); j++) {
                ids(ids)[ids.offset() + r * ids.cols() + j] = columns[j];
                set(values, r, j, ordered(get(x, r, columns[j])));
            }
        }
    }

    /// A NaN is the largest float for `compareTo`, and -0 smaller than 0, which is not meant here.
    private static float ordered(float value) {
        return value == 0 ? 0 : value;
    }

    @Override
    public void copy(Rows y, Rows x) {
        requireSame("copy", y, x);
        for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.cols(); c++) {
                set(y, r, c, get(x, r, c));
            }
        }
    }

    private static float dot(float[] w, Rows x, int r) {
        double sum = 0;
        for (int c = 0; c < w.length; c++) {
            sum += (double) w[c] * get(x, r, c);
        }
        return (float) sum;
    }

    private static float get(Rows x, int r, int c) {
        return floats(x)[x.offset() + r * x.stride() + c];
    }

    private static void set(Rows y, int r, int c, float value) {
        floats(y)[y.offset() + r * y.stride() + c] = value;
    }

    private static float[] floats(Rows x) {
        return HostBuffer.floats(x);
    }

    private static int[] ids(Ids ids) {
        return HostBuffer.ints(ids);
    }

    private static void requireSame(String op, Rows y, Rows x) {
        if (y.rows() != x.rows() || y.cols() != x.cols()) {
            throw new IllegalArgumentException(
                    op + ": shape mismatch, " + y.rows() + " x " + y.cols() + " and " + x.rows() + " x " + x.cols());
        }
    }

    private static void require(boolean ok, String op, Weight w, Rows x) {
        if (!ok) {
            throw new IllegalArgumentException(op + ": shape mismatch, " + w.name() + " " + w.shape() + " and rows "
                    + x.rows() + " x " + x.cols());
        }
    }
}

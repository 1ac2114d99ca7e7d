package dev.panamoe.spi;

import dev.panamoe.spec.Activation;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The operations every backend offers; `dev.panamoe.reference` defines them.
///
/// Activations are F32 {@link Rows}. An output row depends on its own input row and on weights and caches only, and its
/// sums are done in a fixed order: results do not depend on the number of threads or on which other rows are in the
/// call. Outputs may be the same rows as inputs where said, and must not overlap them otherwise. Shapes are checked by
/// the reference backend; others may rely on the forward page.
public interface Ops {
    /// The most that {@link #topK} finds.
    int MAX_TOP_K = 256;

    /// Most norms of {@link #addRmsNorm}: before a feed-forward, its router and its experts.
    int MAX_NORMS = 3;

    /// Most kinds of {@link #prepareHeads}: queries, keys and values.
    int MAX_HEAD_KINDS = 3;

    /// `y[r] = scale * W[tokens[r]]`. W: (vocabulary, cols).
    void embed(Rows y, Weight w, Ids tokens, float scale);

    /// `y[r,c] = x[r,c] / sqrt(mean_c(x[r,c]^2) + eps) * w[c]`, without the factor when `w` is null. `y` may be `x`.
    void rmsNorm(Rows y, Rows x, @Nullable Weight w, float eps);

    /// `y[r,o] = sum_c W[o,c] * x[r,c]`. W: (out, in) of any supported type; x: (rows, in); y: (rows, out).
    void matmul(Rows y, Weight w, Rows x);

    /// {@link #matmul} of the same `x` with several weights of one slice each: q, k and v. One launch where that pays.
    ///
    /// @param ys (rows, out of the weight at the same place); there may be more of them than weights
    default void matmulAll(List<Rows> ys, List<Weight> ws, Rows x) {
        for (int i = 0; i < ws.size(); i++) {
            matmul(ys.get(i), ws.get(i), x);
        }
    }

    /// `y = activation(gate x, up x)`: the first half of a dense feed-forward. gate, up: (width, in); y, scratch:
    /// (rows, width).
    ///
    /// @param scratch what is in it afterwards is not said
    default void gatedMatmul(Rows y, Rows scratch, Weight gate, Weight up, Rows x, Activation activation) {
        matmul(y, gate, x);
        matmul(scratch, up, x);
        glu(y, y, scratch, activation);
    }

    /// A branch joins the residual stream, which is normed for what comes next: `branch = norm(branch) * branchNorm`
    /// where there is such a norm, `x = (x + branch) * scale`, `ys[i] = norm(x) * norms[i]`; each norm is
    /// {@link #rmsNorm}. One launch where that pays.
    /// x, branch, ys: (rows, cols).
    ///
    /// @param ys there may be more of them than norms; none is `x` or `branch`
    /// @param norms (cols) each; at most {@link #MAX_NORMS}
    default void addRmsNorm(
            Rows x,
            Rows branch,
            @Nullable Weight branchNorm,
            float scale,
            List<Rows> ys,
            List<Weight> norms,
            float eps) {
        if (branchNorm != null) {
            rmsNorm(branch, branch, branchNorm, eps);
        }
        add(x, branch);
        if (scale != 1f) {
            scale(x, scale);
        }
        for (int i = 0; i < norms.size(); i++) {
            rmsNorm(ys.get(i), x, norms.get(i), eps);
        }
    }

    /// Makes projected queries, keys and values ready for attention, in place: what {@link HeadSteps} says is done to
    /// those at the same place. All are of the same tokens and the same head size, and those that are rotated of the
    /// same rope. One launch where that pays.
    ///
    /// @param heads there may be more of them than steps
    /// @param steps at most {@link #MAX_HEAD_KINDS}
    /// @param positions (tokens, 1)
    /// @param eps of norms
    default void prepareHeads(List<HeadRows> heads, List<HeadSteps> steps, Ids positions, float eps) {
        for (int i = 0; i < steps.size(); i++) {
            HeadRows h = heads.get(i);
            HeadSteps s = steps.get(i);
            if (s.bias() != null) {
                addBias(h.rows(), s.bias());
            }
            if (s.normed()) {
                rmsNorm(h.heads(), h.heads(), s.norm(), eps);
            }
            if (s.rope() != null) {
                rope(h.rotated(), positions, s.rope());
            }
        }
    }

    /// Row `r` is multiplied with slice `r % heads`: `y[r,o] = sum_c W[r % heads,o,c] * x[r,c]`.
    /// W: (heads, out, in); x: (tokens * heads, in); y: (tokens * heads, out).
    void matmulPerHead(Rows y, Weight w, Rows x);

    /// `y[r,c] += bias[c]`. bias: (cols) F32.
    void addBias(Rows y, Weight bias);

    /// Rotates rows in place; rows of the same token are neighbours. x: (tokens * heads, rope dims).
    ///
    /// @param positions (tokens, 1)
    void rope(Rows x, Ids positions, Rope rope);

    /// Stores keys and values of `positions` in their slots. k: (tokens, kvHeads * keySize); v: (tokens, kvHeads *
    /// valueSize), null when the cache takes values from keys.
    ///
    /// @param positions (tokens, 1), ascending by one
    void kvAppend(KvCache cache, Rows k, @Nullable Rows v, Ids positions);

    /// `out[t,h] = sum_p softmax_p(scale * q[t,h]·k[p]) * v[p]` over the positions that token `t` sees: up to its own,
    /// within the window. The keys of the batch's own tokens are in the cache already. With sinks, the softmax of head
    /// `h` has `e^sinks[h]` as one more term below the line.
    /// q: (tokens * heads, keySize); out: (tokens * heads, valueSize).
    ///
    /// @param positions (tokens, 1), ascending by one
    void attention(Rows out, Rows q, KvCache cache, Ids positions, Attention attention);

    /// Chooses experts, see {@link dev.panamoe.spec.RouterSpec}. logits: (tokens, experts).
    ///
    /// @param ids (tokens, used), by falling score; ties to the lower id
    /// @param weights (tokens, used)
    void route(Ids ids, Rows weights, Rows logits, Router router);

    /// `y[t] = sum_j weights[t,j] * down_e(activation(gate_e x[t], up_e x[t]))` with `e = ids[t,j]`, summed in the
    /// order of `j`; each of the three products with its bias where there are any. Experts that no token uses are not
    /// read.
    /// x, y: (tokens, embedding); ids, weights: (tokens, used).
    void experts(Rows y, Experts experts, Rows x, Ids ids, Rows weights);

    /// `y = activation(gate, up)`, element by element. `y` may be `gate` or `up`.
    void glu(Rows y, Rows gate, Rows up, Activation activation);

    /// `y += x`.
    void add(Rows y, Rows x);

    /// `y *= factor`.
    void scale(Rows y, float factor);

    /// `y = cap * tanh(y / cap)`.
    void softcap(Rows y, float cap);

    /// The `k` largest columns of each row, largest first, the lower of equals first; a NaN is larger than anything,
    /// and all NaN are equal, as are both zeros.
    ///
    /// @param ids (rows, k): which columns; k is at most {@link #MAX_TOP_K} and the columns of `x`
    /// @param values (rows, k): what they hold, 0 for -0 and any NaN for a NaN
    void topK(Ids ids, Rows values, Rows x);

    /// `y = x`.
    void copy(Rows y, Rows x);
}

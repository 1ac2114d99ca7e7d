package dev.panamoe.spec;

import java.util.OptionalInt;
import java.util.Set;

/// How a layer attends.
public sealed interface AttentionSpec {
    /// Query heads.
    int heads();

    /// Factor on q·k.
    float scale();

    /// A query sees itself and the `window - 1` positions before; 0 = all before.
    int window();

    RopeSpec rope();

    /// Width of one query row: all heads.
    int queryWidth();

    /// Width of the row that goes into the output projection: all heads.
    int outputWidth();

    /// Grouped-query attention: `heads` query heads share `kvHeads` key/value heads.
    ///
    /// @param headSize of queries, keys and values
    /// @param parts what it has beyond the four projections
    /// @param sharedFrom the earlier layer whose keys and values this layer reads instead of having its own
    record Gqa(
            int heads,
            int kvHeads,
            int headSize,
            int window,
            float scale,
            RopeSpec rope,
            Set<Part> parts,
            OptionalInt sharedFrom)
            implements AttentionSpec {
        /// What only some models have.
        public enum Part {
            /// `attn_q_norm`, `attn_k_norm`: RMS norms on each query and key head, before the rotation.
            HEAD_NORMS,
            /// An RMS norm without a weight on each value head.
            VALUE_NORM,
            /// There is no value projection: values are the raw key projection.
            VALUES_FROM_KEYS,
            /// `attn_q.bias`, `attn_k.bias`, `attn_v.bias`.
            QKV_BIAS,
            /// `attn_output.bias`.
            OUTPUT_BIAS,
            /// `attn_sinks`: per query head one more logit in the softmax, which has no value.
            SINKS
        }

        public Gqa {
            parts = Set.copyOf(parts);
            if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0) {
                throw new IllegalArgumentException(heads + " query heads over " + kvHeads + " key heads");
            }
            if (rope.dims() > headSize) {
                throw new IllegalArgumentException("rope over " + rope.dims() + " of " + headSize + " values");
            }
            Math.multiplyExact(heads, headSize);
        }

        public boolean has(Part part) {
            return parts.contains(part);
        }

        @Override
        public int queryWidth() {
            return heads * headSize;
        }

        public int keyWidth() {
            return kvHeads * headSize;
        }

        @Override
        public int outputWidth() {
            return heads * headSize;
        }
    }

    /// Multi-head latent attention (DeepSeek): keys and values are compressed to one latent of `rank` values and one
    /// rotated key of `ropeSize` shared by all heads; only these are cached.
    ///
    /// @param queryRank rank of the query compression, 0 = none
    /// @param nopeSize values of a query head that are not rotated; the rotated ones follow them
    /// @param valueSize of a head
    /// @param splitProjection the file holds `attn_k_b` and `attn_v_b`; otherwise `attn_kv_b`
    record Mla(
            int heads,
            int queryRank,
            int rank,
            int nopeSize,
            int ropeSize,
            int valueSize,
            float scale,
            RopeSpec rope,
            boolean splitProjection)
            implements AttentionSpec {
        public Mla {
            if (rope.dims() != ropeSize) {
                throw new IllegalArgumentException("rope over " + rope.dims() + " instead of " + ropeSize + " values");
            }
            Math.multiplyExact(heads, Math.addExact(nopeSize, ropeSize));
            Math.multiplyExact(heads, Math.addExact(rank, ropeSize));
            Math.multiplyExact(heads, valueSize);
        }

        @Override
        public int window() {
            return 0;
        }

        /// Values of a query head.
        public int headSize() {
            return nopeSize + ropeSize;
        }

        @Override
        public int queryWidth() {
            return heads * headSize();
        }

        /// Values cached per position, and size of an absorbed query head.
        public int latentSize() {
            return rank + ropeSize;
        }

        @Override
        public int outputWidth() {
            return heads * valueSize;
        }
    }
}

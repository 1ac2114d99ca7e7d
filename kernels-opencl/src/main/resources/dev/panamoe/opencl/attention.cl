// Attention over a key/value cache: kv_append stores, attention computes in one kernel, attention_split followed by
// attention_merge computes the same bits with the positions of a row shared between work-groups.
//
// Compile-time constants
//   APPEND          defined for kv_append alone: each program has what it needs, as compiling takes long
//   SPLIT           defined for attention_split and attention_merge alone, where attention_cpu.cl is the rest
//   CACHE_TYPE      storage type by its GGUF id: 0 F32, 1 F16, 2 Q4_0, 8 Q8_0, 30 BF16
//   KEY_SIZE        values of a key; a multiple of 32 for Q4_0 and Q8_0
//   VALUE_SIZE      values of a value; likewise
//   KV_HEADS        key/value heads; for kv_append alone
//   VALUES_IN_KEYS  1: values are the first VALUE_SIZE entries of the keys and not stored again; else 0
//   QUERIES         query rows of a work-group, a power of two up to 16; changes no bits
//   SPAN            positions of a span (128), a divisor of GROUP; changes bits
//   GROUP           work-items of a work-group (256), at least 16 * QUERIES
//
// Arguments of the kernels of attention
//   heads           query heads; query head h reads key head h / perKey
//   window          a token sees its own position and the window - 1 before it; 0 = everything before it
//   sinked          1: each query head has one more logit without a value, in sinks (heads); else sinks is not read
//
// Cache planes; position p lies in slot p % capacity; P = ceil(capacity / 32)
//   A row is cut into blocks of 32 values (zeros behind its end), a block into words of 4 bytes: 32 for F32, 16 for F16
//   and BF16 (low half first), 8 for Q8_0, 4 for Q4_0 (the bytes behind the scale of their GGUF blocks). KEY_BLOCKS and
//   KEY_WORDS are those of a key.
//   keyWords     uint   (KV_HEADS, P, KEY_WORDS, 32): word w of slot s at [head][s / 32][w][s % 32]
//   keyScales    ushort (KV_HEADS, P, KEY_BLOCKS, 32): halves, one a block; Q8_0 and Q4_0 only
//   valueWords   uint   (KV_HEADS, capacity, VALUE_WORDS), VALUE_WORDS = words with values; not with VALUES_IN_KEYS
//   valueScales  ushort (KV_HEADS, capacity, VALUE_SIZE / 32); Q8_0 and Q4_0 only, not with VALUES_IN_KEYS
//   A plane that there is not is never read or written: its argument may be any buffer or null.
//
// Order of the arithmetic, a function of the query row alone
//   Positions are cut at multiples of SPAN. Of span c, over the positions p that the row sees:
//     s_p = scale * (q . k_p), the product in blocks of 32: part = fma(k_i, q_i, part), i rising from 0; then
//           dot = fma(scale of the block or 1, part, dot)
//     m_c = max_p s_p;  e_p = exp(s_p - m_c)
//     l_c = sum of e_p: over the places congruent modulo 16 in rising order, then over the 16 sums in rising order
//     a_c = sum of e_p * v_p: fma(e_p, v_p, a_c), p rising
//   Spans are merged in rising order (online softmax, Milakov and Gimelshein 2018): m' = max(m, m_c);
//     l' = fma(l_c, exp(m_c - m'), l * exp(m - m')), a likewise; begun with m = -infinity, l = 0, a = 0.
//   A sink is merged last, as a span with m_c = sink, l_c = 1, a_c = 0. out = a / l.

// Barriers stand in no branch, behind no return and in no loop that may have no iteration (hence do-while): PoCL 3.1
// lets work-items take wrong ways otherwise.

#ifndef GROUP
#define GROUP 256
#endif
#ifndef SPAN
#define SPAN 128
#endif
#ifndef VALUES_IN_KEYS
#define VALUES_IN_KEYS 0
#endif

#define TYPE_F32 0
#define TYPE_F16 1
#define TYPE_Q4_0 2
#define TYPE_Q8_0 8
#define TYPE_BF16 30

// Values of a word.
#if CACHE_TYPE == TYPE_F32
#define PER_WORD 1
#elif CACHE_TYPE == TYPE_F16 || CACHE_TYPE == TYPE_BF16
#define PER_WORD 2
#elif CACHE_TYPE == TYPE_Q8_0
#define PER_WORD 4
#elif CACHE_TYPE == TYPE_Q4_0
#define PER_WORD 8
#else
#error "no such CACHE_TYPE"
#endif
#define SCALED (CACHE_TYPE == TYPE_Q8_0 || CACHE_TYPE == TYPE_Q4_0)

#define WORDS (32 / PER_WORD)
#define KEY_BLOCKS ((KEY_SIZE + 31) / 32)
#define KEY_WORDS (KEY_BLOCKS * WORDS)
#define VALUE_BLOCKS ((VALUE_SIZE + 31) / 32)
// Words of Q4_0 hold values of both halves of a block.
#define VALUE_WORDS (CACHE_TYPE == TYPE_Q4_0 ? VALUE_BLOCKS * WORDS : (VALUE_SIZE + PER_WORD - 1) / PER_WORD)

// Work-items that share the softmax of a row; a constant, as it is part of the order of the sum.
#define REDUCERS 16

// Scores: SCORE_PARTS work-items share a position, each for SCORE_QUERIES rows.
#define SCORE_PARTS (GROUP / SPAN < QUERIES ? GROUP / SPAN : QUERIES)
#define SCORE_QUERIES (QUERIES / SCORE_PARTS)
// Columns of the query rows that are in local memory at a time: 8 KB, in whole blocks.
#define CHUNK (2048 / QUERIES < KEY_BLOCKS * 32 ? 2048 / QUERIES : KEY_BLOCKS * 32)

// Values: a work-item owns TILES words of VALUE_QUERIES rows. Where words are few, SLICES of the work-group share the
// rows.
#define TILES ((VALUE_WORDS + GROUP - 1) / GROUP)
#if QUERIES >= 16 && VALUE_WORDS * 16 <= GROUP
#define SLICES 16
#elif QUERIES >= 8 && VALUE_WORDS * 8 <= GROUP
#define SLICES 8
#elif QUERIES >= 4 && VALUE_WORDS * 4 <= GROUP
#define SLICES 4
#elif QUERIES >= 2 && VALUE_WORDS * 2 <= GROUP
#define SLICES 2
#else
#define SLICES 1
#endif
#define VALUE_QUERIES (QUERIES / SLICES)
#define SUMS (VALUE_QUERIES * PER_WORD)

// Positions whose values are turned in local memory at a time, where values are read from keys; a row of the tile is
// one longer, so that its columns lie in different banks.
#define STAGED 16
#define TILE_STRIDE (STAGED + 1)
#define TILE_WORDS (VALUE_WORDS < GROUP ? VALUE_WORDS : GROUP)
#if VALUES_IN_KEYS && TILE_WORDS * TILE_STRIDE > QUERIES * CHUNK
#define SCRATCH (TILE_WORDS * TILE_STRIDE)
#else
#define SCRATCH (QUERIES * CHUNK)
#endif
// Query rows stay in local memory from span to span where nothing else needs the place.
#define QUERIES_STAY (CHUNK >= KEY_SIZE && !VALUES_IN_KEYS)

#if REDUCERS * QUERIES > GROUP || GROUP % SPAN != 0 || SPAN % REDUCERS != 0
#error "QUERIES or SPAN do not go with GROUP"
#endif

// Partial results of a row and a span: a_c, then m_c and l_c.
#define RECORD (VALUE_SIZE + 2)

#define GROUP_KERNEL __kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void

// Column of value d (0 .. PER_WORD - 1) of word `word` of a row.
FN int column_of(int word, int d) {
#if CACHE_TYPE == TYPE_Q4_0
    // Low nibbles are the first half of a block, high ones the second.
    return word / 4 * 32 + d / 4 * 16 + word % 4 * 4 + d % 4;
#else
    return word * PER_WORD + d;
#endif
}

// Value d of a word, without the scale of its block.
FN float stored(uint word, int d) {
#if CACHE_TYPE == TYPE_F32
    return AS_FLOAT(word);
#elif CACHE_TYPE == TYPE_F16
    return HALF_TO_FLOAT((word >> (16 * d)) & 0xffff);
#elif CACHE_TYPE == TYPE_BF16
    return BF16_TO_FLOAT((word >> (16 * d)) & 0xffff);
#elif CACHE_TYPE == TYPE_Q8_0
    return (float)(char)((word >> (8 * d)) & 0xff);
#else
    return (float)((int)((word >> (d % 4 * 8 + d / 4 * 4)) & 15) - 8);
#endif
}

// Value i (0 .. 31) of a block, without its scale.
FN float stored_in_block(const uint *words, int i) {
#if CACHE_TYPE == TYPE_Q4_0
    return stored(words[i % 16 / 4], i / 16 * 4 + i % 4);
#else
    return stored(words[i / PER_WORD], i % PER_WORD);
#endif
}

#ifdef APPEND

FN float closer(float quotient, float candidate, float a, float b) {
    return FABS(FMA(-candidate, b, a)) < FABS(FMA(-quotient, b, a)) ? candidate : quotient;
}

// a / b rounded to nearest, for b > 0: OpenCL leaves a division 2.5 ulp. What is left over, a - quotient * b, is exact
// for a quotient near the right one, so that of two neighbours the one with less of it is nearer.
FN float divide(float a, float b) {
    float quotient = a / b;
    quotient = closer(quotient, FMA(FMA(-quotient, b, a), 1 / b, quotient), a, b);
    quotient = closer(quotient, AS_FLOAT(AS_UINT(quotient) - 1), a, b);
    return closer(quotient, AS_FLOAT(AS_UINT(quotient) + 1), a, b);
}

// Word `word` of a row as it is stored, by the rounding rules of GGUF's encoders (dev.panamoe.quant).
// row: (size); scale: receives the half of the word's block, if its type has one.
FN uint encode(GLOBAL const float *row, int size, int word, ushort *scale) {
    uint bits = 0;
#if SCALED
    GLOBAL const float *block = row + word / WORDS * 32;
    // The first value of the largest magnitude, or NaN.
    float largest = 0;
    for (int i = 0; i < 32; i++) {
        float x = block[i];
        largest = x != x || FABS(x) > FABS(largest) ? x : largest;
    }
#if CACHE_TYPE == TYPE_Q8_0
    float step = divide(FABS(largest), 127);
    float inverse = step == 0 ? 0 : divide(1, step);
#else
    float step = largest * -0.125f;
    // Division rounds the same way on both sides of zero.
    float inverse = step == 0 ? 0 : step < 0 ? -divide(1, -step) : divide(1, step);
#endif
    *scale = FLOAT_TO_HALF(step);
#endif
    for (int d = 0; d < PER_WORD; d++) {
        int column = column_of(word, d);
#if CACHE_TYPE == TYPE_F32
        bits = column < size ? AS_UINT(row[column]) : 0;
#elif CACHE_TYPE == TYPE_F16
        bits |= column < size ? (uint)FLOAT_TO_HALF(row[column]) << (16 * d) : 0;
#elif CACHE_TYPE == TYPE_BF16
        uint x = column < size ? AS_UINT(row[column]) : 0;
        // Rounding must not carry a NaN into infinity: it is made a quiet one instead.
        x = (x & 0x7fffffff) > 0x7f800000 ? x | 0x400000 : x + 0x7fff + ((x >> 16) & 1);
        bits |= (x >> 16) << (16 * d);
#elif CACHE_TYPE == TYPE_Q8_0
        float x = row[column] * inverse;
        // Saturating, as Java is; NaN becomes 0.
        int steps = convert_int_sat(round(FABS(x)));
        bits |= (uint)((x < 0 ? -steps : steps) & 0xff) << (8 * d);
#else
        int steps = clamp(convert_int_sat(row[column] * inverse + 8.5f), 0, 15);
        bits |= (uint)steps << (d % 4 * 8 + d / 4 * 4);
#endif
    }
    return bits;
}

// Stores keys and values in the slots of their positions. A work-item stores a word.
// k: (tokens, KV_HEADS * KEY_SIZE); v: (tokens, KV_HEADS * VALUE_SIZE), not read with VALUES_IN_KEYS; positions:
// (tokens), tokens <= capacity.
// Grid: (ceil(KV_HEADS * (KEY_WORDS + (VALUES_IN_KEYS ? 0 : VALUE_WORDS)) / GROUP), tokens) work-groups.
GROUP_KERNEL kv_append(
        GLOBAL uint *keyWords, GLOBAL ushort *keyScales, GLOBAL uint *valueWords, GLOBAL ushort *valueScales,
        int capacity, GLOBAL const float *k, int kOffset, int kStride, GLOBAL const float *v, int vOffset, int vStride,
        GLOBAL const int *positions, int positionsOffset) {
    const int rowWords = KEY_WORDS + (VALUES_IN_KEYS ? 0 : VALUE_WORDS);
    int head = GLOBAL_ID / rowWords;
    int word = GLOBAL_ID % rowWords;
    int token = GROUP_ID_1;
    if (head >= KV_HEADS) {
        return;
    }
    int slot = positions[positionsOffset + token] % capacity;
    ushort scale = 0;
    if (word < KEY_WORDS) {
        GLOBAL const float *key = k + kOffset + (size_t)token * kStride + head * KEY_SIZE;
        size_t panel = (size_t)head * ((capacity + 31) / 32) + slot / 32;
        keyWords[(panel * KEY_WORDS + word) * 32 + slot % 32] = encode(key, KEY_SIZE, word, &scale);
        if (SCALED && word % WORDS == 0) {
            keyScales[(panel * KEY_BLOCKS + word / WORDS) * 32 + slot % 32] = scale;
        }
    } else {
        word -= KEY_WORDS;
        GLOBAL const float *value = v + vOffset + (size_t)token * vStride + head * VALUE_SIZE;
        size_t row = (size_t)head * capacity + slot;
        valueWords[row * VALUE_WORDS + word] = encode(value, VALUE_SIZE, word, &scale);
        if (SCALED && word % WORDS == 0) {
            valueScales[row * VALUE_BLOCKS + word / WORDS] = scale;
        }
    }
}

#else

// The first position that a token at `position` sees.
FN int first_seen(int position, int window) {
    return window == 0 || position < window ? 0 : position - window + 1;
}

// Query rows are counted per key head: row n of head g is row query_row(n, g) of q and out, of token n / perKey.
FN int query_row(int n, int head, int heads, int perKey) {
    return n / perKey * heads + head * perKey + n % perKey;
}

// What merging a span does to a sum. A negative factor says that the row sees nothing of the span.
FN float merged(float sum, float part, float oldFactor, float newFactor) {
    return newFactor < 0 ? sum : FMA(part, newFactor, sum * oldFactor);
}

// The factors of a merge. before, after: largest score without and with the span; largest: of the span.
FN float old_factor(float before, float after) {
    // Both are -infinity as long as nothing was seen.
    return before == after ? 1 : EXP(before - after);
}

FN float new_factor(float largest, float after) {
    return largest == NEGATIVE_INFINITY ? -1 : EXP(largest - after);
}

// The softmax of a span: fills weights (SPAN, QUERIES) with e_p, -1 where a row does not see p, and gives work-item n
// m_c and l_c of row base + n. Weights may be read at once; the next barrier must come before the next call.
// first, last: what the rows of the work-group see, together; scratch: SCRATCH; reduced: 2 * REDUCERS * QUERIES.
// load: whether the query rows are not in scratch yet.
FN void span_weights(
        LOCAL float *weights, LOCAL float *scratch, LOCAL float *reduced, float *spanMax, float *spanSum, int span,
        int first, int last, int base, int rows, int head, GLOBAL const float *q, int qStride,
        GLOBAL const uint *keyWords, GLOBAL const ushort *keyScales, int capacity, GLOBAL const int *positions,
        float scale, int heads, int perKey, int window, bool load) {
    int place = LOCAL_ID % SPAN;
    int firstQuery = LOCAL_ID / SPAN * SCORE_QUERIES;
    int position = span * SPAN + place;
    bool scores = firstQuery < QUERIES && first <= position && position <= last;
    int slot = position % capacity;
    size_t panel = (size_t)head * ((capacity + 31) / 32) + slot / 32;
    GLOBAL const uint *key = keyWords + panel * KEY_WORDS * 32 + slot % 32;
#if SCALED
    GLOBAL const ushort *keyScale = keyScales + panel * KEY_BLOCKS * 32 + slot % 32;
#endif

    float dots[SCORE_QUERIES];
#pragma unroll
    for (int n = 0; n < SCORE_QUERIES; n++) {
        dots[n] = 0;
    }
    for (int chunk = 0; chunk < KEY_BLOCKS * 32; chunk += CHUNK) {
        if (load) {
            for (int i = LOCAL_ID; i < QUERIES * CHUNK; i += GROUP) {
                int n = i / CHUNK;
                int column = i % CHUNK;
                bool inside = base + n < rows && chunk + column < KEY_SIZE;
                scratch[column * QUERIES + n] =
                        inside ? q[(size_t)query_row(base + n, head, heads, perKey) * qStride + chunk + column] : 0;
            }
        }
        BARRIER;
        if (scores) {
            int end = min((chunk + CHUNK) / 32, KEY_BLOCKS);
            for (int block = chunk / 32; block < end; block++) {
                uint words[WORDS];
#pragma unroll
                for (int w = 0; w < WORDS; w++) {
                    words[w] = key[(block * WORDS + w) * 32];
                }
                float parts[SCORE_QUERIES];
#pragma unroll
                for (int n = 0; n < SCORE_QUERIES; n++) {
                    parts[n] = 0;
                }
                LOCAL const float *columns = scratch + (block * 32 - chunk) * QUERIES + firstQuery;
#pragma unroll
                for (int i = 0; i < 32; i++) {
                    float value = stored_in_block(words, i);
#pragma unroll
                    for (int n = 0; n < SCORE_QUERIES; n++) {
                        parts[n] = FMA(value, columns[i * QUERIES + n], parts[n]);
                    }
                }
#if SCALED
                float blockScale = HALF_TO_FLOAT(keyScale[block * 32]);
#else
                float blockScale = 1;
#endif
#pragma unroll
                for (int n = 0; n < SCORE_QUERIES; n++) {
                    dots[n] = FMA(blockScale, parts[n], dots[n]);
                }
            }
        }
        if (CHUNK < KEY_SIZE) {
            BARRIER;
        }
    }
    if (firstQuery < QUERIES) {
#pragma unroll
        for (int n = 0; n < SCORE_QUERIES; n++) {
            weights[place * QUERIES + firstQuery + n] = scale * dots[n];
        }
    }
    BARRIER;

    int row = LOCAL_ID % QUERIES;
    int reducer = LOCAL_ID / QUERIES;
    bool reduces = reducer < REDUCERS;
    // No position is between 1 and 0: a row behind the last one sees nothing.
    int rowLast = base + row < rows ? positions[(base + row) / perKey] : 0;
    int rowFirst = base + row < rows ? first_seen(rowLast, window) : 1;
    float largest = NEGATIVE_INFINITY;
    if (reduces) {
        for (int i = reducer; i < SPAN; i += REDUCERS) {
            int p = span * SPAN + i;
            if (rowFirst <= p && p <= rowLast) {
                largest = FMAX(largest, weights[i * QUERIES + row]);
            }
        }
        reduced[LOCAL_ID] = largest;
    }
    BARRIER;
    if (reduces) {
        for (int i = 0; i < REDUCERS; i++) {
            largest = FMAX(largest, reduced[i * QUERIES + row]);
        }
        float sum = 0;
        for (int i = reducer; i < SPAN; i += REDUCERS) {
            int p = span * SPAN + i;
            float weight = -1;
            if (rowFirst <= p && p <= rowLast) {
                weight = EXP(weights[i * QUERIES + row] - largest);
                sum += weight;
            }
            weights[i * QUERIES + row] = weight;
        }
        reduced[REDUCERS * QUERIES + LOCAL_ID] = sum;
    }
    BARRIER;
    *spanMax = largest;
    *spanSum = 0;
    if (LOCAL_ID < QUERIES) {
        for (int i = 0; i < REDUCERS; i++) {
            *spanSum += reduced[(REDUCERS + i) * QUERIES + row];
        }
    }
}

// sums[n, d] += weight[n] * value d of the word. weight: (VALUE_QUERIES); masked: whether there are rows that do not
// see the position; their sums must stay what they are, whatever the value is.
FN void add_value(float *sums, uint word, float blockScale, LOCAL const float *weight, const bool masked) {
    float values[PER_WORD];
#pragma unroll
    for (int d = 0; d < PER_WORD; d++) {
        // Exact: a half times a few bits.
        values[d] = SCALED ? blockScale * stored(word, d) : stored(word, d);
    }
#pragma unroll
    for (int n = 0; n < VALUE_QUERIES; n++) {
        float w = weight[n];
#pragma unroll
        for (int d = 0; d < PER_WORD; d++) {
            float sum = FMA(w, values[d], sums[n * PER_WORD + d]);
            sums[n * PER_WORD + d] = masked && w < 0 ? sums[n * PER_WORD + d] : sum;
        }
    }
}

#if VALUES_IN_KEYS
// add_value of `count` positions from the one in slot `slot` on. words: of the work-item in the tile, (STAGED);
// blockScales: of the word's block in the first panel of the head.
FN void add_values(
        float *sums, LOCAL const uint *words, GLOBAL const ushort *blockScales, int slot, int capacity,
        LOCAL const float *weights, int count, const bool masked) {
#pragma unroll 4
    for (int i = 0; i < count; i++) {
        float blockScale = 1;
#if SCALED
        int at = slot + i < capacity ? slot + i : slot + i - capacity;
        blockScale = HALF_TO_FLOAT(blockScales[(size_t)(at / 32) * (KEY_BLOCKS * 32) + at % 32]);
#endif
        add_value(sums, words[i], blockScale, weights + i * QUERIES, masked);
    }
}
#else
// add_value of `count` positions in neighbouring slots. words: of the first position, (count) VALUE_WORDS apart;
// blockScales: likewise VALUE_BLOCKS apart.
FN void add_values(
        float *sums, GLOBAL const uint *words, GLOBAL const ushort *blockScales, LOCAL const float *weights, int count,
        const bool masked) {
#pragma unroll 8
    for (int i = 0; i < count; i++) {
        float blockScale = 1;
#if SCALED
        blockScale = HALF_TO_FLOAT(blockScales[i * VALUE_BLOCKS]);
#endif
        add_value(sums, words[i * VALUE_WORDS], blockScale, weights + i * QUERIES, masked);
    }
}
#endif

// Slice of the work-group that a work-item belongs to, at least SLICES if to none, and its word of tile `tile`, at
// least VALUE_WORDS if it has none.
FN int own_slice(void) {
    return SLICES == 1 ? 0 : LOCAL_ID / VALUE_WORDS;
}

FN int own_word(int tile) {
    return SLICES == 1 ? tile * GROUP + LOCAL_ID : LOCAL_ID % VALUE_WORDS;
}

// The values of a span: sums (TILES, VALUE_QUERIES, PER_WORD) = sum of weights * values, of the work-item's words.
// weights: (SPAN, QUERIES); first, last: what the rows of the work-group see together; allFirst, allLast: what each of
// them sees; scratch: SCRATCH, free.
FN void span_values(
        float *sums, LOCAL const float *weights, LOCAL float *scratch, int span, int first, int last, int allFirst,
        int allLast, int head, GLOBAL const uint *keyWords, GLOBAL const ushort *keyScales,
        GLOBAL const uint *valueWords, GLOBAL const ushort *valueScales, int capacity) {
    int from = max(first, span * SPAN);
    int end = min(last, span * SPAN + SPAN - 1) + 1;
    bool masked = from < allFirst || end > allLast + 1;
    int slice = own_slice();
    LOCAL const float *own = weights + slice * VALUE_QUERIES;
#pragma unroll
    for (int i = 0; i < TILES * SUMS; i++) {
        sums[i] = 0;
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
        int word = own_word(tile);
        bool owns = slice < SLICES && word < VALUE_WORDS;
#if VALUES_IN_KEYS
        // Neighbouring work-items read neighbouring slots of keys, but need neighbouring words.
        LOCAL uint *staged = (LOCAL uint *)scratch;
        size_t panels = (size_t)head * ((capacity + 31) / 32);
        GLOBAL const ushort *blockScales = keyScales + (SCALED ? (panels * KEY_BLOCKS + word / WORDS) * 32 : 0);
        int p = from;
        do {
            int count = min(STAGED, end - p);
            int place = LOCAL_ID % STAGED;
            int slot = (p + place) % capacity;
            GLOBAL const uint *key = keyWords + (panels + slot / 32) * KEY_WORDS * 32 + slot % 32;
            BARRIER;
            if (place < count) {
                for (int w = LOCAL_ID / STAGED; w < TILE_WORDS && tile * GROUP + w < VALUE_WORDS; w += GROUP / STAGED) {
                    staged[w * TILE_STRIDE + place] = key[(tile * GROUP + w) * 32];
                }
            }
            BARRIER;
            if (owns) {
                LOCAL const uint *words = staged + (word - tile * GROUP) * TILE_STRIDE;
                LOCAL const float *w = own + (p - span * SPAN) * QUERIES;
                if (masked) {
                    add_values(sums + tile * SUMS, words, blockScales, p % capacity, capacity, w, count, true);
                } else {
                    add_values(sums + tile * SUMS, words, blockScales, p % capacity, capacity, w, count, false);
                }
            }
            p += STAGED;
        } while (p < end);
#else
        if (owns) {
            for (int p = from; p < end;) {
                int slot = p % capacity;
                int count = min(end - p, capacity - slot);
                size_t row = (size_t)head * capacity + slot;
                GLOBAL const uint *words = valueWords + row * VALUE_WORDS + word;
                GLOBAL const ushort *blockScales = valueScales + (SCALED ? row * VALUE_BLOCKS + word / WORDS : 0);
                LOCAL const float *w = own + (p - span * SPAN) * QUERIES;
                if (masked) {
                    add_values(sums + tile * SUMS, words, blockScales, w, count, true);
                } else {
                    add_values(sums + tile * SUMS, words, blockScales, w, count, false);
                }
                p += count;
            }
        }
#endif
    }
}

#ifndef SPLIT

// out[t,h] = sum_p softmax_p(scale * (q[t,h] . k[p])) * v[p] over the positions that token t sees. A work-group walks
// the spans of QUERIES rows of one key head: for many rows.
// q: (tokens * heads, KEY_SIZE); out: (tokens * heads, VALUE_SIZE); positions: (tokens), rising by one; sinks: (heads).
// Grid: (ceil(tokens * perKey / QUERIES), KV_HEADS) work-groups.
GROUP_KERNEL attention(
        GLOBAL float *out, int outOffset, int outStride, GLOBAL const float *q, int qOffset, int qStride,
        GLOBAL const uint *keyWords, GLOBAL const ushort *keyScales, GLOBAL const uint *valueWords,
        GLOBAL const ushort *valueScales, int capacity, GLOBAL const int *positions, int positionsOffset, int tokens,
        float scale, int heads, int perKey, int window, int sinked, GLOBAL const float *sinks) {
    SHARED(float, weights, SPAN * QUERIES) __attribute__((aligned(16)));
    SHARED(float, scratch, SCRATCH) __attribute__((aligned(16)));
    SHARED(float, reduced, 2 * REDUCERS * QUERIES);
    SHARED(float, oldFactors, QUERIES);
    SHARED(float, newFactors, QUERIES);
    SHARED(float, totals, QUERIES);

    positions += positionsOffset;
    q += qOffset;
    out += outOffset;
    int head = GROUP_ID_1;
    int rows = tokens * perKey;
    // The last rows see most: they begin first.
    int base = ((rows + QUERIES - 1) / QUERIES - 1 - GROUP_ID) * QUERIES;
    int allLast = positions[base / perKey];
    int first = first_seen(allLast, window);
    int last = positions[(min(base + QUERIES, rows) - 1) / perKey];
    int allFirst = first_seen(last, window);

    float rowMax = NEGATIVE_INFINITY;
    float rowSum = 0;
    float sums[TILES * SUMS];
#pragma unroll
    for (int i = 0; i < TILES * SUMS; i++) {
        sums[i] = 0;
    }
    int slice = own_slice();
    int span = first / SPAN;
    do {
        float spanMax;
        float spanSum;
        bool load = !QUERIES_STAY || span == first / SPAN;
        span_weights(
                weights, scratch, reduced, &spanMax, &spanSum, span, first, last, base, rows, head, q, qStride,
                keyWords, keyScales, capacity, positions, scale, heads, perKey, window, load);
        if (LOCAL_ID < QUERIES) {
            float after = FMAX(rowMax, spanMax);
            oldFactors[LOCAL_ID] = old_factor(rowMax, after);
            newFactors[LOCAL_ID] = new_factor(spanMax, after);
            rowSum = merged(rowSum, spanSum, oldFactors[LOCAL_ID], newFactors[LOCAL_ID]);
            rowMax = after;
        }
        BARRIER;
        float parts[TILES * SUMS];
        span_values(
                parts, weights, scratch, span, first, last, allFirst, allLast, head, keyWords, keyScales, valueWords,
                valueScales, capacity);
        if (slice < SLICES) {
#pragma unroll
            for (int i = 0; i < TILES * SUMS; i++) {
                int n = slice * VALUE_QUERIES + i / PER_WORD % VALUE_QUERIES;
                sums[i] = merged(sums[i], parts[i], oldFactors[n], newFactors[n]);
            }
        }
        BARRIER;
        span++;
    } while (span <= last / SPAN);

    if (LOCAL_ID < QUERIES) {
        if (sinked) {
            float sink = base + LOCAL_ID < rows ? sinks[head * perKey + (base + LOCAL_ID) % perKey] : 0;
            float after = FMAX(rowMax, sink);
            oldFactors[LOCAL_ID] = old_factor(rowMax, after);
            newFactors[LOCAL_ID] = new_factor(sink, after);
            rowSum = merged(rowSum, 1, oldFactors[LOCAL_ID], newFactors[LOCAL_ID]);
        }
        totals[LOCAL_ID] = rowSum;
    }
    BARRIER;
    if (slice < SLICES) {
#pragma unroll
        for (int i = 0; i < TILES * SUMS; i++) {
            int n = slice * VALUE_QUERIES + i / PER_WORD % VALUE_QUERIES;
            int column = column_of(own_word(i / SUMS), i % PER_WORD);
            if (base + n < rows && column < VALUE_SIZE) {
                float sum = sinked ? merged(sums[i], 0, oldFactors[n], newFactors[n]) : sums[i];
                out[(size_t)query_row(base + n, head, heads, perKey) * outStride + column] = sum / totals[n];
            }
        }
    }
}

#endif

// The first half of attention for few rows: a work-group takes one span of QUERIES rows of one key head.
// records: (tokens * heads, spans, RECORD) F32, of each row and each span that it sees, the first one being the first
// span that the first token sees; the others are not written or hold nothing of use.
// spans: at least what the tokens see together: last / SPAN - first / SPAN + 1 of the first and the last position seen.
// Grid: (spans, ceil(tokens * perKey / QUERIES), KV_HEADS) work-groups.
GROUP_KERNEL attention_split(
        GLOBAL float *records, int spans, GLOBAL const float *q, int qOffset, int qStride,
        GLOBAL const uint *keyWords, GLOBAL const ushort *keyScales, GLOBAL const uint *valueWords,
        GLOBAL const ushort *valueScales, int capacity, GLOBAL const int *positions, int positionsOffset, int tokens,
        float scale, int heads, int perKey, int window) {
    SHARED(float, weights, SPAN * QUERIES) __attribute__((aligned(16)));
    SHARED(float, scratch, SCRATCH) __attribute__((aligned(16)));
    SHARED(float, reduced, 2 * REDUCERS * QUERIES);

    positions += positionsOffset;
    q += qOffset;
    int head = GROUP_ID_2;
    int rows = tokens * perKey;
    int base = GROUP_ID_1 * QUERIES;
    int allLast = positions[base / perKey];
    int first = first_seen(allLast, window);
    int last = positions[(min(base + QUERIES, rows) - 1) / perKey];
    int allFirst = first_seen(last, window);
    int span = first_seen(positions[0], window) / SPAN + GROUP_ID;
    if (span < first / SPAN || span > last / SPAN) {
        // Nothing to read, compute or write; no return, as barriers follow.
        rows = 0;
        last = -1;
    }

    float spanMax;
    float spanSum;
    span_weights(
            weights, scratch, reduced, &spanMax, &spanSum, span, first, last, base, rows, head, q, qStride, keyWords,
            keyScales, capacity, positions, scale, heads, perKey, window, true);
    if (LOCAL_ID < QUERIES && base + LOCAL_ID < rows) {
        size_t record = (size_t)query_row(base + LOCAL_ID, head, heads, perKey) * spans + GROUP_ID;
        records[record * RECORD + VALUE_SIZE] = spanMax;
        records[record * RECORD + VALUE_SIZE + 1] = spanSum;
    }
    float parts[TILES * SUMS];
    span_values(
            parts, weights, scratch, span, first, last, allFirst, allLast, head, keyWords, keyScales, valueWords,
            valueScales, capacity);
    int slice = own_slice();
    if (slice < SLICES) {
#pragma unroll
        for (int i = 0; i < TILES * SUMS; i++) {
            int n = slice * VALUE_QUERIES + i / PER_WORD % VALUE_QUERIES;
            int column = column_of(own_word(i / SUMS), i % PER_WORD);
            if (base + n < rows && column < VALUE_SIZE) {
                size_t record = (size_t)query_row(base + n, head, heads, perKey) * spans + GROUP_ID;
                records[record * RECORD + column] = parts[i];
            }
        }
    }
}

// The second half: merges the spans of a row. records, spans: as of attention_split; out, positions, sinks: as of
// attention.
// Grid: (tokens * heads) work-groups.
GROUP_KERNEL attention_merge(
        GLOBAL float *out, int outOffset, int outStride, GLOBAL const float *records, int spans,
        GLOBAL const int *positions, int positionsOffset, int heads, int window, int sinked,
        GLOBAL const float *sinks) {
    SHARED(float, maxima, GROUP);
    SHARED(float, spanSums, GROUP);
    SHARED(float, oldFactors, GROUP);
    SHARED(float, newFactors, GROUP);

    int row = GROUP_ID;
    positions += positionsOffset;
    out += outOffset + (size_t)row * outStride;
    records += (size_t)row * spans * RECORD;
    int position = positions[row / heads];
    int firstSpan = first_seen(positions[0], window) / SPAN;
    int end = position / SPAN - firstSpan + 1;

    float rowMax = NEGATIVE_INFINITY;
    float rowSum = 0;
    float sums[(VALUE_SIZE + GROUP - 1) / GROUP];
#pragma unroll
    for (int i = 0; i < (VALUE_SIZE + GROUP - 1) / GROUP; i++) {
        sums[i] = 0;
    }
    int from = first_seen(position, window) / SPAN - firstSpan;
    do {
        // The factors of GROUP merges at a time, each from the largest score up to its span (Hillis and Steele's scan).
        int count = min(GROUP, end - from);
        float largest = NEGATIVE_INFINITY;
        if (LOCAL_ID < count) {
            GLOBAL const float *record = records + (size_t)(from + LOCAL_ID) * RECORD;
            largest = record[VALUE_SIZE];
            spanSums[LOCAL_ID] = record[VALUE_SIZE + 1];
        }
        maxima[LOCAL_ID] = FMAX(rowMax, largest);
        BARRIER;
        int step = 1;
        do {
            float other = LOCAL_ID >= step ? maxima[LOCAL_ID - step] : NEGATIVE_INFINITY;
            BARRIER;
            maxima[LOCAL_ID] = FMAX(maxima[LOCAL_ID], other);
            BARRIER;
            step *= 2;
        } while (step < count);
        float before = LOCAL_ID == 0 ? rowMax : maxima[LOCAL_ID - 1];
        oldFactors[LOCAL_ID] = old_factor(before, maxima[LOCAL_ID]);
        newFactors[LOCAL_ID] = new_factor(largest, maxima[LOCAL_ID]);
        rowMax = maxima[count - 1];
        BARRIER;
        for (int c = 0; c < count; c++) {
            rowSum = merged(rowSum, spanSums[c], oldFactors[c], newFactors[c]);
        }
#pragma unroll
        for (int i = 0; i < (VALUE_SIZE + GROUP - 1) / GROUP; i++) {
            int column = i * GROUP + LOCAL_ID;
            if (column < VALUE_SIZE) {
#pragma unroll 4
                for (int c = 0; c < count; c++) {
                    float part = records[(size_t)(from + c) * RECORD + column];
                    sums[i] = merged(sums[i], part, oldFactors[c], newFactors[c]);
                }
            }
        }
        BARRIER;
        from += GROUP;
    } while (from < end);

    float oldFactor = 1;
    float newFactor = -1;
    if (sinked) {
        float sink = sinks[row % heads];
        float after = FMAX(rowMax, sink);
        oldFactor = old_factor(rowMax, after);
        newFactor = new_factor(sink, after);
        rowSum = merged(rowSum, 1, oldFactor, newFactor);
    }
#pragma unroll
    for (int i = 0; i < (VALUE_SIZE + GROUP - 1) / GROUP; i++) {
        int column = i * GROUP + LOCAL_ID;
        if (column < VALUE_SIZE) {
            out[column] = merged(sums[i], 0, oldFactor, newFactor) / rowSum;
        }
    }
}

#endif

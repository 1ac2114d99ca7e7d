// Attention of many tokens over a key/value cache on a CPU: the kernel `attention` of attention.cl in vectors, in its
// order of the arithmetic: the same bits. A work-item, alone in its work-group, walks the spans of QUERIES rows of one
// key head.
//
// Constants: TYPE_F32, TYPE_F16 or TYPE_BF16, that of the cache; WIDTH, which is 16 (quant.inc, which reads keys as it
// reads weights: slots are rows); KEY_SIZE; VALUE_SIZE, a multiple of 32; SPAN: see attention.cl.

// Rows whose sums are in registers at once.
#define QUERIES 8
#define KEY_BLOCKS ((KEY_SIZE + 31) / 32)
// Values of a word; words, and vectors of them, of a value.
#define PER_WORD (32 / WORDS)
#define VALUE_WORDS (VALUE_SIZE / PER_WORD)
#define VECTORS (VALUE_WORDS / WIDTH)

// Value d of each word.
FN floats stored(uints words, int d) {
#if defined(TYPE_F32)
    return AS_FLOATS(words);
#elif defined(TYPE_F16)
    return d == 0 ? LOW_HALF(words) : HIGH_HALF(words);
#else
    return AS_FLOATS(d == 0 ? words << 16 : words & 0xFFFF0000u);
#endif
}

// The first position that a token at `position` sees.
FN int first_seen(int position, int window) {
    return window == 0 || position < window ? 0 : position - window + 1;
}

// The factors of a merge: see attention.cl. before, after: largest score without and with the span; largest: of the
// span.
FN float old_factor(float before, float after) {
    return before == after ? 1.0f : EXP(before - after);
}

FN float new_factor(float largest, float after) {
    return largest == NEGATIVE_INFINITY ? -1.0f : EXP(largest - after);
}

// scores[n][place + i] = scale * (q[n] . k) of position i of `count` in neighbouring slots from `slot` on.
FN void span_scores(
        float (*scores)[SPAN], int place, int slot, int count, const float (*q)[KEY_BLOCKS * 32], float scale,
        GLOBAL const uint *keyWords) {
    // Vectors begin at multiples of WIDTH; what is of other positions is not kept.
    for (int s = slot / WIDTH * WIDTH; s < slot + count; s += WIDTH) {
        GLOBAL const uint *key = keyWords + (size_t)(s / 32) * (KEY_BLOCKS * WORDS * 32) + s % 32;
        floats dots[QUERIES];
#pragma unroll
        for (int n = 0; n < QUERIES; n++) {
            dots[n] = 0.0f;
        }
        for (int block = 0; block < KEY_BLOCKS; block++) {
            floats values[32];
            floats one[2];
            floats none[2];
            read_group((GLOBAL const uints *)(key + block * (WORDS * 32)), 0, 0u, values, one, none);
            floats parts[QUERIES];
#pragma unroll
            for (int n = 0; n < QUERIES; n++) {
                parts[n] = 0.0f;
            }
            for (int i = 0; i < 32; i++) {
#pragma unroll
                for (int n = 0; n < QUERIES; n++) {
                    parts[n] = FMA(values[i], (floats)(q[n][block * 32 + i]), parts[n]);
                }
            }
#pragma unroll
            for (int n = 0; n < QUERIES; n++) {
                dots[n] = dots[n] + parts[n];
            }
        }
        int from = max(slot - s, 0);
        int end = min(slot + count - s, WIDTH);
        for (int n = 0; n < QUERIES; n++) {
            floats all = scale * dots[n];
            const float *of = (const float *)&all;
            for (int i = from; i < end; i++) {
                scores[n][place + s - slot + i] = of[i];
            }
        }
    }
}

// parts[n][d] += weights[n][place + i] * value d of a vector of words of position i, of `count` in neighbouring slots.
// words: of the first one; masked: whether there are rows that do not see a position: their weight is negative.
FN void add_values(
        floats (*parts)[PER_WORD], GLOBAL const uint *words, const float (*weights)[SPAN], int place, int count,
        const bool masked) {
    for (int i = 0; i < count; i++) {
        uints word = *(GLOBAL const uints *)(words + (size_t)i * VALUE_WORDS);
        floats values[PER_WORD];
#pragma unroll
        for (int d = 0; d < PER_WORD; d++) {
            values[d] = stored(word, d);
        }
#pragma unroll
        for (int n = 0; n < QUERIES; n++) {
            float weight = weights[n][place + i];
#pragma unroll
            for (int d = 0; d < PER_WORD; d++) {
                floats sum = FMA((floats)(weight), values[d], parts[n][d]);
                parts[n][d] = masked && weight < 0.0f ? parts[n][d] : sum;
            }
        }
    }
}

// See attention.cl. Grid: (ceil(tokens * perKey / QUERIES), key heads) work-groups of one work-item.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void attention(
        GLOBAL float *out, int outOffset, int outStride, GLOBAL const float *q, int qOffset, int qStride,
        GLOBAL const uint *keyWords, GLOBAL const ushort *keyScales, GLOBAL const uint *valueWords,
        GLOBAL const ushort *valueScales, int capacity, GLOBAL const int *positions, int positionsOffset, int tokens,
        float scale, int heads, int perKey, int window, int sinked, GLOBAL const float *sinks) {
    positions += positionsOffset;
    int head = GROUP_ID_1;
    int rows = tokens * perKey;
    // The last rows see most: they begin first.
    int base = ((rows + QUERIES - 1) / QUERIES - 1 - GROUP_ID) * QUERIES;
    int count = min(QUERIES, rows - base);
    int allLast = positions[base / perKey];
    int first = first_seen(allLast, window);
    int last = positions[(base + count - 1) / perKey];
    int allFirst = first_seen(last, window);
    keyWords += (size_t)head * ((capacity + 31) / 32) * (KEY_BLOCKS * WORDS * 32);
    valueWords += (size_t)head * capacity * VALUE_WORDS;

    float queries[QUERIES][KEY_BLOCKS * 32];
    float rowMax[QUERIES];
    float rowSum[QUERIES];
    floats sums[QUERIES][VECTORS][PER_WORD];
    for (int n = 0; n < QUERIES; n++) {
        int row = (base + n) / perKey * heads + head * perKey + (base + n) % perKey;
        for (int i = 0; i < KEY_BLOCKS * 32; i++) {
            queries[n][i] = n < count && i < KEY_SIZE ? q[qOffset + (size_t)row * qStride + i] : 0.0f;
        }
        rowMax[n] = NEGATIVE_INFINITY;
        rowSum[n] = 0.0f;
        for (int v = 0; v < VECTORS; v++) {
            for (int d = 0; d < PER_WORD; d++) {
                sums[n][v][d] = 0.0f;
            }
        }
    }
    for (int span = first / SPAN; span <= last / SPAN; span++) {
        int from = max(first, span * SPAN);
        int end = min(last + 1, span * SPAN + SPAN);
        float weights[QUERIES][SPAN];
        for (int p = from; p < end;) {
            // Neighbouring positions are in neighbouring slots, up to the last slot.
            int slot = p % capacity;
            int some = min(end - p, capacity - slot);
            span_scores(weights, p % SPAN, slot, some, queries, scale, keyWords);
            p += some;
        }

        float oldFactors[QUERIES];
        float newFactors[QUERIES];
        for (int n = 0; n < QUERIES; n++) {
            // No position is between 1 and 0: a row behind the last one sees nothing.
            int rowLast = n < count ? positions[(base + n) / perKey] : 0;
            int rowFirst = n < count ? first_seen(rowLast, window) : 1;
            float largest = NEGATIVE_INFINITY;
            for (int p = max(from, rowFirst); p <= min(end - 1, rowLast); p++) {
                largest = FMAX(largest, weights[n][p % SPAN]);
            }
            float congruent[16];
            for (int i = 0; i < 16; i++) {
                congruent[i] = 0.0f;
            }
            for (int p = from; p < end; p++) {
                float weight = -1.0f;
                if (rowFirst <= p && p <= rowLast) {
                    weight = EXP(weights[n][p % SPAN] - largest);
                    congruent[p % 16] = congruent[p % 16] + weight;
                }
                weights[n][p % SPAN] = weight;
            }
            float sum = 0.0f;
            for (int i = 0; i < 16; i++) {
                sum = sum + congruent[i];
            }
            float after = FMAX(rowMax[n], largest);
            oldFactors[n] = old_factor(rowMax[n], after);
            newFactors[n] = new_factor(largest, after);
            rowSum[n] = newFactors[n] < 0.0f ? rowSum[n] : FMA(sum, newFactors[n], rowSum[n] * oldFactors[n]);
            rowMax[n] = after;
        }

        bool masked = from < allFirst || end > allLast + 1;
        for (int v = 0; v < VECTORS; v++) {
            floats parts[QUERIES][PER_WORD];
#pragma unroll
            for (int n = 0; n < QUERIES; n++) {
#pragma unroll
                for (int d = 0; d < PER_WORD; d++) {
                    parts[n][d] = 0.0f;
                }
            }
            for (int p = from; p < end;) {
                int slot = p % capacity;
                int some = min(end - p, capacity - slot);
                GLOBAL const uint *words = valueWords + (size_t)slot * VALUE_WORDS + v * WIDTH;
                if (masked) {
                    add_values(parts, words, weights, p % SPAN, some, true);
                } else {
                    add_values(parts, words, weights, p % SPAN, some, false);
                }
                p += some;
            }
#pragma unroll
            for (int n = 0; n < QUERIES; n++) {
#pragma unroll
                for (int d = 0; d < PER_WORD; d++) {
                    floats sum = FMA(parts[n][d], (floats)(newFactors[n]), sums[n][v][d] * oldFactors[n]);
                    sums[n][v][d] = newFactors[n] < 0.0f ? sums[n][v][d] : sum;
                }
            }
        }
    }
    for (int n = 0; n < count; n++) {
        float oldFactor = 1.0f;
        float newFactor = -1.0f;
        if (sinked) {
            float sink = sinks[head * perKey + (base + n) % perKey];
            float after = FMAX(rowMax[n], sink);
            oldFactor = old_factor(rowMax[n], after);
            newFactor = new_factor(sink, after);
            rowSum[n] = newFactor < 0.0f ? rowSum[n] : FMA(1.0f, newFactor, rowSum[n] * oldFactor);
        }
        int row = (base + n) / perKey * heads + head * perKey + (base + n) % perKey;
        GLOBAL float *to = out + outOffset + (size_t)row * outStride;
        for (int v = 0; v < VECTORS; v++) {
            for (int d = 0; d < PER_WORD; d++) {
                const float *of = (const float *)&sums[n][v][d];
                for (int i = 0; i < WIDTH; i++) {
                    float sum = newFactor < 0.0f ? of[i] : FMA(0.0f, newFactor, of[i] * oldFactor);
                    to[(v * WIDTH + i) * PER_WORD + d] = sum / rowSum[n];
                }
            }
        }
    }
}

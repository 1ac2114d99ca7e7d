// Products of packed weights with quantised activations, and the quantisation: one source for every instruction set.
// docs/packed-weights.md of this module is the contract: the layout, the order of the sums, the argument structures.
//
// Freestanding: no C library, no writable data, no relocations. build.sh compiles it once for every target and links
// it to a flat image that may lie at any page. TARGET_H names the file of the target's vector primitives.
//
// The primitives know vectors of LANES rows (16, 8 or 4). A group of sixteen rows is VECTORS = 16 / LANES of them, and
// each 64-byte vector of the layout is that many neighbouring vectors of the target.

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef long long i64;
typedef int i32 __attribute__((may_alias));
typedef float f32 __attribute__((may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

#include TARGET_H

#define VECTORS (16 / LANES)
#define MAX_TOKENS 16

// How far ahead weights are fetched into the cache of level 2 and then into that of level 1. The hardware's own
// prefetching stops at every 4 KiB, and level 1 alone has too few lines on their way: 0.85 of the read bandwidth where
// both together reach 0.95.
#define FAR 8192
#define NEAR 2048

enum type { Q4_0, Q5_0, Q8_0, IQ4_NL, MXFP4, Q4_K, Q5_K, Q6_K, F16, BF16 };

struct matmul {
    const u8 *w;
    i64 groups, group_bytes, units;
    const i8 *q;
    const f32 *d;
    const void *z;
    i64 tokens;
    f32 *out;
    i64 out_stride;
};

// What the type's numbers are, all known when a kernel is compiled.

INLINE int is_offset(enum type type) { return type <= MXFP4; }

INLINE int has_minima(enum type type) { return type == Q4_K || type == Q5_K; }

INLINE int blocks_of_unit(enum type type) { return is_offset(type) ? 2 : 8; }

INLINE int scale_bytes(enum type type) { return type == MXFP4 ? 32 : is_offset(type) ? 64 : 320; }

INLINE int plane_bytes(enum type type) {
    switch (type) {
        case Q8_0: return 512;
        case Q5_0:
        case Q5_K: return 320;
        case Q6_K: return 384;
        default: return 256;
    }
}

INLINE int unit_bytes(enum type type) { return scale_bytes(type) + blocks_of_unit(type) * plane_bytes(type); }

// The largest weight once it is made non-negative.
INLINE int largest(enum type type) {
    switch (type) {
        case Q5_0:
        case Q5_K: return 31;
        case Q8_0: return 255;
        case IQ4_NL: return 113 + 128;
        case MXFP4: return 12 + 12;
        case Q6_K: return 63;
        default: return 15;
    }
}

INLINE int offset(enum type type) {
    switch (type) {
        case Q4_0: return 8;
        case Q5_0: return 16;
        case Q8_0:
        case IQ4_NL: return 128;
        case MXFP4: return 12;
        case Q6_K: return 32;
        default: return 0;
    }
}

// Whether the kernel multiplies by signed weights; if not, the weights are non-negative and sums begin at z.
INLINE int is_signed(enum type type) { return offset(type) != 0 && largest(type) > MOST_UNSIGNED; }

// What IQ4_NL and MXFP4 look up. Non-negative: steps + 128, doubled + 12.
static const i8 SIGNED_STEPS[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static const u8 STEPS[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
static const u8 DOUBLED[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

// A block of 32 columns of LANES rows: element k of `w` holds columns 4k to 4k + 3. `plane` is that of row 0 of the
// vector, four bytes a row.
INLINE void unpack(vb *w, const enum type type, const u8 *plane) {
    if (type == Q8_0) {
        UNROLL
        for (int k = 0; k < 8; k++) w[k] = load(plane + 64 * k);
    } else {
        const vb low = splat8(15);
        UNROLL
        for (int j = 0; j < 4; j++) {
            vb v = load(plane + 64 * j);
            w[2 * j] = and(v, low);
            w[2 * j + 1] = and(shift_right(v, 4), low);
        }
    }
    if (type == Q5_0 || type == Q5_K) {
        vb fifth = load(plane + 256);
        const vb bit = splat8(16);
        UNROLL
        for (int k = 0; k < 8; k++)
            w[k] = or_and(w[k], k < 4 ? shift_left(fifth, 4 - k) : shift_right(fifth, k - 4), bit);
    }
    if (type == Q6_K) {
        const vb bits = splat8(48);
        UNROLL
        for (int k = 0; k < 8; k++) {
            vb upper = load(plane + 256 + 64 * (k / 4));
            int s = 2 * (k % 4);
            w[k] = or_and(w[k], s < 4 ? shift_left(upper, 4 - s) : shift_right(upper, s - 4), bits);
        }
    }
    if (type == IQ4_NL || type == MXFP4) {
        const vb table = table16(type == MXFP4 ? DOUBLED : is_signed(type) ? (const u8 *)SIGNED_STEPS : STEPS);
        UNROLL
        for (int k = 0; k < 8; k++) w[k] = look_up(table, w[k]);
    }
    if (is_signed(type) && type != IQ4_NL) {
        const vb minus = splat8(offset(type));
        UNROLL
        for (int k = 0; k < 8; k++) w[k] = subtract8(w[k], minus);
    }
}

// What a block's sums are multiplied by.
struct scales {
    vf first;
    vf second; // Q6_K: of the upper half; Q4_K, Q5_K: what is subtracted
};

// `unit` is that of the group, `row` the first of the vector.
INLINE struct scales scales_of(const enum type type, const u8 *unit, int block, int row) {
    struct scales s;
    if (type == MXFP4) {
        s.first = power(unit + 16 * block + row);
    } else if (is_offset(type)) {
        s.first = halves(unit + 32 * block + 2 * row);
    } else if (has_minima(type)) {
        s.first = mul(halves(unit + 2 * row), unsigned_bytes(unit + 64 + 16 * block + row));
        s.second = mul(halves(unit + 32 + 2 * row), unsigned_bytes(unit + 192 + 16 * block + row));
        return s;
    } else {
        vf d = halves(unit + 2 * row);
        const u8 *sc = unit + 64 + 32 * block + row;
        s.first = mul(d, signed_bytes(sc));
        s.second = mul(d, signed_bytes(sc + 16));
        return s;
    }
    s.second = s.first; // not used
    return s;
}

// One block of one token for `strip` vectors of rows. `z` is the token's first, `tokens` what leads to its second.
INLINE void step(const enum type type, vf *c, const int strip, vb (*w)[8], const struct scales *s, const i8 *q,
        const f32 *d, const i32 *z, i64 tokens) {
    const int most = is_signed(type) ? -1 : largest(type);
    const int from_z = offset(type) != 0 && !is_signed(type);
    const acts a = activations(q);
    const vf scale = splat(d);
    vi sum[STRIP];
    if (type == Q6_K) {
        dots(sum, from_z ? splat32(z) : zero(), strip, w, a, 0, 4, most);
        UNROLL
        for (int v = 0; v < strip; v++) c[v] = fma(mul(to_float(sum[v]), scale), s[v].first, c[v]);
        dots(sum, from_z ? splat32(z + tokens) : zero(), strip, w, a, 4, 8, most);
        UNROLL
        for (int v = 0; v < strip; v++) c[v] = fma(mul(to_float(sum[v]), scale), s[v].second, c[v]);
        return;
    }
    dots(sum, from_z ? splat32(z) : zero(), strip, w, a, 0, 8, most);
    UNROLL
    for (int v = 0; v < strip; v++) {
        c[v] = fma(mul(to_float(sum[v]), scale), s[v].first, c[v]);
        if (has_minima(type)) c[v] = fma_negated(s[v].second, splat((const f32 *)z), c[v]);
    }
}

// Steps of z from block to block, for each token.
INLINE int z_of_block(enum type type) { return type == Q6_K ? 2 : 1; }

INLINE void prefetch(const u8 *p) {
    prefetch_far(p + FAR);
    prefetch_near(p + NEAR);
}

INLINE void prefetch_block(const enum type type, const u8 *unit, int block) {
    const int lines = (unit_bytes(type) / blocks_of_unit(type) + 63) / 64;
    UNROLL
    for (int i = 0; i < lines; i++) prefetch(unit + 64 * (block * lines + i));
}

// One token: bound by memory, so weights are read once in order, and the sums stay in registers.
INLINE void single(const struct matmul *m, const enum type type) {
    const u8 *unit = m->w;
    for (i64 g = 0; g < m->groups; g++) {
        const i8 *q = m->q;
        const f32 *d = m->d;
        const i32 *z = m->z;
        vf c[VECTORS];
        UNROLL
        for (int v = 0; v < VECTORS; v++) c[v] = zero_float();
        for (i64 u = 0; u < m->units; u++, unit += unit_bytes(type)) {
            _Pragma("GCC unroll 2")
            for (int b = 0; b < blocks_of_unit(type); b++) {
                prefetch_block(type, unit, b);
                const u8 *plane = unit + scale_bytes(type) + plane_bytes(type) * b;
                UNROLL
                for (int v = 0; v < VECTORS; v++) {
                    vb w[1][8];
                    unpack(w[0], type, plane + 4 * LANES * v);
                    struct scales s = scales_of(type, unit, b, LANES * v);
                    step(type, c + v, 1, w, &s, q, d, z, 1);
                }
                q += 32;
                d++;
                z += z_of_block(type);
            }
        }
        UNROLL
        for (int v = 0; v < VECTORS; v++) store(m->out + 16 * g + LANES * v, c[v]);
    }
}

// A tile of tokens: bound by arithmetic, so each unpacked block of weights, in registers, meets all tokens. The sums
// wait in memory, which is the cache of level 1. `groups` (1 or 2) are done at once.
INLINE void tile(const struct matmul *m, const enum type type, i64 group, const int groups) {
    const i64 tokens = m->tokens;
    vf sums[MAX_TOKENS * STRIP_GROUPS * VECTORS];
    for (i64 i = 0; i < tokens * groups * VECTORS; i++) sums[i] = zero_float();
    const u8 *unit = m->w + group * m->group_bytes;
    const i8 *q = m->q;
    const f32 *d = m->d;
    const i32 *z = m->z;
    for (i64 u = 0; u < m->units; u++, unit += unit_bytes(type)) {
        for (int b = 0; b < blocks_of_unit(type); b++) {
            for (int g = 0; g < groups; g++) prefetch_block(type, unit + g * m->group_bytes, b);
            const u8 *plane = unit + scale_bytes(type) + plane_bytes(type) * b;
            // STRIP vectors at once: of one group, or one of each group.
            UNROLL
            for (int first = 0; first < groups * VECTORS; first += STRIP) {
                const int strip = groups * VECTORS - first < STRIP ? groups * VECTORS - first : STRIP;
                vb w[STRIP][8];
                struct scales s[STRIP];
                UNROLL
                for (int v = 0; v < strip; v++) {
                    i64 to_group = (first + v) / VECTORS * m->group_bytes;
                    int row = (first + v) % VECTORS * LANES;
                    unpack(w[v], type, plane + to_group + 4 * row);
                    s[v] = scales_of(type, unit + to_group, b, row);
                }
                vf *c = sums + first;
                for (i64 t = 0; t < tokens; t++, c += groups * VECTORS)
                    step(type, c, strip, w, s, q + 32 * t, d + t, z + t, tokens);
            }
            q += 32 * tokens;
            d += tokens;
            z += z_of_block(type) * tokens;
        }
    }
    for (i64 t = 0; t < tokens; t++) {
        UNROLL
        for (int v = 0; v < groups * VECTORS; v++)
            store(m->out + t * m->out_stride + 16 * group + LANES * v, sums[t * groups * VECTORS + v]);
    }
}

INLINE void integers(const struct matmul *m, const enum type type) {
    if (m->tokens == 1) {
        single(m, type);
        return;
    }
    i64 g = 0;
    for (; g + STRIP_GROUPS <= m->groups; g += STRIP_GROUPS) tile(m, type, g, STRIP_GROUPS);
    if (STRIP_GROUPS > 1 && g < m->groups) tile(m, type, g, 1);
}

// F16 and BF16: activations are floats, x of (column, token). Four sums, one of each remainder of the column by four.

INLINE vf float_weights(const enum type type, const u8 *p) { return type == F16 ? halves(p) : brains(p); }

INLINE vf join(vf c0, vf c1, vf c2, vf c3) { return add(add(c0, c2), add(c1, c3)); }

INLINE void single_float(const struct matmul *m, const enum type type) {
    const u8 *unit = m->w;
    for (i64 g = 0; g < m->groups; g++) {
        const f32 *x = (const f32 *)m->q;
        vf c[4][VECTORS];
        UNROLL
        for (int i = 0; i < 4 * VECTORS; i++) c[i / VECTORS][i % VECTORS] = zero_float();
        for (i64 u = 0; u < m->units; u++, unit += 128, x += 4) {
            prefetch(unit);
            prefetch(unit + 64);
            UNROLL
            for (int i = 0; i < 4; i++) {
                UNROLL
                for (int v = 0; v < VECTORS; v++)
                    c[i][v] = fma(float_weights(type, unit + 32 * i + 2 * LANES * v), splat(x + i), c[i][v]);
            }
        }
        UNROLL
        for (int v = 0; v < VECTORS; v++) store(m->out + 16 * g + LANES * v, join(c[0][v], c[1][v], c[2][v], c[3][v]));
    }
}

// Units whose weights stay in the cache of level 1 while all tokens meet them.
#define FLOAT_UNITS 32

// One remainder of the column, `count` tokens, `vectors` vectors of one or two groups. `w` and `x` are the first.
INLINE void float_strip(const enum type type, vf *sums, i64 sum_stride, const int vectors, const int count, const u8 *w,
        i64 group_bytes, const f32 *x, i64 tokens, i64 units) {
    vf c[FLOAT_TOKENS][STRIP_GROUPS * VECTORS];
    UNROLL
    for (int t = 0; t < count; t++) {
        UNROLL
        for (int v = 0; v < vectors; v++) c[t][v] = sums[t * sum_stride + v];
    }
    for (i64 u = 0; u < units; u++, w += 128, x += 4 * tokens) {
        vf values[STRIP_GROUPS * VECTORS];
        UNROLL
        for (int v = 0; v < vectors; v++)
            values[v] = float_weights(type, w + v / VECTORS * group_bytes + v % VECTORS * 2 * LANES);
        UNROLL
        for (int t = 0; t < count; t++) {
            vf a = splat(x + t);
            UNROLL
            for (int v = 0; v < vectors; v++) c[t][v] = fma(values[v], a, c[t][v]);
        }
    }
    UNROLL
    for (int t = 0; t < count; t++) {
        UNROLL
        for (int v = 0; v < vectors; v++) sums[t * sum_stride + v] = c[t][v];
    }
}

INLINE void tile_float(const struct matmul *m, const enum type type, i64 group, const int groups) {
    const i64 tokens = m->tokens;
    const int vectors = groups * VECTORS;
    vf sums[MAX_TOKENS * 4 * STRIP_GROUPS * VECTORS];
    for (i64 i = 0; i < tokens * 4 * vectors; i++) sums[i] = zero_float();
    const u8 *w = m->w + group * m->group_bytes;
    const f32 *x = (const f32 *)m->q;
    for (i64 u = 0; u < m->units; u += FLOAT_UNITS, w += 128 * FLOAT_UNITS, x += 4 * FLOAT_UNITS * tokens) {
        i64 units = m->units - u < FLOAT_UNITS ? m->units - u : FLOAT_UNITS;
        for (i64 line = 0; line < 2 * units; line++) {
            for (int g = 0; g < groups; g++) prefetch_near(w + g * m->group_bytes + 128 * FLOAT_UNITS + 64 * line);
        }
        for (int i = 0; i < 4; i++) {
            i64 t = 0;
#define PART(n) \
    for (; t + n <= tokens; t += n) \
        float_strip(type, sums + (t * 4 + i) * vectors, 4 * vectors, vectors, n, w + 32 * i, m->group_bytes, \
                x + i * tokens + t, tokens, units);
#if FLOAT_TOKENS == 8
            PART(8)
#endif
            PART(4) PART(2) PART(1)
        }
    }
    for (i64 t = 0; t < tokens; t++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            const vf *c = sums + t * 4 * vectors + v;
            store(m->out + t * m->out_stride + 16 * group + LANES * v,
                    join(c[0], c[vectors], c[2 * vectors], c[3 * vectors]));
        }
    }
}

INLINE void floats(const struct matmul *m, const enum type type) {
    if (m->tokens == 1) {
        single_float(m, type);
        return;
    }
    i64 g = 0;
    for (; g + STRIP_GROUPS <= m->groups; g += STRIP_GROUPS) tile_float(m, type, g, STRIP_GROUPS);
    if (STRIP_GROUPS > 1 && g < m->groups) tile_float(m, type, g, 1);
}

// Filling a panel. Every function is for one token: q, d, z (or x) are the token's first, and the token's next block
// (of floats: column) is `tokens` further, as the tile's tokens lie side by side.
struct row {
    const f32 *from;  // quantise, floats: `cols` values
    i64 cols;
    i64 blocks;       // to be written, those beyond the end as zeros; of floats: columns
    i64 tokens;
    i8 *q;
    f32 *d;
    void *z;
    i64 correction;   // an enum
    i64 offset;
    const i8 *from_q; // copy: a tile of one token
    const f32 *from_d;
};

enum correction { OFFSET, OFFSET_OF_HALVES, MINIMA };

// The largest magnitude as bits of a float: these are ordered as their values, with NaN above all.
INLINE i32 magnitude(const f32 *x) {
    const i32 *bits = (const i32 *)x;
    i32 most = 0;
    for (int i = 0; i < 32; i++) {
        i32 b = bits[i] & 0x7fffffff;
        most = b > most ? b : most;
    }
    return most;
}

INLINE void quantise_block(const f32 *x, i8 *q, f32 *d) {
    union {
        i32 bits;
        float value;
    } max = {magnitude(x)};
    float inverse = max.value == 0 ? 0 : 127 / max.value;
    UNROLL
    for (int i = 0; i < 32; i += LANES) store_rounded(q + i, mul(load_float(x + i), splat(&inverse)));
    *d = max.value / 127;
}

INLINE void quantise_row(const struct row *r) {
    i8 *q = r->q;
    f32 *d = r->d;
    for (i64 b = 0; b < r->blocks; b++, q += 32 * r->tokens, d += r->tokens) {
        i64 left = r->cols - 32 * b;
        if (left >= 32) {
            quantise_block(r->from + 32 * b, q, d);
        } else {
            float part[32];
            for (int i = 0; i < 32; i++) part[i] = i < left ? r->from[32 * b + i] : 0;
            quantise_block(part, q, d);
        }
    }
}

INLINE int sum16(const i8 *q) {
    int s = 0;
    for (int i = 0; i < 16; i++) s += q[i];
    return s;
}

INLINE void correct_row(const struct row *r) {
    const i64 tokens = r->tokens;
    const i8 *q = r->q;
    i32 *whole = r->z;
    f32 *z = r->z;
    int minus = -(int)r->offset;
    for (i64 b = 0; b < r->blocks; b++, q += 32 * tokens) {
        int low = sum16(q);
        int high = sum16(q + 16);
        switch (r->correction) {
            case OFFSET: whole[b * tokens] = minus * (low + high); break;
            case OFFSET_OF_HALVES:
                whole[2 * b * tokens] = minus * low;
                whole[(2 * b + 1) * tokens] = minus * high;
                break;
            default: z[b * tokens] = r->d[b * tokens] * (float)(low + high);
        }
    }
}

INLINE void copy_row(const struct row *r) {
    for (i64 b = 0; b < r->blocks; b++) {
        const i64 *from = (const i64 *)(r->from_q + 32 * b);
        typedef i64 word __attribute__((may_alias, aligned(1)));
        for (int i = 0; i < 4; i++) ((word *)(r->q + 32 * b * r->tokens))[i] = ((const word *)from)[i];
        r->d[b * r->tokens] = r->from_d[b];
    }
}

// Floats as they are, columns beyond the end zero.
INLINE void float_row(const struct row *r) {
    f32 *x = (f32 *)r->q;
    for (i64 c = 0; c < r->blocks; c++) x[c * r->tokens] = c < r->cols ? r->from[c] : 0;
}

// The most multiply-adds of 8 bits that the instructions of `dots` can do: weights and activations stay in registers, in
// enough chains to hide the latency. A turn is 192 columns of sixteen rows. Every weight is 15 and every activation -127,
// so that the sums of the rows tell that all was done.
struct peak {
    i64 turns;
    u32 *out; // of each of the sixteen rows, modulo 2^32
};

#define PEAK_COLUMNS 192

INLINE void run_peak(const struct peak *p) {
    const int passes = PEAK_COLUMNS * 16 / (PEAK_CHAINS * PEAK_DEPTH * 4 * LANES);
    const i32 activations = 0x81818181;
    vb w = splat8(15);
    vi a = splat32(&activations);
    opaque(w);
    opaque(a);
    union {
        vi sum;
        u32 rows[LANES];
    } chains[PEAK_CHAINS];
    vi sum[PEAK_CHAINS];
    UNROLL
    for (int v = 0; v < PEAK_CHAINS; v++) {
        sum[v] = zero();
        opaque(sum[v]);
    }
    for (i64 t = 0; t < p->turns; t++) {
        UNROLL
        for (int i = 0; i < passes; i++) peak_pass(sum, w, a);
    }
    UNROLL
    for (int v = 0; v < PEAK_CHAINS; v++) chains[v].sum = sum[v];
    for (int row = 0; row < 16; row++) {
        u32 total = 0;
        for (int v = row / LANES; v < PEAK_CHAINS; v += VECTORS) total += chains[v].rows[row % LANES];
        p->out[row] = total;
    }
}

// The entry points, in the order of the image's table: products by type, what fills a panel, and what is measured. x86
// has them for the calling convention of System V and for that of Microsoft.

#define CALLED __attribute__((used, noinline))
#if defined(__x86_64__)
#define MICROSOFT(name, argument) __attribute__((used, ms_abi)) void ms_##name(argument a) { name(a); }
#else
#define MICROSOFT(name, argument)
#endif
#define PRODUCT(name, body, type) \
    CALLED void name(const struct matmul *m) { body(m, type); } \
    MICROSOFT(name, const struct matmul *)
#define FILL(name, body) \
    CALLED void name(const struct row *r) { body; } \
    MICROSOFT(name, const struct row *)

PRODUCT(q4_0, integers, Q4_0)
PRODUCT(q5_0, integers, Q5_0)
PRODUCT(q8_0, integers, Q8_0)
PRODUCT(iq4_nl, integers, IQ4_NL)
PRODUCT(mxfp4, integers, MXFP4)
PRODUCT(q4_k, integers, Q4_K)
PRODUCT(q5_k, integers, Q5_K)
PRODUCT(q6_k, integers, Q6_K)
PRODUCT(f16, floats, F16)
PRODUCT(bf16, floats, BF16)
FILL(quantise, (quantise_row(r), correct_row(r)))
FILL(copy, (copy_row(r), correct_row(r)))
FILL(spread, float_row(r))

CALLED void peak(const struct peak *p) { run_peak(p); }
MICROSOFT(peak, const struct peak *)

// The head of the image: docs/packed-weights.md.
#define TABLE(prefix) \
    ENTRY(prefix, q4_0) ENTRY(prefix, q5_0) ENTRY(prefix, q8_0) ENTRY(prefix, iq4_nl) ENTRY(prefix, mxfp4) \
    ENTRY(prefix, q4_k) ENTRY(prefix, q5_k) ENTRY(prefix, q6_k) ENTRY(prefix, f16) ENTRY(prefix, bf16) \
    ENTRY(prefix, quantise) ENTRY(prefix, copy) ENTRY(prefix, spread) \
    ENTRY(prefix, peak)
#define ENTRY(prefix, name) ".long " #prefix #name " - image\n"

__asm__(".pushsection .head, \"a\"\n"
        "image: .ascii \"PANAMOE\\n\"\n"
        ".long 1, 14\n" // layout version, entry points of a convention
        TABLE()
#if defined(__x86_64__)
        TABLE(ms_)
#endif
        ".popsection\n");

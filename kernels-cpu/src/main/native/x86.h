// Vector primitives of x86-64: AVX-512 with VNNI, AVX2 with AVX-VNNI, plain AVX2. See kernels.c.
#include <immintrin.h>

#if defined(__AVX512VNNI__)

#define LANES 16
#define STRIP 2
#define STRIP_GROUPS 2
#define FLOAT_TOKENS 8

typedef __m512i vb;
typedef __m512i vi;
typedef __m512 vf;

INLINE vb load(const u8 *p) { return _mm512_loadu_si512(p); }
INLINE vb splat8(int v) { return _mm512_set1_epi8((char)v); }
INLINE vb and(vb a, vb b) { return _mm512_and_si512(a, b); }
INLINE vb subtract8(vb a, vb b) { return _mm512_sub_epi8(a, b); }
// a | b & mask
INLINE vb or_and(vb a, vb b, vb mask) { return _mm512_ternarylogic_epi64(a, b, mask, 0xf8); }
// Bits that cross from one byte of a pair into the other are for the caller to mask.
#define shift_left(v, n) _mm512_slli_epi16(v, n)
#define shift_right(v, n) _mm512_srli_epi16(v, n)
INLINE vb table16(const u8 *p) { return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)p)); }
INLINE vb look_up(vb table, vb i) { return _mm512_shuffle_epi8(table, i); }

INLINE vi zero(void) { return _mm512_setzero_si512(); }
INLINE vi splat32(const i32 *p) { return _mm512_set1_epi32(*p); }
INLINE vf to_float(vi v) { return _mm512_cvtepi32_ps(v); }

INLINE vf zero_float(void) { return _mm512_setzero_ps(); }
INLINE vf splat(const f32 *p) { return _mm512_set1_ps(*p); }
INLINE vf add(vf a, vf b) { return _mm512_add_ps(a, b); }
INLINE vf mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
INLINE vf fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf fma_negated(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vf load_float(const f32 *p) { return _mm512_loadu_ps(p); }
INLINE void store(f32 *p, vf v) { _mm512_storeu_ps(p, v); }

INLINE __m256i load_words(const u8 *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE vf halves(const u8 *p) { return _mm512_cvtph_ps(load_words(p)); }
INLINE vf brains(const u8 *p) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_words(p)), 16));
}
INLINE vi widen_unsigned(const u8 *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }
INLINE vi widen_signed(const u8 *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }
INLINE vf power_of(vi e) { return _mm512_mul_ps(_mm512_castsi512_ps(_mm512_slli_epi32(e, 23)), _mm512_set1_ps(0.5f)); }

// The nearest whole numbers, ties to even, within ±127, NaN as 0, to LANES bytes.
INLINE void store_rounded(i8 *p, vf v) {
    v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), v);
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(-127)), _mm512_set1_ps(127));
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
}

INLINE vi multiply_add(vi sum, vb unsigned_w, vi a) { return _mm512_dpbusd_epi32(sum, unsigned_w, a); }

#else

#define LANES 8
#define STRIP 1
#define STRIP_GROUPS 1
#define FLOAT_TOKENS 4

typedef __m256i vb;
typedef __m256i vi;
typedef __m256 vf;

INLINE vb load(const u8 *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE vb splat8(int v) { return _mm256_set1_epi8((char)v); }
INLINE vb and(vb a, vb b) { return _mm256_and_si256(a, b); }
INLINE vb subtract8(vb a, vb b) { return _mm256_sub_epi8(a, b); }
// a | b & mask
INLINE vb or_and(vb a, vb b, vb mask) { return _mm256_or_si256(a, _mm256_and_si256(b, mask)); }
// Bits that cross from one byte of a pair into the other are for the caller to mask.
#define shift_left(v, n) _mm256_slli_epi16(v, n)
#define shift_right(v, n) _mm256_srli_epi16(v, n)
INLINE vb table16(const u8 *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)); }
INLINE vb look_up(vb table, vb i) { return _mm256_shuffle_epi8(table, i); }

INLINE vi zero(void) { return _mm256_setzero_si256(); }
INLINE vi splat32(const i32 *p) { return _mm256_set1_epi32(*p); }
INLINE vf to_float(vi v) { return _mm256_cvtepi32_ps(v); }

INLINE vf zero_float(void) { return _mm256_setzero_ps(); }
INLINE vf splat(const f32 *p) { return _mm256_set1_ps(*p); }
INLINE vf add(vf a, vf b) { return _mm256_add_ps(a, b); }
INLINE vf mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
INLINE vf fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf fma_negated(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vf load_float(const f32 *p) { return _mm256_loadu_ps(p); }
INLINE void store(f32 *p, vf v) { _mm256_storeu_ps(p, v); }

INLINE __m128i load_words(const u8 *p) { return _mm_loadu_si128((const __m128i *)p); }
INLINE vf halves(const u8 *p) { return _mm256_cvtph_ps(load_words(p)); }
INLINE vf brains(const u8 *p) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_words(p)), 16));
}
INLINE vi widen_unsigned(const u8 *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
INLINE vi widen_signed(const u8 *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
INLINE vf power_of(vi e) { return _mm256_mul_ps(_mm256_castsi256_ps(_mm256_slli_epi32(e, 23)), _mm256_set1_ps(0.5f)); }

// The nearest whole numbers, ties to even, within ±127, NaN as 0, to LANES bytes.
INLINE void store_rounded(i8 *p, vf v) {
    v = _mm256_and_ps(_mm256_cmp_ps(v, v, _CMP_ORD_Q), v);
    v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(-127)), _mm256_set1_ps(127));
    __m256i i = _mm256_cvtps_epi32(v);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(words, words));
}

#if defined(__AVXVNNI__)
INLINE vi multiply_add(vi sum, vb unsigned_w, vi a) { return _mm256_dpbusd_avx_epi32(sum, unsigned_w, a); }
#endif

#endif

INLINE vf unsigned_bytes(const u8 *p) { return to_float(widen_unsigned(p)); }
INLINE vf signed_bytes(const u8 *p) { return to_float(widen_signed(p)); }
INLINE vf power(const u8 *p) { return power_of(widen_unsigned(p)); }
INLINE void prefetch_far(const u8 *p) { _mm_prefetch((const char *)p, _MM_HINT_T1); }
INLINE void prefetch_near(const u8 *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }

// Keeps a vector in a register, and the compiler from knowing what it holds.
#define opaque(v) __asm__ volatile("" : "+v"(v))

// The 32 activations of a block: each four of them are broadcast from memory.
typedef const i8 *acts;
INLINE acts activations(const i8 *q) { return q; }
INLINE vi four_of(acts a, int k) { return splat32((const i32 *)(a + 4 * k)); }

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

// Unsigned weights of any size.
#define MOST_UNSIGNED 255

// sum[v] = start + columns 4 * from to 4 * to of w[v] times a. `most` is the largest weight, -1 if they are signed.
INLINE void dots(vi *sum, vi start, const int strip, vb (*w)[8], acts a, const int from, const int to, const int most) {
    UNROLL
    for (int v = 0; v < strip; v++) sum[v] = start;
    UNROLL
    for (int k = from; k < to; k++) {
        vi four = four_of(a, k);
        UNROLL
        for (int v = 0; v < strip; v++) sum[v] = multiply_add(sum[v], w[v][k], four);
    }
}

// Two units with a latency of five.
#define PEAK_CHAINS 12
#define PEAK_DEPTH 1

// PEAK_DEPTH instructions in each chain.
INLINE void peak_pass(vi *sum, vb w, vi a) {
    UNROLL
    for (int v = 0; v < PEAK_CHAINS; v++) sum[v] = multiply_add(sum[v], w, a);
}

#else

// Products of bytes are added in pairs to 16 bits, with saturation: 128 * 127 * 2 fits, so weights may be signed, with
// their sign moved to the activation; unsigned ones may be up to 129.
#define MOST_UNSIGNED 129

// As above.
INLINE void dots(vi *sum, vi start, const int strip, vb (*w)[8], acts a, const int from, const int to, const int most) {
    const vi ones = _mm256_set1_epi16(1);
    // So many pairs may be added before they are widened.
    const int run = most < 0 ? 1 : 32767 / (most * 127 * 2);
    UNROLL
    for (int v = 0; v < strip; v++) {
        sum[v] = start;
        vi pairs = start;
        int held = 0;
        UNROLL
        for (int k = from; k < to; k++) {
            vb x = w[v][k];
            vi p = most < 0 ? _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(four_of(a, k), x))
                            : _mm256_maddubs_epi16(x, four_of(a, k));
            pairs = held == 0 ? p : _mm256_add_epi16(pairs, p);
            if (++held == run || k == to - 1) {
                sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(pairs, ones));
                held = 0;
            }
        }
    }
}

// Only additions wait for each other. Eight pairs are added before they are widened, as with weights of four bits.
#define PEAK_CHAINS 4
#define PEAK_DEPTH 8

// PEAK_DEPTH products in each chain.
INLINE void peak_pass(vi *sum, vb w, vi a) {
    const vi ones = _mm256_set1_epi16(1);
    UNROLL
    for (int v = 0; v < PEAK_CHAINS; v++) {
        vi pairs = zero();
        UNROLL
        for (int k = 0; k < PEAK_DEPTH; k++) {
            opaque(a); // or all products would be one
            vi p = _mm256_maddubs_epi16(w, a);
            pairs = k == 0 ? p : _mm256_add_epi16(pairs, p);
            opaque(pairs);
        }
        sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(pairs, ones));
        opaque(sum[v]);
    }
}

#endif

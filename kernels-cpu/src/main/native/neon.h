// Vector primitives of 64-bit Arm with the dot product instructions. See kernels.c.
#include <arm_neon.h>

#define LANES 4
#define STRIP 2
#define STRIP_GROUPS 1
#define FLOAT_TOKENS 4

typedef uint8x16_t vb;
typedef int32x4_t vi;
typedef float32x4_t vf;

INLINE vb load(const u8 *p) { return vld1q_u8(p); }
INLINE vb splat8(int v) { return vdupq_n_u8((u8)v); }
INLINE vb and(vb a, vb b) { return vandq_u8(a, b); }
INLINE vb subtract8(vb a, vb b) { return vsubq_u8(a, b); }
// a | b & mask
INLINE vb or_and(vb a, vb b, vb mask) { return vorrq_u8(a, vandq_u8(b, mask)); }
INLINE vb shift_left(vb v, int n) { return v << (u8)n; }
INLINE vb shift_right(vb v, int n) { return v >> (u8)n; }
INLINE vb table16(const u8 *p) { return vld1q_u8(p); }
INLINE vb look_up(vb table, vb i) { return vqtbl1q_u8(table, i); }

INLINE vi zero(void) { return vdupq_n_s32(0); }
INLINE vi splat32(const i32 *p) { return vdupq_n_s32(*p); }
INLINE vf to_float(vi v) { return vcvtq_f32_s32(v); }

INLINE vf zero_float(void) { return vdupq_n_f32(0); }
INLINE vf splat(const f32 *p) { return vdupq_n_f32(*p); }
INLINE vf add(vf a, vf b) { return vaddq_f32(a, b); }
INLINE vf mul(vf a, vf b) { return vmulq_f32(a, b); }
INLINE vf fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
INLINE vf fma_negated(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
INLINE vf load_float(const f32 *p) { return vld1q_f32((const float *)p); }
INLINE void store(f32 *p, vf v) { vst1q_f32((float *)p, v); }

INLINE uint16x4_t load_words(const u8 *p) { return vreinterpret_u16_u8(vld1_u8(p)); }
INLINE vf halves(const u8 *p) { return vcvt_f32_f16(vreinterpret_f16_u16(load_words(p))); }
INLINE vf brains(const u8 *p) { return vreinterpretq_f32_u32(vshll_n_u16(load_words(p), 16)); }
INLINE uint8x8_t load_four(const u8 *p) { return vreinterpret_u8_s32(vdup_n_s32(*(const i32 *)p)); }
INLINE uint32x4_t widen_unsigned(const u8 *p) { return vmovl_u16(vget_low_u16(vmovl_u8(load_four(p)))); }
INLINE vf unsigned_bytes(const u8 *p) { return vcvtq_f32_u32(widen_unsigned(p)); }
INLINE vf signed_bytes(const u8 *p) {
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(load_four(p))))));
}
INLINE vf power(const u8 *p) {
    return vmulq_f32(vreinterpretq_f32_u32(vshlq_n_u32(widen_unsigned(p), 23)), vdupq_n_f32(0.5f));
}

// The nearest whole numbers, ties to even, within ±127, NaN as 0, to LANES bytes.
INLINE void store_rounded(i8 *p, vf v) {
    int32x4_t i = vmaxq_s32(vminq_s32(vcvtnq_s32_f32(v), vdupq_n_s32(127)), vdupq_n_s32(-127));
    int16x4_t words = vmovn_s32(i);
    *(i32 *)p = vget_lane_s32(vreinterpret_s32_s8(vmovn_s16(vcombine_s16(words, words))), 0);
}

INLINE void prefetch_far(const u8 *p) { __builtin_prefetch(p, 0, 2); }
INLINE void prefetch_near(const u8 *p) { __builtin_prefetch(p, 0, 3); }

// Keeps a vector in a register, and the compiler from knowing what it holds.
#define opaque(v) __asm__ volatile("" : "+w"(v))

// The products are of signed bytes.
#define MOST_UNSIGNED 127

// The 32 activations of a block: the instruction takes the four of a column group from a lane.
typedef struct {
    int8x16_t half[2];
} acts;
INLINE acts activations(const i8 *q) {
    acts a = {{vld1q_s8(q), vld1q_s8(q + 16)}};
    return a;
}

// sum[v] = start + columns 4 * from to 4 * to of w[v] times a.
INLINE void dots(vi *sum, vi start, const int strip, vb (*w)[8], acts a, const int from, const int to, const int most) {
    UNROLL
    for (int v = 0; v < strip; v++) sum[v] = start;
    UNROLL
    for (int k = from; k < to; k++) {
        UNROLL
        for (int v = 0; v < strip; v++) {
            int8x16_t x = vreinterpretq_s8_u8(w[v][k]);
            switch (k % 4) {
                case 0: sum[v] = vdotq_laneq_s32(sum[v], x, a.half[k / 4], 0); break;
                case 1: sum[v] = vdotq_laneq_s32(sum[v], x, a.half[k / 4], 1); break;
                case 2: sum[v] = vdotq_laneq_s32(sum[v], x, a.half[k / 4], 2); break;
                default: sum[v] = vdotq_laneq_s32(sum[v], x, a.half[k / 4], 3);
            }
        }
    }
}

// Four units with a latency of four, and some to spare.
#define PEAK_CHAINS 24
#define PEAK_DEPTH 1

// PEAK_DEPTH instructions in each chain.
INLINE void peak_pass(vi *sum, vb w, vi a) {
    UNROLL
    for (int v = 0; v < PEAK_CHAINS; v++)
        sum[v] = vdotq_s32(sum[v], vreinterpretq_s8_u8(w), vreinterpretq_s8_s32(a));
}

// Sums of integer products, for the kernels of matvec.cl, which comes after this file: activations of 8 bits, WIDTH 1.
//
// Rows of x are groups of 12 words (quantise.inc); offsets and strides count words. The products of a group are summed
// as integers, exactly, and groups are added in ascending order. matmul8.cl does the same, which therefore gives the
// same bits.

#define INTEGERS
typedef uint x_t;
typedef uint4 x4_t;

// Adds the products of a group of a row for `tokens` rows of activations, a constant: see matvec.cl.
FN void add_products(
        const int tokens, GLOBAL const uint *words, GLOBAL const tail_t *tails, size_t block, int lane, int group,
        GLOBAL const x4_t *x4, const size_t *row4, float *sums) {
    uint q[8];
    float scale[2];
    float offset[2];
    size_t at = block + (uint)group / GROUPS;
#if TAIL
    uint tail = tails[at * 32 + lane];
#else
    uint tail = 0;
#endif
    read_integers(words + at * (WORDS * 32) + lane, tail, (uint)group % GROUPS, q, scale, offset);
#pragma unroll
    for (int t = 0; t < tokens; t++) {
        GLOBAL const x4_t *x = x4 + row4[t] + group * 3;
        uint4 low = x[0];
        uint4 high = x[1];
        uint4 step = x[2];
        uint a[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
        int sum0 = (int)step.y;
        int sum1 = (int)step.z;
        int dots[HALVES];
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            dots[h] = first_dot(h, sum0, sum1);
#pragma unroll
            for (int i = h * 4; i < h * 4 + 8 / HALVES; i++) {
                dots[h] = DOT4(q[i], a[i], dots[h]);
            }
        }
        sums[t] = add_group(dots, scale, offset, AS_FLOAT(step.x), sum0, sum1, sums[t]);
    }
}

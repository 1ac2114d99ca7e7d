// What the device can do at most: streaming reads, and multiply-adds that stay in registers, of floats and of bytes.

// Reads `count` fours of words, and writes their sum where the compiler cannot know that nobody wants it.
// Grid: any; work-items read neighbouring fours, and then those a grid further on.
KERNEL stream(GLOBAL const uint4 *words, int count, GLOBAL uint *sums) {
    uint4 sum = (uint4)(0u);
    int step = (int)get_global_size(0);
    for (int i = GLOBAL_ID; i < count; i += step) {
        sum ^= words[i];
    }
    uint all = sum.x ^ sum.y ^ sum.z ^ sum.w;
    if (all == 0x9E3779B9u) {
        sums[0] = all;
    }
}

// `turns` times 64 multiply-adds of a work-item: eight sums that do not wait for each other.
KERNEL multiply_add(GLOBAL float *sums, int turns, float factor) {
    float s[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        s[i] = (float)(GLOBAL_ID + i);
    }
    for (int t = 0; t < turns; t++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int i = 0; i < 8; i++) {
                s[i] = FMA(s[i], factor, 1.0f);
            }
        }
    }
    float all = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        all += s[i];
    }
    if (all == 12345.678f) {
        sums[0] = all;
    }
}

// `turns` times 64 DOT4 of a work-item, four multiply-adds each. A product is of the sum before it, since one that is
// always the same would be computed once.
KERNEL multiply_add_bytes(GLOBAL int *sums, int turns, int factors) {
    int s[8];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        s[i] = GLOBAL_ID + i;
    }
    for (int t = 0; t < turns; t++) {
#pragma unroll
        for (int j = 0; j < 8; j++) {
#pragma unroll
            for (int i = 0; i < 8; i++) {
                s[i] = DOT4((uint)s[i], (uint)factors, s[i]);
            }
        }
    }
    int all = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) {
        all ^= s[i];
    }
    if (all == 0x1E3779B9) {
        sums[0] = all;
    }
}

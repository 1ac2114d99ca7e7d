// Products of quantised matrices with several rows of activations on a CPU: a work-item, alone in its work-group,
// computes a panel of 32 weight rows by a tile of up to TILE rows of activations. It unpacks each group of 32 columns
// of its weight rows once, into memory that stays in the nearest cache.
//
// Each output's sums are done in the order of matvec.cl: the same bits.
//
// Constants: a TYPE_* and WIDTH, which is 16 (quant.inc); TILE, a multiple of 4: that of sort.inc.
//
// slicing, tiles, order: see matmul.cl. Pieces of weights, rows, panels, groups, factors: see matvec.cl.

#define PANEL 32
#define CHUNKS 8
#define LANES (PANEL / WIDTH)

// Rows of activations whose sums are in registers at once, times LANES: eight sums are as many as the multiply-adds
// that a CPU has under way, and leave registers for what they read.
#define TOGETHER 4

// Adds the products of a group of columns to the sums of TOGETHER rows of activations.
// q, scale, offset: what read_group gives for each of the vectors of the panel; x: the group's first column; from:
// where rows of activations begin.
FN void add_group(
        const floats (*q)[32], const floats (*scale)[2], const floats (*offset)[2], GLOBAL const float *x,
        const size_t *from, floats (*sums)[LANES]) {
#pragma unroll
    for (int h = 0; h < HALVES; h++) {
        floats parts[TOGETHER][LANES];
        float columns[TOGETHER];
#pragma unroll
        for (int t = 0; t < TOGETHER; t++) {
            columns[t] = 0.0f;
#pragma unroll
            for (int lane = 0; lane < LANES; lane++) {
                parts[t][lane] = 0.0f;
            }
        }
        for (int i = h * 16; i < h * 16 + 32 / HALVES; i++) {
#pragma unroll
            for (int t = 0; t < TOGETHER; t++) {
                float v = x[from[t] + i];
#pragma unroll
                for (int lane = 0; lane < LANES; lane++) {
                    parts[t][lane] = FMA(q[lane][i], (floats)(v), parts[t][lane]);
                }
                if (OFFSETS) {
                    columns[t] = columns[t] + v;
                }
            }
        }
#pragma unroll
        for (int t = 0; t < TOGETHER; t++) {
#pragma unroll
            for (int lane = 0; lane < LANES; lane++) {
                sums[t][lane] = FMA(scale[lane][h], parts[t][lane], sums[t][lane]);
                if (OFFSETS) {
                    sums[t][lane] = FMA(offset[lane][h], (floats)(columns[t]), sums[t][lane]);
                }
            }
        }
    }
}

// y = W x. Grid: (panels, ceil(count / TILE), slices where slicing is 1), or (panels, tiles) where slicing is 2.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void matmul(
        GLOBAL const uint *restrict words, GLOBAL const tail_t *restrict tails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const float *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int count, int slicing, int step,
        GLOBAL const int *restrict tiles, GLOBAL const int *restrict order, int factored,
        GLOBAL const float *restrict factors) {
    int slice = slicing == 2 ? tiles[3 * GROUP_ID_1] : slicing == 1 ? GROUP_ID_2 : 0;
    int first = slicing == 2 ? tiles[3 * GROUP_ID_1 + 1] : GROUP_ID_1 * TILE;
    int taken = slicing == 2 ? tiles[3 * GROUP_ID_1 + 2] : min(count - first, TILE);
    int panel = slice * panels + GROUP_ID;
    if (taken == 0 || panel < firstPanel || panel >= endPanel) {
        return;
    }
    // The tile's last row comes again where fewer than TOGETHER are left; nobody reads those sums.
    int whole = (taken + TOGETHER - 1) / TOGETHER * TOGETHER;
    size_t from[TILE];
    floats total[TILE][LANES];
    for (int t = 0; t < whole; t++) {
        int place = first + min(t, taken - 1);
        int source = slicing == 2 ? order[place] / step : slicing == 1 ? place * step + slice : place;
        from[t] = (size_t)xOffset + (size_t)source * xStride;
        for (int lane = 0; lane < LANES; lane++) {
            total[t][lane] = 0.0f;
        }
    }
    size_t block = (size_t)(panel - firstPanel) * (groups / GROUPS);
    int run = (groups + CHUNKS - 1) / CHUNKS;
    for (int begin = 0; begin < groups; begin += run) {
        floats sums[TILE][LANES];
        for (int t = 0; t < whole; t++) {
            for (int lane = 0; lane < LANES; lane++) {
                sums[t][lane] = 0.0f;
            }
        }
        for (int group = begin; group < min(begin + run, groups); group++) {
            floats q[LANES][32];
            floats scale[LANES][2];
            floats offset[LANES][2];
            size_t at = block + group / GROUPS;
            for (int lane = 0; lane < LANES; lane++) {
#if TAIL
                uints tail = UINTS_OF_TAILS(((GLOBAL const tails_t *)tails)[at * LANES + lane]);
#else
                uints tail = 0;
#endif
                GLOBAL const uints *w = (GLOBAL const uints *)words + at * (WORDS * LANES) + lane;
                read_group(w, tail, (uint)(group % GROUPS), q[lane], scale[lane], offset[lane]);
            }
            for (int t = 0; t < whole; t += TOGETHER) {
                add_group(q, scale, offset, x + group * 32, from + t, sums + t);
            }
        }
        for (int t = 0; t < whole; t++) {
            for (int lane = 0; lane < LANES; lane++) {
                total[t][lane] = total[t][lane] + sums[t][lane];
            }
        }
    }
    int width = min(PANEL, rows - GROUP_ID * PANEL);
    for (int t = 0; t < taken; t++) {
        int place = first + t;
        int target = slicing == 2 ? order[place] : slicing == 1 ? place * step + slice : place;
        GLOBAL float *to = y + (size_t)yOffset + (size_t)target * yStride + GROUP_ID * PANEL;
        const float *of = (const float *)total[t];
        for (int row = 0; row < width; row++) {
            to[row] = factored ? of[row] * factors[slice] : of[row];
        }
    }
}

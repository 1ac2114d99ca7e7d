// Products of quantised matrices with many rows of activations of 8 bits: what matmul.cl does, by integers. Arguments,
// slicing, pieces and tiles are those of matmul.cl.
//
// x: groups of 12 words (quantise.inc); xOffset and xStride count words.
// Constants: those of integers.inc and quant.inc, with WIDTH 1; TILE, which is 64 and that of sort.inc.
//
// Each output's sums are done in the order of matvec8.cl and matvec.cl: the same bits.

#define PANEL 32
#define CHUNKS 8
#define TILE_ROWS 64

// Two words of group g of a row into column `row` of the tile: those from 2 * PART on. The others are not computed,
// since nobody reads them.
#define STORE_PART(PART)                                                                                               \
    if (part == PART) {                                                                                                \
        read_integers(w, tail, g, q, scale, offset);                                                                   \
        weights[2 * PART * TILE_ROWS + row] = q[2 * PART];                                                             \
        weights[(2 * PART + 1) * TILE_ROWS + row] = q[2 * PART + 1];                                                   \
    }

// y = W x. Grid: (ceil(panels / 2), ceil(count / 64), slices where slicing is 1), or (ceil(panels / 2), tiles) where
// slicing is 2; work-group: 256.
__kernel __attribute__((reqd_work_group_size(256, 1, 1))) void matmul(
        GLOBAL const uint *restrict words, GLOBAL const tail_t *restrict tails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const uint *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int count, int slicing, int step,
        GLOBAL const int *restrict tiles, GLOBAL const int *restrict order, int factored,
        GLOBAL const float *restrict factors) {
    // In fours, so that fours are aligned.
    SHARED(uint4, weights4, 8 * TILE_ROWS / 4);
    SHARED(uint4, activations4, 8 * TILE / 4);
    LOCAL uint *weights = (LOCAL uint *)weights4;
    LOCAL uint *activations = (LOCAL uint *)activations4;
    SHARED(float, scales, 2 * TILE_ROWS);
    SHARED(float, offsets, 2 * TILE_ROWS);
    SHARED(float, xSteps, TILE);
    SHARED(int, xSums, 2 * TILE);

    int slice = slicing == 2 ? tiles[3 * GROUP_ID_1] : slicing == 1 ? GROUP_ID_2 : 0;
    int first = slicing == 2 ? tiles[3 * GROUP_ID_1 + 1] : GROUP_ID_1 * TILE;
    int end = slicing == 2 ? first + tiles[3 * GROUP_ID_1 + 2] : count;
    // Two panels, of which one may belong to another piece or lie beyond the slice.
    int panel0 = GROUP_ID * 2;
    int base = slice * panels + panel0;
    // Without work, a work-group takes one step: PoCL 3.1 takes wrong ways where a return stands before a barrier, or
    // where a loop with barriers may have no step.
    bool here = first < end && base < endPanel && base + 1 >= firstPanel;
    int steps = here ? groups : 1;

    // What this work-item brings into local memory: two words of a weight row and of a row of activations.
    int part = LOCAL_ID / TILE_ROWS;
    int row = LOCAL_ID % TILE_ROWS;
    int panel = base + row / PANEL;
    int inside = panel0 + row / PANEL < panels && panel >= firstPanel && panel < endPanel;
    // Others read the piece's first panel, and their sums are not written.
    size_t block = (size_t)(inside ? panel - firstPanel : 0) * (groups / GROUPS);
    int place = max(min(first + row, end - 1), 0);
    int source = slicing == 2 ? order[place] / step : slicing == 1 ? place * step + slice : place;
    GLOBAL const uint *from = x + (size_t)xOffset + (size_t)source * xStride;

    // What it computes: 4 weight rows from tx on by 4 rows of activations from ty on.
    int tx = LOCAL_ID % 16 * 4;
    int ty = LOCAL_ID / 16 * 4;
    float total[4][4];
    float acc[4][4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            total[i][j] = 0.0f;
            acc[i][j] = 0.0f;
        }
    }
    int run = (groups + CHUNKS - 1) / CHUNKS;
    int left = run;
    int group = 0;
    do {
        uint q[8];
        float scale[2];
        float offset[2];
        size_t at = block + (uint)group / GROUPS;
        uint g = (uint)group % GROUPS;
        GLOBAL const uint *w = words + at * (WORDS * PANEL) + row % PANEL;
#if TAIL
        uint tail = tails[at * PANEL + row % PANEL];
#else
        uint tail = 0;
#endif
        STORE_PART(0)
        STORE_PART(1)
        STORE_PART(2)
        STORE_PART(3)
        if (part == 0) {
#pragma unroll
            for (int h = 0; h < HALVES; h++) {
                scales[h * TILE_ROWS + row] = scale[h];
            }
            if (OFFSETS) {
                offsets[row] = offset[0];
            }
        }
        GLOBAL const uint *xs = from + group * 12;
        activations[2 * part * TILE + row] = xs[2 * part];
        activations[(2 * part + 1) * TILE + row] = xs[2 * part + 1];
        if (part == 1) {
            xSteps[row] = AS_FLOAT(xs[8]);
        }
        if (part == 2) {
            xSums[row] = (int)xs[9];
            xSums[TILE + row] = (int)xs[10];
        }
        BARRIER;
        int dots[4][4][HALVES];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            int sum0 = xSums[ty + j];
            int sum1 = xSums[TILE + ty + j];
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int h = 0; h < HALVES; h++) {
                    dots[i][j][h] = first_dot(h, sum0, sum1);
                }
            }
        }
#pragma unroll
        for (int k = 0; k < 8; k++) {
            uint4 a = weights4[(k * TILE_ROWS + tx) / 4];
            uint4 b = activations4[(k * TILE + ty) / 4];
            uint wk[4] = {a.x, a.y, a.z, a.w};
            uint xk[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    dots[i][j][k * HALVES / 8] = DOT4(wk[i], xk[j], dots[i][j][k * HALVES / 8]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float s[2];
            float o[1];
            s[0] = scales[tx + i];
            s[1] = HALVES == 2 ? scales[TILE_ROWS + tx + i] : 0.0f;
            o[0] = OFFSETS ? offsets[tx + i] : 0.0f;
#pragma unroll
            for (int j = 0; j < 4; j++) {
                acc[i][j] = add_group(
                        dots[i][j], s, o, xSteps[ty + j], xSums[ty + j], xSums[TILE + ty + j], acc[i][j]);
            }
        }
        left--;
        if (left == 0 || group == groups - 1) {
            left = run;
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    total[i][j] = total[i][j] + acc[i][j];
                    acc[i][j] = 0.0f;
                }
            }
        }
        BARRIER;
        group++;
    } while (group < steps);
#pragma unroll
    for (int j = 0; j < 4; j++) {
        int p = first + ty + j;
        if (p < end) {
            int target = slicing == 2 ? order[p] : slicing == 1 ? p * step + slice : p;
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int r = panel0 * PANEL + tx + i;
                int of = base + (tx + i) / PANEL;
                if (r < rows && of >= firstPanel && of < endPanel) {
                    y[(size_t)yOffset + (size_t)target * yStride + r] =
                            factored ? total[i][j] * factors[slice] : total[i][j];
                }
            }
        }
    }
}

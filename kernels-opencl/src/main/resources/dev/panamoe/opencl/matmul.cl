// Products of quantised matrices with many rows of activations: a work-group computes a tile of 64 weight rows by
// TILE = 64 rows of activations, and unpacks each group of 32 columns of its weight rows once into local memory.
//
// Each output's sums are done in the order of matvec.cl: the same bits.
//
// Constants: a TYPE_* (quant.inc); TILE, which is 64 and that of sort.inc.
//
// slicing: what rows of activations meet
//   0  one slice; row t of x goes to row t of y
//   1  slice s = GROUP_ID_2 of `step` slices is multiplied with rows t * step + s (heads)
//   2  pairs of tokens and experts, sorted by expert: tile i of `tiles` is (expert, first place in order, count), and
//      place p stands for pair order[p], which is row order[p] / step of x and row order[p] of y
// Pieces of weights, rows, panels, groups, factors: see matvec.cl.

#define PANEL 32
#define CHUNKS 8
#define TILE_ROWS 64

// Eight values of group g of a row into column `row` of the tile: those from 8 * PART on. The others are not computed,
// since nobody reads them.
#define STORE_PART(PART)                                                                                               \
    if (part == PART) {                                                                                                \
        read_group(w, tail, g, q, scale, offset);                                                                      \
        for (int i = 0; i < 8; i++) {                                                                                  \
            weights[(8 * PART + i) * TILE_ROWS + row] = q[8 * PART + i];                                               \
        }                                                                                                              \
    }

// y = W x. Grid: (ceil(panels / 2), ceil(count / 64), slices where slicing is 1), or (ceil(panels / 2), tiles) where
// slicing is 2; work-group: 256.
__kernel __attribute__((reqd_work_group_size(256, 1, 1))) void matmul(
        GLOBAL const uint *restrict words, GLOBAL const tail_t *restrict tails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const float *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int count, int slicing, int step,
        GLOBAL const int *restrict tiles, GLOBAL const int *restrict order, int factored,
        GLOBAL const float *restrict factors) {
    // In fours, so that fours are aligned.
    SHARED(float4, weights4, 32 * TILE_ROWS / 4);
    SHARED(float4, activations4, 32 * TILE / 4);
    LOCAL float *weights = (LOCAL float *)weights4;
    LOCAL float *activations = (LOCAL float *)activations4;
    SHARED(float, scales, 2 * TILE_ROWS);
    SHARED(float, offsets, 2 * TILE_ROWS);
    SHARED(float, columnSums, 2 * TILE);

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

    // What this work-item brings into local memory: 8 values of a weight row and of a row of activations.
    int part = LOCAL_ID / TILE_ROWS;
    int row = LOCAL_ID % TILE_ROWS;
    int panel = base + row / PANEL;
    int inside = panel0 + row / PANEL < panels && panel >= firstPanel && panel < endPanel;
    // Others read the piece's first panel, and their sums are not written.
    size_t block = (size_t)(inside ? panel - firstPanel : 0) * (groups / GROUPS);
    int place = max(min(first + row, end - 1), 0);
    int source = slicing == 2 ? order[place] / step : slicing == 1 ? place * step + slice : place;
    GLOBAL const float4 *x4 =
            (GLOBAL const float4 *)x + ((size_t)xOffset + (size_t)source * xStride) / 4 + part * 2;

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
        float q[32];
        float scale[2];
        float offset[2];
        size_t at = block + group / GROUPS;
        uint g = (uint)(group % GROUPS);
        GLOBAL const uint *w = words + at * (WORDS * 32) + row % PANEL;
#if TAIL
        tail_t tail = tails[at * 32 + row % PANEL];
#else
        tail_t tail = 0;
#endif
        STORE_PART(0)
        STORE_PART(1)
        STORE_PART(2)
        STORE_PART(3)
        if (part == 0) {
#pragma unroll
            for (int h = 0; h < HALVES; h++) {
                scales[h * TILE_ROWS + row] = scale[h];
                if (OFFSETS) {
                    offsets[h * TILE_ROWS + row] = offset[h];
                }
            }
        }
        float4 low = x4[group * 8];
        float4 high = x4[group * 8 + 1];
        LOCAL float *to = activations + 8 * part * TILE + row;
        to[0 * TILE] = low.x;
        to[1 * TILE] = low.y;
        to[2 * TILE] = low.z;
        to[3 * TILE] = low.w;
        to[4 * TILE] = high.x;
        to[5 * TILE] = high.y;
        to[6 * TILE] = high.z;
        to[7 * TILE] = high.w;
        BARRIER;
        if (OFFSETS) {
            if (LOCAL_ID < HALVES * TILE) {
                float sum = 0.0f;
#pragma unroll
                for (int i = 0; i < 32 / HALVES; i++) {
                    sum = sum + activations[(LOCAL_ID / TILE * 16 + i) * TILE + LOCAL_ID % TILE];
                }
                columnSums[LOCAL_ID] = sum;
            }
            BARRIER;
        }
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            float parts[4][4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    parts[i][j] = 0.0f;
                }
            }
#pragma unroll
            for (int k = h * 16; k < h * 16 + 32 / HALVES; k++) {
                float4 a = weights4[(k * TILE_ROWS + tx) / 4];
                float4 b = activations4[(k * TILE + ty) / 4];
                float wk[4] = {a.x, a.y, a.z, a.w};
                float xk[4] = {b.x, b.y, b.z, b.w};
#pragma unroll
                for (int i = 0; i < 4; i++) {
#pragma unroll
                    for (int j = 0; j < 4; j++) {
                        parts[i][j] = FMA(wk[i], xk[j], parts[i][j]);
                    }
                }
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
                float s = scales[h * TILE_ROWS + tx + i];
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    acc[i][j] = FMA(s, parts[i][j], acc[i][j]);
                    if (OFFSETS) {
                        acc[i][j] = FMA(offsets[h * TILE_ROWS + tx + i], columnSums[h * TILE + ty + j], acc[i][j]);
                    }
                }
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

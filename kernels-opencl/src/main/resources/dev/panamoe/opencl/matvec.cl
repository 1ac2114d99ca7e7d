// Products of quantised matrices with few rows of activations: each work-item sums a part of WIDTH weight rows.
//
// A work-group computes PANELS panels of PANEL = 32 neighbouring rows of one slice. Columns are cut into CHUNKS runs.
// LANES neighbouring work-items share a panel's rows and compute RUNS neighbouring runs of them, one after the other;
// the next LANES compute the next runs; the next panel follows. So neighbouring work-items read neighbouring words, and
// activations are the same for all of them. The runs of a row are added in ascending order, as matmul.cl does, which
// therefore gives the same bits.
//
// Constants: a TYPE_* with its sizes and WIDTH (quant.inc): from 8 on for CPUs, whose work-items are vectors; PANELS;
// RUNS, a divisor of CHUNKS; UNROLL: groups of columns whose weights a work-item asks for at once, since a GPU waits for
// memory; SEVERAL, at most CHUNKS. They change the speed and no bits: see MatvecConfig.
// After matvec8.cl, activations are integers (INTEGERS): x_t is what they are made of.
//
// slicing: what rows of activations meet
//   0  one slice; row t of x goes to row t of y
//   1  slice s = GROUP_ID_2 of `step` slices is multiplied with rows t * step + s (heads)
//   2  row r of y is a (token, expert) pair: slice ids[r], row r / step of x (step = experts a token, or 1)
//
// Weights lie in pieces, because devices limit the size of an allocation: a launch sees the panels firstPanel to
// endPanel - 1 of all slices' panels, and leaves the others to other launches.
//
// factors: (slices), what each slice's products are multiplied with, read if `factored`.
// Work-groups without work run to the end as well: PoCL 3.1 takes wrong ways where a return stands before a barrier.
//
// rows, panels: of a slice. groups: columns / 32; x has them all, from an address that is a multiple of 16 bytes on.

#define PANEL 32
#define CHUNKS 8
#define LANES (PANEL / WIDTH)
// Work-items of a panel, and of a work-group.
#define PANEL_ITEMS (CHUNKS / RUNS * LANES)
#define GROUP (PANELS * PANEL_ITEMS)
// Sums that a work-group brings together for a row of activations, each for the rows of a lane.
#define SUMS (PANELS * CHUNKS * LANES)

// Blocks that are asked for ahead: 4 to 8 groups.
#define AHEAD (GROUPS == 1 ? 4 : 1)

#ifndef INTEGERS
typedef float x_t;
typedef float4 x4_t;

// Adds the products of a group of WIDTH rows for `tokens` rows of activations, a constant.
// block: the first of the panel; x4: activations, in fours; row4: where each row begins.
FN void add_products(
        const int tokens, GLOBAL const uint *words, GLOBAL const tail_t *tails, size_t block, int lane, int group,
        GLOBAL const float4 *x4, const size_t *row4, floats *sums) {
    floats q[32];
    floats scale[2];
    floats offset[2];
    size_t at = block + group / GROUPS;
#if TAIL
    uints tail = UINTS_OF_TAILS(((GLOBAL const tails_t *)tails)[at * LANES + lane]);
#else
    uints tail = 0;
#endif
    GLOBAL const uints *w = (GLOBAL const uints *)words + at * (WORDS * LANES) + lane;
#if WIDTH >= 8 && defined(__clang__)
    // A CPU guesses that neighbouring lines of 64 bytes come next, and here it is every other one. OpenCL's own
    // prefetch does nothing in PoCL.
    for (int i = group % GROUPS; i < WORDS; i += GROUPS) {
        __builtin_prefetch((const void *)(size_t)(w + (AHEAD * WORDS + i) * LANES));
    }
#endif
    read_group(w, tail, (uint)(group % GROUPS), q, scale, offset);
#pragma unroll
    for (int t = 0; t < tokens; t++) {
        GLOBAL const float4 *x = x4 + row4[t] + group * 8;
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            floats part = 0.0f;
            float sum = 0.0f;
#pragma unroll
            for (int i = 0; i < 8 / HALVES; i++) {
                float4 v = x[h * 4 + i];
                const floats *p = q + h * 16 + 4 * i;
                part = FMA(p[0], (floats)(v.x), part);
                part = FMA(p[1], (floats)(v.y), part);
                part = FMA(p[2], (floats)(v.z), part);
                part = FMA(p[3], (floats)(v.w), part);
                if (OFFSETS) {
                    sum = sum + v.x;
                    sum = sum + v.y;
                    sum = sum + v.z;
                    sum = sum + v.w;
                }
            }
            sums[t] = FMA(scale[h], part, sums[t]);
            if (OFFSETS) {
                sums[t] = FMA(offset[h], (floats)(sum), sums[t]);
            }
        }
    }
}

#endif

// The sums of a run of groups of WIDTH rows for `tokens` rows of activations, a constant.
FN void run_sums(
        const int tokens, GLOBAL const uint *words, GLOBAL const tail_t *tails, size_t panel, int lane, int groups,
        int from, int to, GLOBAL const x4_t *x4, const size_t *row4, floats *sums) {
#pragma unroll
    for (int t = 0; t < tokens; t++) {
        sums[t] = 0.0f;
    }
    size_t block = panel * (groups / GROUPS);
    int group = from;
    // Not `#pragma unroll UNROLL`: a compiler need not expand macros there, and Clang leaves a loop of unknown length
    // with assembler in it (DOT4) as it is.
    for (; group <= to - UNROLL; group += UNROLL) {
#pragma unroll
        for (int i = 0; i < UNROLL; i++) {
            add_products(tokens, words, tails, block, lane, group + i, x4, row4, sums);
        }
    }
#if UNROLL > 1
    // The rest, fewer than UNROLL groups.
    for (; group < to; group++) {
        add_products(tokens, words, tails, block, lane, group, x4, row4, sums);
    }
#endif
}

// Adds the runs of a row of the work-group.
FN float total(LOCAL const float *runs, int row) {
    LOCAL const float *of = runs + row / PANEL * (CHUNKS * PANEL) + row % PANEL;
    float sum = 0.0f;
#pragma unroll
    for (int c = 0; c < CHUNKS; c++) {
        sum = sum + of[c * PANEL];
    }
    return sum;
}

// The sums of this work-item's runs, for `tokens` rows of activations, a constant. panel: of the piece; here: whether
// it is there.
// runs: tokens * SUMS.
FN void sums_of_runs(
        const int tokens, LOCAL floats *runs, GLOBAL const uint *words, GLOBAL const tail_t *tails, size_t panel,
        bool here, int groups, GLOBAL const x_t *x, const size_t *row4) {
    int lane = LOCAL_ID % LANES;
    // Of all panels of the work-group.
    int first = LOCAL_ID / LANES * RUNS;
    int run = (groups + CHUNKS - 1) / CHUNKS;
#pragma unroll 1
    for (int i = 0; i < RUNS; i++) {
        int from = min((first + i) % CHUNKS * run, groups);
        int to = here ? min(from + run, groups) : from;
        floats sums[CHUNKS];
        run_sums(tokens, words, tails, panel, lane, groups, from, to, (GLOBAL const x4_t *)x, row4, sums);
#pragma unroll
        for (int t = 0; t < tokens; t++) {
            runs[t * SUMS + (first + i) * LANES + lane] = sums[t];
        }
    }
}

// y = W x for `tokens` rows of x at a time, a constant up to CHUNKS; 1 where slicing is 2. runs: tokens * SUMS.
FN void multiply(
        const int tokens, LOCAL floats *runs, GLOBAL const uint *words, GLOBAL const tail_t *tails, int firstPanel,
        int endPanel, int panels, int rows, int groups, GLOBAL const x_t *x, int xOffset, int xStride,
        GLOBAL float *y, int yOffset, int yStride, int count, int slicing, int step, GLOBAL const int *ids,
        int idsOffset, int factored, GLOBAL const float *factors) {
    int first = GROUP_ID_1 * tokens;
    int slice = slicing == 2 ? ids[idsOffset + first] : slicing == 1 ? GROUP_ID_2 : 0;
    int inSlice = GROUP_ID * PANELS + LOCAL_ID / PANEL_ITEMS;
    int panel = slice * panels + inSlice;
    bool here = inSlice < panels && panel >= firstPanel && panel < endPanel;
    size_t row4[CHUNKS];
#pragma unroll
    for (int t = 0; t < tokens; t++) {
        int token = min(first + t, count - 1);
        int r = slicing == 2 ? token / step : slicing == 1 ? token * step + slice : token;
        row4[t] = ((size_t)xOffset + (size_t)r * xStride) / 4;
    }
    sums_of_runs(tokens, runs, words, tails, panel - firstPanel, here, groups, x, row4);
    BARRIER;
    for (int i = LOCAL_ID; i < tokens * PANELS * PANEL; i += GROUP) {
        int inGroup = i % (PANELS * PANEL);
        int row = GROUP_ID * (PANELS * PANEL) + inGroup;
        int of = slice * panels + row / PANEL;
        int token = first + i / (PANELS * PANEL);
        if (of >= firstPanel && of < endPanel && token < count && row < rows) {
            int r = slicing == 1 ? token * step + slice : token;
            float sum = total((LOCAL const float *)(runs + i / (PANELS * PANEL) * SUMS), inGroup);
            y[(size_t)yOffset + (size_t)r * yStride + row] = factored ? sum * factors[slice] : sum;
        }
    }
}

// y = W x, row by row. Grid: (ceil(panels / PANELS), count, slices where slicing is 1); work-group: GROUP.
//
// count: rows of x of a slice, or pairs.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void matvec(
        GLOBAL const uint *restrict words, GLOBAL const tail_t *restrict tails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const x_t *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int count, int slicing, int step,
        GLOBAL const int *restrict ids, int idsOffset, int factored, GLOBAL const float *restrict factors) {
    SHARED(floats, runs, SUMS);
    multiply(
            1, runs, words, tails, firstPanel, endPanel, panels, rows, groups, x, xOffset, xStride, y, yOffset, yStride,
            count, slicing, step, ids, idsOffset, factored, factors);
}

#if SEVERAL > 1
// The same for SEVERAL rows at a time, which read weights once; on a CPU, matmul_cpu.cl does that. Grid: (ceil(panels /
// PANELS), ceil(count / SEVERAL), slices where slicing is 1).
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void matvec_several(
        GLOBAL const uint *restrict words, GLOBAL const tail_t *restrict tails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const x_t *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int count, int slicing, int step,
        GLOBAL const int *restrict ids, int idsOffset, int factored, GLOBAL const float *restrict factors) {
    SHARED(floats, runs, SEVERAL * SUMS);
    multiply(
            SEVERAL, runs, words, tails, firstPanel, endPanel, panels, rows, groups, x, xOffset, xStride, y, yOffset,
            yStride, count, slicing, step, ids, idsOffset, factored, factors);
}
#endif

// y = W x of one row for up to three weights without factors, each in one piece: q, k and v. The work-groups of the
// first weight's panels come first; one that is not there has no panels. Grid: (work-groups of all); work-group: GROUP.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void matvec_all(
        int groups, GLOBAL const x_t *x, int xOffset,
        GLOBAL const uint *words0, GLOBAL const tail_t *tails0, int panels0, int rows0, GLOBAL float *y0, int yOffset0,
        GLOBAL const uint *words1, GLOBAL const tail_t *tails1, int panels1, int rows1, GLOBAL float *y1, int yOffset1,
        GLOBAL const uint *words2, GLOBAL const tail_t *tails2, int panels2, int rows2, GLOBAL float *y2,
        int yOffset2) {
    SHARED(floats, runs, SUMS);
    int end0 = (panels0 + PANELS - 1) / PANELS;
    int end1 = end0 + (panels1 + PANELS - 1) / PANELS;
    int part = GROUP_ID;
    GLOBAL const uint *words = words0;
    GLOBAL const tail_t *tails = tails0;
    int panels = panels0;
    int rows = rows0;
    GLOBAL float *y = y0 + yOffset0;
    if (part >= end1) {
        part -= end1;
        words = words2;
        tails = tails2;
        panels = panels2;
        rows = rows2;
        y = y2 + yOffset2;
    } else if (part >= end0) {
        part -= end0;
        words = words1;
        tails = tails1;
        panels = panels1;
        rows = rows1;
        y = y1 + yOffset1;
    }
    int panel = part * PANELS + LOCAL_ID / PANEL_ITEMS;
    size_t row4[1];
    row4[0] = (size_t)xOffset / 4;
    sums_of_runs(1, runs, words, tails, panel, panel < panels, groups, x, row4);
    BARRIER;
    for (int i = LOCAL_ID; i < PANELS * PANEL; i += GROUP) {
        int row = part * (PANELS * PANEL) + i;
        if (row < rows) {
            y[row] = total((LOCAL const float *)runs, i);
        }
    }
}

// y = activation(gate x [+ bias], up x [+ bias]): the first half of a gated feed-forward, of experts where slicing is
// 2.
// Both weights are of the same type and shape and cut into the same pieces. Grid: (ceil(panels / PANELS), count).
//
// gateBias, upBias: (slices, rows), read if `biased`. activation: see activation.inc.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void gated_matvec(
        GLOBAL const uint *restrict gateWords, GLOBAL const tail_t *restrict gateTails,
        GLOBAL const uint *restrict upWords, GLOBAL const tail_t *restrict upTails, int firstPanel, int endPanel,
        int panels, int rows, int groups, GLOBAL const x_t *restrict x, int xOffset, int xStride,
        GLOBAL float *restrict y, int yOffset, int yStride, int slicing, int step, GLOBAL const int *restrict ids,
        int idsOffset, GLOBAL const float *restrict gateBias, GLOBAL const float *restrict upBias, int biased,
        int activation, int factored, GLOBAL const float *restrict gateFactors,
        GLOBAL const float *restrict upFactors) {
    SHARED(floats, runs, 2 * SUMS);
    int slice = slicing == 2 ? ids[idsOffset + GROUP_ID_1] : 0;
    int inSlice = GROUP_ID * PANELS + LOCAL_ID / PANEL_ITEMS;
    int panel = slice * panels + inSlice;
    bool here = inSlice < panels && panel >= firstPanel && panel < endPanel;
    int r = slicing == 2 ? GROUP_ID_1 / step : GROUP_ID_1;
    size_t row4[1];
    row4[0] = ((size_t)xOffset + (size_t)r * xStride) / 4;
    sums_of_runs(1, runs, gateWords, gateTails, panel - firstPanel, here, groups, x, row4);
    sums_of_runs(1, runs + SUMS, upWords, upTails, panel - firstPanel, here, groups, x, row4);
    BARRIER;
    for (int i = LOCAL_ID; i < PANELS * PANEL; i += GROUP) {
        int row = GROUP_ID * (PANELS * PANEL) + i;
        int of = slice * panels + row / PANEL;
        if (of >= firstPanel && of < endPanel && row < rows) {
            float g = total((LOCAL const float *)runs, i);
            float u = total((LOCAL const float *)(runs + SUMS), i);
            if (factored) {
                g = g * gateFactors[slice];
                u = u * upFactors[slice];
            }
            if (biased) {
                g = g + gateBias[(size_t)slice * rows + row];
                u = u + upBias[(size_t)slice * rows + row];
            }
            y[(size_t)yOffset + (size_t)GROUP_ID_1 * yStride + row] = activate(activation, g, u);
        }
    }
}

// "fused": the four kernels of a time step, each a product whose epilogue is the element-wise part, so that a whole
// window can be captured as a graph: gru_gates, gru_candidate | gru_back_first, gru_back_second. Products in float32.
//
// Compiled behind cell.cuh, once for each ROWS: 8 where blocks of 16 rows would leave multiprocessors without work.
// Every sum is added up in the same order with both. Launches are described and checked in cell_launches.py, which
// launches blocks of (COLS, WARPS). It has been compiled, and run on a processor; it has not run on a GPU yet.

#define COLS 32                // columns of the right factor a block takes: a lane has one
#define WARPS 8                // share the depth of the product between them
#define SLICE 32               // of the depth a warp takes at once
#define DEPTH (WARPS * SLICE)  // of the depth a block takes at once
#define EACH (ROWS / WARPS)    // sums that a thread gets in the end

// Sums of a product for the block's ROWS rows from `first_row` on and this lane's `column`: thread (x, y) gets those
// of rows first_row + y and first_row + y + WARPS. `left` is (rows, depth) with rows `left_stride` apart, `right`
// (depth, columns) with rows `right_stride` apart; whatever lies beyond an edge counts as 0 and is never read.
//
// A step's product is small and waits for the step before, so what counts is latency: the depth is shared out between
// the warps, every lane reads its column of `right` once, coalesced, before it waits for `left`, and `left` is read
// from shared memory, the same address in all lanes. Away from the edges nothing is compared: addresses and conditions
// were more than half of the instructions. All threads of the block have to come here.
__device__ __forceinline__ void product(const float *__restrict__ left, int left_stride,
                                        const float *__restrict__ right, int right_stride, int rows, int depth,
                                        int columns, int first_row, int column, float found[EACH])
{
    // first a slab of `left`, ROWS x DEPTH, at the end the warps' sums, WARPS x ROWS x COLS: the same size
    __shared__ __align__(16) float shared[ROWS * DEPTH];
    const int lane = threadIdx.x, warp = threadIdx.y;
    const bool whole_rows = first_row + ROWS <= rows, whole_columns = column - lane + COLS <= columns;
    float sum[ROWS];
#pragma unroll
    for (int row = 0; row < ROWS; row++) sum[row] = 0.0f;
    for (int start = 0; start < depth; start += DEPTH) {
        const bool whole = start + DEPTH <= depth;
        float u[SLICE];
        if (whole && whole_columns) {
            const float *from = right + (size_t)(start + warp * SLICE) * right_stride + column;
#pragma unroll
            for (int i = 0; i < SLICE; i++, from += right_stride) u[i] = *from;
        } else {
#pragma unroll
            for (int i = 0; i < SLICE; i++) {
                const int k = start + warp * SLICE + i;
                u[i] = k < depth && column < columns ? right[(size_t)k * right_stride + column] : 0.0f;
            }
        }
        __syncthreads();  // every warp is done with the last slab
        const int at = warp * COLS + lane, k_left = start + at;  // the block's threads take a row of the slab at once
        const float *from = left + (size_t)first_row * left_stride + k_left;
        if (whole && whole_rows) {
#pragma unroll
            for (int part = 0; part < ROWS; part += 8) {  // more loads at once would cost more registers than there are
                float x[8];
#pragma unroll
                for (int row = 0; row < 8; row++, from += left_stride) x[row] = *from;
#pragma unroll
                for (int row = 0; row < 8; row++) shared[(part + row) * DEPTH + at] = x[row];
            }
        } else {
#pragma unroll 4
            for (int row = 0; row < ROWS; row++)
                shared[row * DEPTH + at] =
                    first_row + row < rows && k_left < depth ? from[(size_t)row * left_stride] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int i = 0; i < SLICE; i += 4) {
#pragma unroll
            for (int row = 0; row < ROWS; row++) {
                const float4 x = *(const float4 *)(shared + row * DEPTH + warp * SLICE + i);
                sum[row] = fmaf(x.x, u[i], sum[row]);
                sum[row] = fmaf(x.y, u[i + 1], sum[row]);
                sum[row] = fmaf(x.z, u[i + 2], sum[row]);
                sum[row] = fmaf(x.w, u[i + 3], sum[row]);
            }
        }
    }
    __syncthreads();
#pragma unroll
    for (int row = 0; row < ROWS; row++) shared[(warp * ROWS + row) * COLS + lane] = sum[row];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        float total = 0.0f;
#pragma unroll
        for (int part = 0; part < WARPS; part++) total += shared[(part * ROWS + warp + i * WARPS) * COLS + lane];
        found[i] = total;
    }
}

// Where this thread's sums stand. Of two halves of H columns each, blockIdx.z tells which.
#define PLACE                                                                                 \
    const int column = blockIdx.x * COLS + threadIdx.x, first_row = blockIdx.y * ROWS;        \
    float sums[EACH];

#define FOR_EACH_SUM(columns)                                                                 \
    if (column < (columns))                                                                   \
        _Pragma("unroll") for (int i = 0, row = first_row + threadIdx.y; i < EACH; i++, row += WARPS) if (row < B)

// Phase 1 forward: z, r and s = r * h from h U_zr. `a` holds x W and gets z and r.
extern "C" __global__ void __launch_bounds__(COLS *WARPS, 2)
    gru_gates(const float *U_zr, const float *b, float *a, const float *h, float *s, int B, int H)
{
    PLACE
    const int half = blockIdx.z;
    GateZr in[EACH];
    FOR_EACH_SUM(H) in[i] = read_zr(b, a, h, H, row, half, column);
    product(h, H, U_zr + (size_t)half * H, 2 * H, B, H, H, first_row, column, sums);
    FOR_EACH_SUM(H) gate_zr_at(in[i], sums[i], a, s, H, row, half, column);
}

// Phase 2 forward: h_tilde and the next h from s U_h.
extern "C" __global__ void __launch_bounds__(COLS *WARPS, 2)
    gru_candidate(const float *U_h, const float *b, float *a, const float *h, const float *s, float *h_next, int B,
                  int H)
{
    PLACE
    GateH in[EACH];
    FOR_EACH_SUM(H) in[i] = read_h(b, a, h, H, row, column);
    product(s, H, U_h, H, B, H, H, first_row, column, sums);
    FOR_EACH_SUM(H) gate_h_at(in[i], sums[i], a, h_next, H, row, column);
}

// Phase 1 backward: ds = da_h U_h^T, thus da_r and carry += ds * r, in one half; q = da_z U_z^T in the other.
// The transposed copies make reading them coalesced: U_zr_T is (2H, H), U_h_T (H, H).
extern "C" __global__ void __launch_bounds__(COLS *WARPS, 2)
    gru_back_first(const float *U_zr_T, const float *U_h_T, const float *a, const float *h, float *da, float *carry,
                   float *q, int B, int H)
{
    PLACE
    const bool reset = blockIdx.z == 0;
    BackR in[EACH];
    if (reset) FOR_EACH_SUM(H) in[i] = read_back_r(a, h, carry, H, row, column);
    product(da + (reset ? 2 * H : 0), 3 * H, reset ? U_h_T : U_zr_T, H, B, H, H, first_row, column, sums);
    FOR_EACH_SUM(H)
    {
        if (reset)
            back_r_at(in[i], sums[i], da, carry, H, row, column);
        else
            q[(size_t)row * H + column] = sums[i];
    }
}

// Phase 2 backward: da_r U_r^T completes g of step t - 1, whose dh, a, h, da these are (`da_now` is of step t);
// with it da_h, da_z and carry of that step.
extern "C" __global__ void __launch_bounds__(COLS *WARPS, 2)
    gru_back_second(const float *U_zr_T, const float *da_now, const float *q, const float *dh, const float *a,
                    const float *h, float *da, float *carry, int B, int H)
{
    PLACE
    BackGates in[EACH];
    float g[EACH];
    FOR_EACH_SUM(H)
    {
        const size_t own = (size_t)row * H + column;
        in[i] = read_back_gates(a, h, H, row, column);
        g[i] = dh[own] + carry[own] + q[own];
    }
    product(da_now + H, 3 * H, U_zr_T + (size_t)H * H, H, B, H, H, first_row, column, sums);
    FOR_EACH_SUM(H) back_gates_at(in[i], g[i] + sums[i], da, carry, H, row, column);
}

// A product of its own, out (B, columns) = left (B, depth) right (depth, columns): what a captured step of sampling
// needs besides the cell, since cuBLAS cannot be captured.
extern "C" __global__ void __launch_bounds__(COLS *WARPS, 2)
    dense(const float *left, const float *right, float *out, int B, int depth, int columns)
{
    PLACE
    product(left, depth, right, columns, B, depth, columns, first_row, column, sums);
    FOR_EACH_SUM(columns) out[(size_t)row * columns + column] = sums[i];
}

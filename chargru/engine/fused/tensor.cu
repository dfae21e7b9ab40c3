// "tensor": the four kernels of a time step once more, with their products on tensor cores in bfloat16 or TF32. State,
// gates, gradients and sums stay float32; what is rounded are the two factors of each product: the recurrent weights,
// packed once an update, and copies of h, s and da of the one step that is being computed.
//
// Rounded arrays end in `_low`; their rows have `depth` numbers, H filled up with zeros to whole chunks of 64 bytes, so
// that products need no edge in depth and every read is one of 16 aligned bytes. da_low is (3, B, depth): z, r, h.
//
// Compiled behind cell.cuh and tensor_core.cuh, once for each kind of number and each tile: RM x CN products of 16 x 8
// for a warp, WM x WN x WK warps over rows, columns and depth, AHEAD chunks of the depth read before the first is
// multiplied. Launches are described and checked in tensor_launches.py. It has been compiled, and run on a processor;
// it has not run on a GPU yet.

#define WARPS (WM * WN * WK)
#define THREADS (32 * WARPS)
#define ROWS (16 * RM * WM)                 // of the left factor, a block's
#define COLS (8 * CN * WN)                  // of the right factor, a block's
#define EACH (ROWS * COLS / THREADS)        // sums that a thread gets in the end
#define APART (COLS + 8)                    // a row of sums from the next, so that a warp's go to different banks
#define BLOCKS (ROWS * COLS <= 512 ? 2 : 1) // of a multiprocessor at least, for which registers are to suffice
#define CHUNK (64 / (int)sizeof(low))       // numbers of the depth that a warp takes at once, 16 bytes a lane

// Sums of a product for the block's tile: thread t gets those at t, t + THREADS, .. of the tile, row by row. `left` is
// (rows, depth), `right` has a row of `depth` numbers for each column, `apart` numbers from each other. Rows and columns
// beyond the edge are computed of the last one and are nobody's.
//
// A step's product is small and waits for the step before, so what counts is latency. Every lane reads the 16 bytes it
// needs straight from L2, those of AHEAD chunks before it multiplies any: operands that no other warp needs gain
// nothing by shared memory, and those that others need are in L1 by then. All threads of the block have to come here.
__device__ __forceinline__ void product(const low *__restrict__ left, const low *__restrict__ right, int apart,
                                        int depth, int rows, int columns, int first_row, int first_column,
                                        float found[EACH])
{
    __shared__ __align__(16) float shared[WK * ROWS * APART];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, q = lane % 4;
    const int part = warp % WK, column_part = warp / WK % WN, row_part = warp / (WK * WN);
    const uint4 *const x_from = (const uint4 *)left + q, *const u_from = (const uint4 *)right + q;
    word x_at[RM][2], u_at[CN];  // in 16 bytes from there
#pragma unroll
    for (int i = 0; i < RM; i++)
#pragma unroll
        for (int j = 0; j < 2; j++) {
            const int row = first_row + (row_part * RM + i) * 16 + j * 8 + g;
            x_at[i][j] = (word)(row < rows ? row : rows - 1) * (depth / CHUNK * 4);
        }
#pragma unroll
    for (int i = 0; i < CN; i++) {
        const int column = first_column + (column_part * CN + i) * 8 + g;
        u_at[i] = (word)(column < columns ? column : columns - 1) * (apart / CHUNK * 4);
    }

    float sums[RM][CN][4];
#pragma unroll
    for (int i = 0; i < RM; i++)
#pragma unroll
        for (int j = 0; j < CN; j++) sums[i][j][0] = sums[i][j][1] = sums[i][j][2] = sums[i][j][3] = 0.0f;
    const int chunks = depth / CHUNK;
#pragma unroll 1
    for (int first = part; first < chunks; first += AHEAD * WK) {
        uint4 x[AHEAD][RM][2], u[AHEAD][CN];
#pragma unroll
        for (int k = 0; k < AHEAD; k++) {
            const int chunk = 4 * (first + k * WK < chunks ? first + k * WK : first);  // there is always one to read
#pragma unroll
            for (int i = 0; i < CN; i++) u[k][i] = u_from[u_at[i] + chunk];
#pragma unroll
            for (int i = 0; i < RM; i++)
#pragma unroll
                for (int j = 0; j < 2; j++) x[k][i][j] = x_from[x_at[i][j] + chunk];
        }
#pragma unroll
        for (int k = 0; k < AHEAD; k++) {
            if (first + k * WK >= chunks) break;  // the same in the whole warp
#pragma unroll
            for (int i = 0; i < RM; i++)
#pragma unroll
                for (int j = 0; j < CN; j++) {
                    const uint4 one = x[k][i][0], other = x[k][i][1];
                    multiply_add(sums[i][j], one.x, other.x, one.y, other.y, u[k][j].x, u[k][j].y);
                    multiply_add(sums[i][j], one.z, other.z, one.w, other.w, u[k][j].z, u[k][j].w);
                }
        }
    }

#pragma unroll
    for (int i = 0; i < RM; i++)
#pragma unroll
        for (int j = 0; j < CN; j++)
#pragma unroll
            for (int k = 0; k < 2; k++) {
                const int row = (row_part * RM + i) * 16 + k * 8 + g, column = (column_part * CN + j) * 8 + 2 * q;
                const float2 pair = {sums[i][j][2 * k], sums[i][j][2 * k + 1]};
                *(float2 *)(shared + (part * ROWS + row) * APART + column) = pair;
            }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < EACH; i++) {
        const int at = threadIdx.x + i * THREADS;
        float total = 0.0f;
#pragma unroll
        for (int k = 0; k < WK; k++) total += shared[(k * ROWS + at / COLS) * APART + at % COLS];
        found[i] = total;
    }
}

// Where the block's tile stands. Of two halves of H columns each, blockIdx.z tells which.
#define PLACE                                                                 \
    const int first_column = blockIdx.x * COLS, first_row = blockIdx.y * ROWS; \
    float sums[EACH];

// The statement for each of this thread's elements inside the layer, `i` counting them.
#define FOR_EACH(statement)                                                                                   \
    _Pragma("unroll") for (int i = 0; i < EACH; i++)                                                          \
    {                                                                                                         \
        const int at = threadIdx.x + i * THREADS, row = first_row + at / COLS, column = first_column + at % COLS; \
        if (row < B && column < H) statement                                                                  \
    }

#define LOW_AT(array) array[(size_t)row * depth + column]

// Phase 1 forward: z, r and s = r * h from h U_zr. `a` holds x W and gets z and r. U_zr_T (2H, depth).
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    tensor_gates(const low *U_zr_T, const float *b, float *a, const float *h, const low *h_low, float *s, low *s_low,
                 int B, int H, int depth)
{
    PLACE
    const int half = blockIdx.z;
    GateZr in[EACH];
    FOR_EACH(in[i] = read_zr(b, a, h, H, row, half, column);)
    product(h_low, U_zr_T + (size_t)half * H * depth, depth, depth, B, H, first_row, first_column, sums);
    FOR_EACH({
        const float reset = gate_zr_at(in[i], sums[i], a, s, H, row, half, column);
        if (half == 1) LOW_AT(s_low) = lowered(reset);
    })
}

// Phase 2 forward: h_tilde and the next h from s U_h. U_h_T (H, depth).
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    tensor_candidate(const low *U_h_T, const float *b, float *a, const float *h, const low *s_low, float *h_next,
                     low *h_low, int B, int H, int depth)
{
    PLACE
    GateH in[EACH];
    FOR_EACH(in[i] = read_h(b, a, h, H, row, column);)
    product(s_low, U_h_T, depth, depth, B, H, first_row, first_column, sums);
    FOR_EACH(LOW_AT(h_low) = lowered(gate_h_at(in[i], sums[i], a, h_next, H, row, column));)
}

// The last step of a window: nothing flows back into it but what comes from above.
extern "C" __global__ void tensor_back_start(const float *dh, const float *a, const float *h, float *da, low *da_low,
                                             float *carry, int B, int H, int depth)
{
    ELEMENT
    const Before out = back_gates_at(read_back_gates(a, h, H, row, column), dh[element], da, carry, H, row, column);
    LOW_AT(da_low) = lowered(out.da_z);
    LOW_AT((da_low + 2 * (size_t)B * depth)) = lowered(out.da_h);
}

// Phase 1 backward: ds = da_h U_h^T, thus da_r and carry += ds * r, in one half; q = da_z U_z^T in the other.
// U_zr (2H, depth) has the rows U_z[0], U_r[0], U_z[1], ..; U_h (H, depth).
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    tensor_back_first(const low *U_zr, const low *U_h, const float *a, const float *h, float *da, low *da_low,
                      float *carry, float *q, int B, int H, int depth)
{
    PLACE
    const size_t part = (size_t)B * depth;
    const bool reset = blockIdx.z == 0;
    BackR in[EACH];
    if (reset) FOR_EACH(in[i] = read_back_r(a, h, carry, H, row, column);)
    product(reset ? da_low + 2 * part : da_low, reset ? U_h : U_zr, reset ? depth : 2 * depth, depth, B, H, first_row,
            first_column, sums);
    FOR_EACH({
        if (reset)
            LOW_AT((da_low + part)) = lowered(back_r_at(in[i], sums[i], da, carry, H, row, column));
        else
            q[(size_t)row * H + column] = sums[i];
    })
}

// Phase 2 backward: da_r U_r^T completes g of step t - 1, whose dh, a, h, da these are; with it da_h, da_z and carry of
// that step.
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    tensor_back_second(const low *U_zr, const float *q, const float *dh, const float *a, const float *h, float *da,
                       low *da_low, float *carry, int B, int H, int depth)
{
    PLACE
    const size_t part = (size_t)B * depth;
    BackGates in[EACH];
    float g[EACH];
    FOR_EACH({
        const size_t own = (size_t)row * H + column;
        in[i] = read_back_gates(a, h, H, row, column);
        g[i] = dh[own] + carry[own] + q[own];
    })
    product(da_low + part, U_zr + depth, 2 * depth, depth, B, H, first_row, first_column, sums);
    FOR_EACH({
        const Before out = back_gates_at(in[i], g[i] + sums[i], da, carry, H, row, column);
        LOW_AT(da_low) = lowered(out.da_z);
        LOW_AT((da_low + 2 * part)) = lowered(out.da_h);
    })
}

// The GPU half of chargru's engine: the GRU of chargru/engine/gru.py, its loss, its optimizer and its sampler.
// Compiled behind cell.cuh, which has its formulas and names; arrays are time-major.
//
// Of the three ways through a time step this one is here:
//   "gemm"   cuBLAS products with the element-wise kernels gate_zr, gate_h, back_start, back_r, back_next between them.
// fused.cu and tensor.cu have the others.
//
// Whatever changes from update to update (seed, step, place in the text, rates) is read from two small device buffers,
// so a kernel's arguments never change. No atomics and no order left open: equal inputs give equal bits.
// Launches are described and checked in *_launches.py. Needs no header: tests also compile it as C++ and run it on the
// processor (tests/engine/cuda_on_cpu). That and compiling it for sm_80 to sm_120 is what has been seen of it: it has
// not run on a GPU yet.

#define THREADS 256  // of the reductions and of the draw

#define INFINITE __int_as_float(0x7f800000)
#define NOT_A_NUMBER __int_as_float(0x7fc00000)

typedef unsigned long long long_word;

// Places in `counters` (int64) and `rates` (float32), which set_update writes.
enum { SEED, STEP, POSITION, SLOT };
enum { RATE, EPSILON, SHRINK, AVERAGE };
// Places in `verdict` (float32).
enum { LOSS, NORM, SCALE, OK };

// ---------------------------------------------------------------------------------------------- random numbers

struct Words {
    word x, y, z, w;
};

// Philox4x32-10 (Salmon et al. 2011): 128 random bits that depend on counter and key alone.
__device__ __forceinline__ Words philox(word c0, word c1, word c2, word c3, word k0, word k1)
{
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const word high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        const word high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const Words result = {c0, c1, c2, c3};
    return result;
}

// The words number `index` of one part (a mask, the resets, the draws) of one step.
__device__ __forceinline__ Words random_words(const long long *counters, word part, word index)
{
    const long_word seed = (long_word)counters[SEED], step = (long_word)counters[STEP];
    return philox(index, part, (word)step, (word)(step >> 32), (word)seed, (word)(seed >> 32));
}

// --------------------------------------------------------------------------------------- reductions in a block

// The sum over a block of THREADS threads, in every thread; the order never changes.
__device__ double block_sum(double value)
{
    __shared__ double sums[THREADS];
    const int thread = threadIdx.x;
    __syncthreads();  // the result of the last call has been read by all
    sums[thread] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half) sums[thread] += sums[thread + half];
        __syncthreads();
    }
    return sums[0];
}

__device__ word block_max(word value)
{
    __shared__ word most[THREADS];
    const int thread = threadIdx.x;
    __syncthreads();
    most[thread] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (thread < half && most[thread + half] > most[thread]) most[thread] = most[thread + half];
        __syncthreads();
    }
    return most[0];
}

// What all threads before this one hold together; `total` is what all hold. The first `holders` threads hold anything,
// others get nothing of use. One thread adds, in order: a prefix that is a rounding away from its neighbour's end would
// lose or double a draw.
__device__ double block_sum_before(double value, int holders, double *total)
{
    __shared__ double sums[THREADS + 1];
    const int thread = threadIdx.x;
    __syncthreads();
    sums[thread] = value;
    __syncthreads();
    if (thread == 0) {
        double sum = 0;
        for (int i = 0; i < holders; i++) {
            const double own = sums[i];
            sums[i] = sum;
            sum += own;
        }
        sums[THREADS] = sum;
    }
    __syncthreads();
    *total = sums[THREADS];
    return sums[thread];
}

// ------------------------------------------------------------------------------------- "gemm": element-wise kernels

extern "C" __global__ void gate_zr(const float *sums, const float *b, float *a, const float *h, float *s, int B, int H)
{
    ELEMENT
    for (int half = 0; half < 2; half++)
        gate_zr_at(read_zr(b, a, h, H, row, half, column), sums[(size_t)row * 2 * H + half * H + column], a, s, H, row,
                   half, column);
}

extern "C" __global__ void gate_h(const float *sums, const float *b, float *a, const float *h, float *h_next, int B,
                                  int H)
{
    ELEMENT
    gate_h_at(read_h(b, a, h, H, row, column), sums[element], a, h_next, H, row, column);
}

// The last step of a window: nothing flows back into it but what comes from above.
extern "C" __global__ void back_start(const float *dh, const float *a, const float *h, float *da, float *carry, int B,
                                      int H)
{
    ELEMENT
    back_gates_at(read_back_gates(a, h, H, row, column), dh[element], da, carry, H, row, column);
}

extern "C" __global__ void back_r(const float *ds, const float *a, const float *h, float *da, float *carry, int B,
                                  int H)
{
    ELEMENT
    back_r_at(read_back_r(a, h, carry, H, row, column), ds[element], da, carry, H, row, column);
}

// `sums` = [da_z da_r] [U_z U_r]^T of step t; dh, a, h, da are of step t - 1.
extern "C" __global__ void back_next(const float *sums, const float *dh, const float *a, const float *h, float *da,
                                     float *carry, int B, int H)
{
    ELEMENT
    const float g = dh[element] + carry[element] + sums[element];
    back_gates_at(read_back_gates(a, h, H, row, column), g, da, carry, H, row, column);
}

// ------------------------------------------------------------------------------------- into a window

// What is new in this update, from the launch itself: its arguments are copied when it is queued, so the host may go on.
extern "C" __global__ void set_update(long long *counters, float *rates, long long seed, long long step,
                                      long long position, long long slot, float rate, float epsilon, float shrink,
                                      float average)
{
    if (threadIdx.x != 0 || blockIdx.x != 0) return;
    counters[SEED] = seed;
    counters[STEP] = step;
    counters[POSITION] = position;
    counters[SLOT] = slot;
    rates[RATE] = rate;
    rates[EPSILON] = epsilon;
    rates[SHRINK] = shrink;
    rates[AVERAGE] = average;
}

// A window (T, B) of the ring of `count` ids for B readers, evenly spaced, as chargru.text.stream.WindowStream has it.
extern "C" __global__ void window(const int *ids, const long long *counters, int *inputs, int *targets,
                                  long long count, int T, int B)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= (size_t)T * B) return;
    const long long t = (long long)(at / B), reader = (long long)(at % B);
    const long long start = reader * count / B + counters[POSITION] % count;
    inputs[at] = ids[(start + t) % count];
    targets[at] = ids[(start + t + 1) % count];
}

// rows[n] = table[ids[n]], for tables of `width` columns; a block for each row. An id below 0 reads row 0.
extern "C" __global__ void gather_rows(const float *table, const int *ids, float *rows, int width)
{
    const int id = ids[blockIdx.x] > 0 ? ids[blockIdx.x] : 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x)
        rows[(size_t)blockIdx.x * width + i] = table[(size_t)id * width + i];
}

// The states before the window: `state` (L, B, H) into h[0] of every layer, `h` (L, T + 1, B, H). A reader forgets its
// state in all layers with probability `forget`.
extern "C" __global__ void begin_states(const float *state, float *h, const long long *counters, word part,
                                        float forget, int L, int T, int B, int H)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x, layer_size = (size_t)B * H;
    if (at >= L * layer_size) return;
    const int reader = (int)(at % layer_size / H);
    const size_t layer = at / layer_size;
    float value = state[at];
    if (forget > 0.0f) {
        const Words words = random_words(counters, part, (word)reader / 4);
        const word own = reader % 4 == 0 ? words.x : reader % 4 == 1 ? words.y : reader % 4 == 2 ? words.z : words.w;
        if ((float)(own >> 8) * (1.0f / 16777216.0f) < forget) value = 0.0f;
    }
    h[layer * (T + 1) * layer_size + at % layer_size] = value;
}

// The states after the window are the state before the next, if this update is a good one.
extern "C" __global__ void end_states(const float *h, float *state, const float *verdict, int L, int T, int B, int H)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x, layer_size = (size_t)B * H;
    if (at >= L * layer_size || verdict[OK] == 0.0f) return;
    state[at] = h[(at / layer_size * (T + 1) + T) * layer_size + at % layer_size];
}

// out = in times a mask that is 0 or 256 / kept, the same for the same seed, step and part; `out` may be `in`.
// A byte decides each number: byte k of lane l's words belongs to number 512 w + 32 k + l, w counting warps.
extern "C" __global__ void drop(const float *in, float *out, const long long *counters, word part, int kept,
                                long long count)
{
    const size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    const size_t first = thread / 32 * 512 + thread % 32;
    if (first >= (size_t)count) return;
    const Words words = random_words(counters, part, (word)thread);
    const float scale = 256.0f / (float)kept;
    float x[16];  // all are read before one is written: `out` may be `in`, and each read would wait for the last write
#pragma unroll
    for (int k = 0; k < 16; k++) x[k] = first + 32 * k < (size_t)count ? in[first + 32 * k] : 0.0f;
#pragma unroll
    for (int k = 0; k < 16; k++) {
        const size_t at = first + 32 * k;
        const word four = k / 4 == 0 ? words.x : k / 4 == 1 ? words.y : k / 4 == 2 ? words.z : words.w;
        if (at < (size_t)count) out[at] = (int)(four >> (8 * (k % 4)) & 255u) < kept ? x[k] * scale : 0.0f;
    }
}

// out (columns, rows) = in^T for `in` (rows, columns); blocks of (32, 8) take tiles of 32 x 32.
extern "C" __global__ void transpose(const float *in, float *out, int rows, int columns)
{
    __shared__ float tile[32][33];  // one more, so that a column lies in 32 banks
    const int x = blockIdx.x * 32, y = blockIdx.y * 32;
    for (int i = threadIdx.y; i < 32; i += 8)
        if (y + i < rows && x + (int)threadIdx.x < columns)
            tile[i][threadIdx.x] = in[(size_t)(y + i) * columns + x + threadIdx.x];
    __syncthreads();
    for (int i = threadIdx.y; i < 32; i += 8)
        if (x + i < columns && y + (int)threadIdx.x < rows)
            out[(size_t)(x + i) * rows + y + threadIdx.x] = tile[threadIdx.x][i];
}

// ------------------------------------------------------------------------------------- the loss and out of a window

__device__ __forceinline__ float warp_max(float value)
{
    for (int step = 16; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    return value;
}

__device__ __forceinline__ float warp_sum(float value)
{
    for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
    return value;
}

// Softmax cross-entropy of rows (N, V), a warp for each: losses[n] = -log y[target] in nats; with `gradients` the
// logits become scale * (y - one-hot). Subtracting the largest first, exp never overflows. A row with a NaN has
// a loss of NaN (fmaxf passes it by, the sum does not).
extern "C" __global__ void cross_entropy(float *logits, const float *b_y, const int *targets, float *losses, int N,
                                         int V, float scale, int gradients)
{
    const int row = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;
    if (row >= N) return;  // whole warps only
    float *x = logits + (size_t)row * V;
    float peak = -INFINITE;
    for (int v = lane; v < V; v += 32) peak = fmaxf(peak, x[v] + b_y[v]);
    peak = warp_max(peak);
    float sum = 0.0f;
    for (int v = lane; v < V; v += 32) sum += expf(x[v] + b_y[v] - peak);
    sum = warp_sum(sum);
    const int target = targets[row];
    if (lane == 0) losses[row] = logf(sum) - (x[target] + b_y[target] - peak);
    if (!gradients) return;
    __syncwarp();  // lane 0 has read the target's logit before anyone overwrites it
    for (int v = lane; v < V; v += 32)
        x[v] = scale * (expf(x[v] + b_y[v] - peak) / sum - (v == target ? 1.0f : 0.0f));
}

// dW[c] = sum of the rows of `da` (N, width) whose character is c: the gradient of gather_rows, without atomics and
// without sorting. A block for each character and 128 columns: its warps look through a share of the ids each, 32 at
// a time, and add the rows they find, in order. Every id is looked at V * width / 128 times, 32 in one instruction:
// next to nothing for a few hundred characters, and of the order of the other large products for thousands.
extern "C" __global__ void sum_rows_by_id(const int *ids, const float *da, float *dW, int N, int width)
{
    __shared__ float sums[8][4][32];
    const int character = blockIdx.x, column = blockIdx.y * 128 + threadIdx.x, lane = threadIdx.x;
    const int share = (N + 255) / 256 * 32;  // a warp's ids: whole words of 32
    const int begin = threadIdx.y * share, end = begin + share < N ? begin + share : N;
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int base = begin; base < end; base += 32) {
        word found = __ballot_sync(0xffffffffu, base + lane < end && ids[base + lane] == character);
        while (found) {
            float x[4][4];  // four rows at once, so that their loads overlap: a frequent character has many
#pragma unroll
            for (int j = 0; j < 4; j++) {
                const float *row = da + (size_t)(base + __ffs(found) - 1) * width;
#pragma unroll
                for (int i = 0; i < 4; i++)
                    x[j][i] = found && column + 32 * i < width ? row[column + 32 * i] : 0.0f;
                found &= found - 1;  // nothing of nothing is nothing
            }
#pragma unroll
            for (int j = 0; j < 4; j++)
#pragma unroll
                for (int i = 0; i < 4; i++) sum[i] += x[j][i];
        }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) sums[threadIdx.y][i][lane] = sum[i];
    __syncthreads();
    if (threadIdx.y >= 4 || column + 32 * (int)threadIdx.y >= width) return;
    float total = 0.0f;
    for (int part = 0; part < 8; part++) total += sums[part][threadIdx.y][lane];
    dW[(size_t)character * width + column + 32 * threadIdx.y] = total;
}

// Column sums of `in` (N, width), first stage: partial (gridDim.y, width), `share` rows each; blocks of (32, 8).
extern "C" __global__ void sum_columns(const float *in, float *partial, int N, int width, int share)
{
    __shared__ float sums[8][32];
    const int column = blockIdx.x * 32 + threadIdx.x, begin = blockIdx.y * share;
    const int end = begin + share < N ? begin + share : N;
    float sum = 0.0f;
    if (column < width)
        for (int row = begin + threadIdx.y; row < end; row += 8) sum += in[(size_t)row * width + column];
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || column >= width) return;
    for (int part = 1; part < 8; part++) sum += sums[part][threadIdx.x];
    partial[(size_t)blockIdx.y * width + column] = sum;
}

// Second stage: out (width,) = the sum of `parts` rows.
extern "C" __global__ void add_partials(const float *partial, float *out, int parts, int width)
{
    const int column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= width) return;
    float sum = 0.0f;
    for (int part = 0; part < parts; part++) sum += partial[(size_t)part * width + column];
    out[column] = sum;
}

// ------------------------------------------------------------------------------------- the optimizer

// First stage of a sum over everything, of the numbers or of their squares: one double for each block.
extern "C" __global__ void sum_all(const float *in, double *partial, long long count, int squares)
{
    double sum = 0;
    for (long long i = (long long)blockIdx.x * THREADS + threadIdx.x; i < count; i += (long long)gridDim.x * THREADS) {
        const double value = in[i];
        sum += squares ? value * value : value;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// Second stage, one block: out[place] = the sum times `scale`, or its root.
extern "C" __global__ void finish_sum(const double *partial, float *out, int parts, int place, double scale, int root)
{
    double sum = 0;
    for (int i = threadIdx.x; i < parts; i += THREADS) sum += partial[i];
    sum = block_sum(sum) * scale;
    if (threadIdx.x == 0) out[place] = (float)(root ? sqrt(sum) : sum);
}

// Whether the update is a good one, how much its gradient is to be scaled by, and a line for the host: `history`
// (capacity, 2), read now and then.
extern "C" __global__ void judge(float *verdict, const long long *counters, float *history, float clip_norm)
{
    if (threadIdx.x != 0 || blockIdx.x != 0) return;
    const float loss = verdict[LOSS], norm = verdict[NORM];
    const int good = isfinite(loss) && isfinite(norm);
    verdict[SCALE] = norm > clip_norm ? clip_norm / norm : 1.0f;
    verdict[OK] = good ? 1.0f : 0.0f;
    history[2 * counters[SLOT]] = good ? loss : NOT_A_NUMBER;
    history[2 * counters[SLOT] + 1] = good ? norm : NOT_A_NUMBER;
}

// Adam with decoupled decay, clipping and averaging, as chargru.engine.optimizer.Adam; nothing moves in a bad update.
// `decayed` (count,) is 1 where weights decay; it is not read unless `decays`.
extern "C" __global__ void adam(float *weights, float *averaged, float *m, float *v, const float *gradient,
                                const float *decayed, const float *rates, const float *verdict, long long count,
                                float beta1, float rest1, float beta2, float rest2, int decays)
{
    const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count || verdict[OK] == 0.0f) return;
    const float g = gradient[i] * verdict[SCALE];
    const float mean = m[i] * beta1 + g * rest1, square = v[i] * beta2 + g * g * rest2;
    float w = weights[i], average = averaged[i];
    m[i] = mean;
    v[i] = square;
    if (decays) w *= 1.0f - decayed[i] * rates[SHRINK];
    w -= mean / (sqrtf(square) + rates[EPSILON]) * rates[RATE];
    weights[i] = w;
    averaged[i] = average + (w - average) * rates[AVERAGE];
}

// ------------------------------------------------------------------------------------- sampling

// Bits whose order as whole numbers is the order of the floats; -0 and 0 are the same.
__device__ __forceinline__ word ordered(float x)
{
    const word bits = __float_as_uint(x + 0.0f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// A thread of a block takes so many of V characters, one stretch each, as long as there are any.
__device__ __forceinline__ int share_of(int V)
{
    return (V + THREADS - 1) / THREADS;
}

__device__ __forceinline__ int holders_of(int V)
{
    return (V + share_of(V) - 1) / share_of(V);
}

// Keep the characters above `key` and, of those at `key`, the lowest ids for which limit(ties before) holds: fewer
// than `ties` of them if it is a count, `before + ties * own < limit` if it is a mass. Others lose their weight.
__device__ void keep_above(const float *x, const float *b_y, double *weights, int V, int begin, int end, word key,
                           double before, double limit, int by_mass)
{
    int ties = 0;
    for (int v = begin; v < end; v++) ties += ordered(x[v] + b_y[v]) == key;
    double all;
    int tie = (int)block_sum_before(ties, holders_of(V), &all);
    for (int v = begin; v < end; v++) {
        const word own = ordered(x[v] + b_y[v]);
        if (own > key) continue;
        if (own == key) {
            const int kept = (by_mass ? before + tie * weights[v] : before + tie) < limit;
            tie++;
            if (kept) continue;
        }
        weights[v] = 0;
    }
    __syncthreads();
}

// The next character of each row of logits (N, V), a block of THREADS threads for each row, as
// chargru.engine.sampling.draw: temperature (0: the likeliest), top_k likeliest (0: all), the fewest likeliest that
// hold top_p, those above min_p of the likeliest, then the inverse of the cumulative distribution at a random number.
// Of equal logits the lower id is the likelier. `weights` (N, V) is scratch. ids[n], written[slot, n] get the
// character, nats[slot, n] its surprisal at temperature 1. Thresholds are found bit by bit instead of by sorting.
extern "C" __global__ void __launch_bounds__(THREADS, 4)
    draw(const float *logits, const float *b_y, double *weights, const long long *counters, word part, int *ids,
         int *written, float *nats, int V, double temperature, int top_k, double top_p, double min_p)
{
    __shared__ int chosen;
    const int row = blockIdx.x, thread = threadIdx.x, N = gridDim.x;
    const float *x = logits + (size_t)row * V;
    double *own = weights + (size_t)row * V;
    const int share = share_of(V);
    const int begin = thread * share < V ? thread * share : V, end = begin + share < V ? begin + share : V;

    word most = 0;
    for (int v = begin; v < end; v++) most = max(most, ordered(x[v] + b_y[v]));
    most = block_max(most);
    const float peak = __uint_as_float(most & 0x80000000u ? most & 0x7fffffffu : ~most);
    double mass = 0;  // of everything at temperature 1, for the surprisal
    for (int v = begin; v < end; v++) {
        const double below = (double)(x[v] + b_y[v]) - (double)peak;
        mass += exp(below);
        const double cold = below / temperature;
        if (temperature > 0) own[v] = exp(cold > -745.0 ? cold : -745.0);
        else own[v] = 0;
    }
    mass = block_sum(mass);
    if (thread == 0) chosen = V;
    __syncthreads();

    if (temperature == 0) {
        // the lowest id at the peak, from the number of threads' first hits
        int first = V;
        for (int v = end - 1; v >= begin; v--)
            if (ordered(x[v] + b_y[v]) == most) first = v;
        const word lowest = ~block_max(~(word)first);
        if (thread == 0) chosen = (int)lowest;
    } else {
        if (top_k > 0 && top_k < V) {
            word key = 0;  // of the k-th likeliest: the largest key that at least k reach
            for (word bit = 0x80000000u; bit; bit >>= 1) {
                int reach = 0;
                for (int v = begin; v < end; v++) reach += ordered(x[v] + b_y[v]) >= (key | bit);
                if (block_sum(reach) >= top_k) key |= bit;
            }
            int above = 0;
            for (int v = begin; v < end; v++) above += ordered(x[v] + b_y[v]) > key;
            const double before = block_sum(above);
            keep_above(x, b_y, own, V, begin, end, key, before, top_k, 0);
        }
        if (top_p < 1) {
            double held = 0;
            for (int v = begin; v < end; v++) held += own[v];
            const double limit = (top_p > 1e-300 ? top_p : 1e-300) * block_sum(held);  // the likeliest always stays
            word key = 0;  // the largest below which `limit` is held by what is above
            for (word bit = 0x80000000u; bit; bit >>= 1) {
                double above = 0;
                for (int v = begin; v < end; v++)
                    if (ordered(x[v] + b_y[v]) > (key | bit)) above += own[v];
                if (block_sum(above) >= limit) key |= bit;
            }
            key++;  // so above this one less than `limit` is held
            double above = 0;
            for (int v = begin; v < end; v++)
                if (ordered(x[v] + b_y[v]) > key) above += own[v];
            const double before = block_sum(above);
            keep_above(x, b_y, own, V, begin, end, key, before, limit, 1);
        }
        double sum = 0, all;
        for (int v = begin; v < end; v++) {
            if (own[v] < min_p) own[v] = 0;  // the likeliest weighs 1
            sum += own[v];
        }
        const double before = block_sum_before(sum, holders_of(V), &all);
        const Words words = random_words(counters, part, (word)row);
        const double u = ((words.x >> 5) * 67108864.0 + (words.y >> 6)) * (1.0 / 9007199254740992.0);
        const double goal = u * all;
        // exactly one thread's stretch holds the goal: its prefix is the last one that is not beyond it
        if (before <= goal && goal < before + sum) {
            double reached = 0;
            int last = V;
            for (int v = begin; v < end; v++) {
                reached += own[v];
                if (own[v] > 0) last = v;
                if (before + reached > goal) break;
            }
            chosen = last;
        }
    }
    __syncthreads();
    if (thread == 0) {
        const int id = chosen < V ? chosen : 0;
        const size_t at = (size_t)counters[SLOT] * N + row;
        const double surprisal = log(mass) - ((double)(x[id] + b_y[id]) - (double)peak);
        ids[row] = id;
        written[at] = id;
        nats[at] = (float)(surprisal > 0 ? surprisal : 0);
    }
}

// The next character's step and slot.
extern "C" __global__ void advance(long long *counters, long long slots)
{
    if (threadIdx.x != 0 || blockIdx.x != 0) return;
    counters[STEP] += 1;
    counters[SLOT] = (counters[SLOT] + 1) % slots;
}

// Rows whose prompt has not begun (id below 0) keep an empty state; `state` (L, N, H).
extern "C" __global__ void hold_states(float *state, const int *ids, int L, int N, int H)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= (size_t)L * N * H) return;
    if (ids[at / H % N] < 0) state[at] = 0.0f;
}

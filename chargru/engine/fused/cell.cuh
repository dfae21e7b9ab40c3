// The cell, element by element: what stands between two products of a time step, for every way through it (gru.cu,
// fused.cu, tensor.cu). The equations are those of chargru/engine/gru.py.
//
// Names are those of the equations: z, r, h_tilde, s = r * h, U_zr = [U_z U_r], g = dLoss/dh_t. Arrays are row-major
// float32; `a` and `da` of one step are (B, 3H) with columns [z | r | h], anything else has rows of H columns.
//
// Each gate is read first and finished later: a kernel reads what a gate needs besides its sum before it computes that
// sum, so that one wait for memory hides the other.

typedef unsigned int word;

__device__ __forceinline__ float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));  // expf overflows to infinity, which gives 0
}

// z or r (`half` 0 or 1) at `column` of its half.
struct GateZr {
    float x, b, h;
};

__device__ __forceinline__ GateZr read_zr(const float *b, const float *a, const float *h, int H, int row, int half,
                                          int column)
{
    const GateZr in = {a[(size_t)row * 3 * H + (size_t)half * H + column], b[half * H + column],
                       h[(size_t)row * H + column]};
    return in;
}

// The gate goes into `a`; of r also s = r * h, which is returned.
__device__ __forceinline__ float gate_zr_at(const GateZr &in, float sum, float *a, float *s, int H, int row, int half,
                                            int column)
{
    const float gate = sigmoid(in.x + in.b + sum), reset = gate * in.h;
    a[(size_t)row * 3 * H + (size_t)half * H + column] = gate;
    if (half == 1) s[(size_t)row * H + column] = reset;
    return reset;
}

struct GateH {
    float x, b, z, h;
};

__device__ __forceinline__ GateH read_h(const float *b, const float *a, const float *h, int H, int row, int column)
{
    const size_t at = (size_t)row * 3 * H + column;
    const GateH in = {a[at + 2 * H], b[2 * H + column], a[at], h[(size_t)row * H + column]};
    return in;
}

// h_tilde goes into `a`; the next h, which is returned, into `h_next`, which may be `h`.
__device__ __forceinline__ float gate_h_at(const GateH &in, float sum, float *a, float *h_next, int H, int row,
                                           int column)
{
    const float h_tilde = tanhf(in.x + in.b + sum), h = in.h + in.z * (h_tilde - in.h);
    a[(size_t)row * 3 * H + 2 * H + column] = h_tilde;
    h_next[(size_t)row * H + column] = h;
    return h;
}

struct BackGates {
    float z, h_tilde, h;
};

__device__ __forceinline__ BackGates read_back_gates(const float *a, const float *h, int H, int row, int column)
{
    const size_t at = (size_t)row * 3 * H + column;
    const BackGates in = {a[at], a[at + 2 * H], h[(size_t)row * H + column]};
    return in;
}

struct Before {
    float da_z, da_h;
};

// From g = dLoss/dh_t: da_h, da_z (both returned) and carry = g (1 - z), the first part of what flows on to t - 1.
__device__ __forceinline__ Before back_gates_at(const BackGates &in, float g, float *da, float *carry, int H, int row,
                                                int column)
{
    const size_t at = (size_t)row * 3 * H + column;
    const Before out = {g * (in.h_tilde - in.h) * in.z * (1.0f - in.z), g * in.z * (1.0f - in.h_tilde * in.h_tilde)};
    da[at] = out.da_z;
    da[at + 2 * H] = out.da_h;
    carry[(size_t)row * H + column] = g * (1.0f - in.z);
    return out;
}

struct BackR {
    float r, h, carry;
};

__device__ __forceinline__ BackR read_back_r(const float *a, const float *h, const float *carry, int H, int row,
                                             int column)
{
    const size_t own = (size_t)row * H + column;
    const BackR in = {a[(size_t)row * 3 * H + H + column], h[own], carry[own]};
    return in;
}

// From ds = da_h U_h^T: da_r, which is returned, and carry += ds * r.
__device__ __forceinline__ float back_r_at(const BackR &in, float ds, float *da, float *carry, int H, int row,
                                           int column)
{
    const float da_r = ds * in.h * in.r * (1.0f - in.r);
    da[(size_t)row * 3 * H + H + column] = da_r;
    carry[(size_t)row * H + column] = in.carry + ds * in.r;
    return da_r;
}

// A thread for each of B * H elements; H threads of a row stand side by side.
#define ELEMENT                                                                \
    const size_t element = (size_t)blockIdx.x * blockDim.x + threadIdx.x;      \
    if (element >= (size_t)B * H) return;                                      \
    const int row = (int)(element / H), column = (int)(element % H);

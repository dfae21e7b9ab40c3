// What packs weights and states for tensor.cu: rounded to the kind of number that tensor_core.cuh has, rows filled up with
// zeros to `depth` numbers.

// out (rows, depth) = in (rows, width), rounded, and zeros; a thread for each number of `out`.
extern "C" __global__ void lower_rows(const float *in, low *out, int rows, int width, int depth)
{
    const size_t at = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= (size_t)rows * depth) return;
    const int row = (int)(at / depth), column = (int)(at % depth);
    out[at] = lowered(column < width ? in[(size_t)row * width + column] : 0.0f);
}

// out (width, depth) = in (rows, width) transposed, rounded, and zeros; blocks of (32, 8) take tiles of 32 x 32.
extern "C" __global__ void lower_columns(const float *in, low *out, int rows, int width, int depth)
{
    __shared__ float tile[32][33];  // one more, so that a column lies in 32 banks
    const int x = blockIdx.x * 32, y = blockIdx.y * 32;
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int row = y + i, column = x + (int)threadIdx.x;
        tile[i][threadIdx.x] = row < rows && column < width ? in[(size_t)row * width + column] : 0.0f;
    }
    __syncthreads();
    for (int i = threadIdx.y; i < 32; i += 8) {
        const int row = x + i, column = y + (int)threadIdx.x;
        if (row < width && column < depth) out[(size_t)row * depth + column] = lowered(tile[threadIdx.x][i]);
    }
}

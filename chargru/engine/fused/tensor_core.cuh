// What tensor cores need that C++ has no words for: numbers of fewer bits, and the product of a warp.
//
// LOW_BF16 says which: bfloat16 (a float32's upper half, 8 bits of precision), or else TF32 (a float32 whose last 13 bits
// are 0, 11 bits of precision). Both keep float32's exponents, so nothing has to be scaled. Every GPU from compute
// capability 8.0 on has both.

#if LOW_BF16
typedef unsigned short low;
#else
typedef word low;
#endif

// The nearest number of that kind.
__device__ __forceinline__ low lowered(float x)
{
    low found;
#if LOW_BF16
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(found) : "f"(x));
#else
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(found) : "f"(x));
#endif
    return found;
}

// sums += x u for a warp's x of 16 rows and u of 8 columns, 32 bytes of depth each; all lanes of the warp come here.
// Lane 4 g + q holds, of rows g (x0, x2) and g + 8 (x1, x3) and of column g (u0, u1), the words q and q + 4 of the depth;
// and the sums of row g, columns 2 q and 2 q + 1, then of row g + 8 (PTX, "Matrix fragments for mma.m16n8k8" and
// "m16n8k16"). Any other order of the depth does as well, as long as it is the same on both sides.
__device__ __forceinline__ void multiply_add(float sums[4], word x0, word x1, word x2, word x3, word u0, word u1)
{
#if LOW_BF16
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
#endif
        "{%0, %1, %2, %3};"
        : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
        : "r"(x0), "r"(x1), "r"(x2), "r"(x3), "r"(u0), "r"(u1));
}

// tensor_core.cuh once more for a processor: the same numbers rounded the same way, and a warp's product from the
// fragments that its lanes hold. A word that does not stand where PTX wants it is multiplied by the wrong one here too.

#if LOW_BF16
typedef unsigned short low;
#else
typedef word low;
#endif

static inline bool is_number(word bits) { return (bits & 0x7fffffffu) <= 0x7f800000u; }

// bfloat16: to the nearest, of two equally near the even one. TF32: of two equally near the one further from 0.
static inline low lowered(float x)
{
    const word bits = __float_as_uint(x);
#if LOW_BF16
    return is_number(bits) ? (low)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16) : (low)0x7fffu;
#else
    return (bits & 0x7f800000u) == 0x7f800000u ? bits & 0xffffe000u : (bits + 0x1000u) & 0xffffe000u;
#endif
}

// The numbers of a word: two of bfloat16, the first in the lower half; one of TF32, whose last bits nobody looks at.
#if LOW_BF16
enum { IN_WORD = 2 };
static inline float number(word bits, int i) { return __uint_as_float(i ? bits & 0xffff0000u : bits << 16); }
#else
enum { IN_WORD = 1 };
static inline float number(word bits, int) { return __uint_as_float(bits & 0xffffe000u); }
#endif

static word fragments[1024][6];  // of every thread of the block

static void multiply_add(float sums[4], word x0, word x1, word x2, word x3, word u0, word u1)
{
    const unsigned own = own_slot(), lane = own & 31u, first = own - lane;
    const word mine[6] = {x0, x1, x2, x3, u0, u1};
    memcpy(fragments[own], mine, sizeof(mine));
    wait(AT_EXCHANGE, __LINE__);
    for (int i = 0; i < 4; i++) {
        const unsigned g = lane / 4, column = lane % 4 * 2 + i % 2;  // sums of row g, then of row g + 8
        for (unsigned q = 0; q < 4; q++)
            for (int half = 0; half < 2; half++)  // words q and q + 4 of the depth
                for (int k = 0; k < IN_WORD; k++) {
                    const word x = fragments[first + 4 * g + q][i / 2 + 2 * half];
                    const word u = fragments[first + 4 * column + q][4 + half];
                    sums[i] += number(x, k) * number(u, k);
                }
    }
    wait(AT_EXCHANGE, __LINE__);  // nobody overwrites what another has still to read
}

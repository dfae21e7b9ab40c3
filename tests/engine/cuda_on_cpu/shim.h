// What the CUDA sources need of CUDA, on one processor thread: the threads of a block are fibers that take turns.
//
// A fiber runs until it reaches a barrier or a warp's exchange of values, so a kernel that forgets a barrier reads
// what is not there yet. The order of turns can be turned round or shuffled: results must not depend on it. A barrier
// that not all threads of the block reach, or that they reach in different places, is an error, as on a GPU it would
// be a bug.
#pragma once
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#define __global__
#define __device__ static
#define __shared__ static __attribute__((section("shared")))  // blocks run one after the other
#define __forceinline__ inline
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)

using std::isfinite;
using std::max;

struct float2 {
    float x, y;
};
struct float4 {
    float x, y, z, w;
};
struct __align__(16) uint4 {
    unsigned x, y, z, w;
};
struct Index {
    unsigned x, y, z;
};
Index threadIdx, blockIdx, blockDim, gridDim;

// -------------------------------------------------------------------------------------------------------- fibers

enum State { READY, AT_BARRIER, AT_EXCHANGE, DONE };

struct Fiber {
    State state;
    int line;  // of the barrier it waits at
    Index index;
    bool started;
    jmp_buf place;
    ucontext_t start;
    std::vector<char> stack;
};

struct Body {
    virtual void run() = 0;
    virtual ~Body() {}
};

static std::vector<Fiber *> fibers;
static Fiber *current;
static jmp_buf scheduler;
static Body *body;
static uint64_t slots[1024];  // what the lanes exchange

__attribute__((noinline)) static void give_way()
{
    if (!_setjmp(current->place)) _longjmp(scheduler, 1);
    asm volatile("" ::: "memory");
}

static void fiber_main()
{
    for (;;) {
        body->run();
        current->state = DONE;
        give_way();
    }
}

__attribute__((noinline)) static void resume(Fiber *fiber)
{
    current = fiber;
    threadIdx = fiber->index;
    if (_setjmp(scheduler)) return;
    if (fiber->started) _longjmp(fiber->place, 1);
    fiber->started = true;
    getcontext(&fiber->start);
    fiber->stack.resize(1 << 16);
    fiber->start.uc_stack.ss_sp = fiber->stack.data();
    fiber->start.uc_stack.ss_size = fiber->stack.size();
    fiber->start.uc_link = nullptr;
    makecontext(&fiber->start, fiber_main, 0);
    setcontext(&fiber->start);
}

// They stand somewhere inside a kernel.
static void forget_fibers()
{
    for (Fiber *each : fibers) delete each;
    fibers.clear();
}

static void wait(State state, int line)
{
    current->state = state;
    current->line = line;
    give_way();
}

#define __syncthreads() wait(AT_BARRIER, __LINE__)
#define __syncwarp() wait(AT_EXCHANGE, __LINE__)

static unsigned own_slot() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

template <typename T>
static T exchange(T value, unsigned lanes, int line)
{
    const unsigned own = own_slot();
    memcpy(&slots[own], &value, sizeof(T));
    wait(AT_EXCHANGE, line);
    T found;
    memcpy(&found, &slots[own ^ lanes], sizeof(T));
    wait(AT_EXCHANGE, line);  // nobody overwrites what another has still to read
    return found;
}
#define __shfl_xor_sync(mask, value, lanes) exchange(value, lanes, __LINE__)

static unsigned ballot(bool mine, int line)
{
    const unsigned own = own_slot(), first = own & ~31u;
    slots[own] = mine;
    wait(AT_EXCHANGE, line);
    unsigned found = 0;
    for (unsigned lane = 0; lane < 32; lane++) found |= (unsigned)slots[first + lane] << lane;
    wait(AT_EXCHANGE, line);
    return found;
}
#define __ballot_sync(mask, mine) ballot(mine, __LINE__)

// An order made anew at every use. Of <random> and <algorithm> the compiler would read for as long as it compiles.
struct Shuffle {
    uint64_t state;
    void operator()(std::vector<unsigned> &order)
    {
        for (size_t left = order.size(); left > 1; left--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            std::swap(order[left - 1], order[(state >> 33) % left]);
        }
    }
};

// What a block finds in shared memory is what nobody wants: NaN.
extern char __start_shared[], __stop_shared[];

// One turn for everyone, then whoever has met the others goes on. Returns what went wrong, or nothing.
static std::string run_block(unsigned threads, std::vector<unsigned> &order, Shuffle *shuffle)
{
    for (unsigned i = 0; i < threads; i++) fibers[i]->state = READY;
    memset(__start_shared, 0xFF, __stop_shared - __start_shared);
    for (;;) {
        if (shuffle) (*shuffle)(order);
        for (unsigned i : order)
            if (fibers[i]->state == READY) resume(fibers[i]);
        unsigned done = 0, waiting = 0;
        bool onward = false;
        for (unsigned i = 0; i < threads; i++) {
            done += fibers[i]->state == DONE;
            waiting += fibers[i]->state == AT_BARRIER && fibers[i]->line == fibers[0]->line;
        }
        if (done == threads) return "";
        for (unsigned first = 0; first < threads; first += 32) {
            unsigned met = 0;
            for (unsigned i = first; i < first + 32 && i < threads; i++)
                met += fibers[i]->state == AT_EXCHANGE && fibers[i]->line == fibers[first]->line;
            if (met != 32) continue;
            for (unsigned i = first; i < first + 32; i++) fibers[i]->state = READY;
            onward = true;
        }
        if (waiting == threads) {
            for (unsigned i = 0; i < threads; i++) fibers[i]->state = READY;
            onward = true;
        }
        if (!onward) {
            forget_fibers();
            return "a barrier or an exchange that not all threads reach";
        }
    }
}

// -------------------------------------------------------------------------------- calling a kernel by its arguments

// One letter for a type, as NumPy has them (dtype.char), after a P for a pointer.
template <typename T>
std::string letter()
{
    if constexpr (std::is_pointer_v<T>)
        return "P" + letter<std::remove_cv_t<std::remove_pointer_t<T>>>();
    else if constexpr (std::is_same_v<T, float>)
        return "f";
    else if constexpr (std::is_same_v<T, double>)
        return "d";
    else if constexpr (std::is_same_v<T, int>)
        return "i";
    else if constexpr (std::is_same_v<T, unsigned>)
        return "I";
    else if constexpr (std::is_same_v<T, unsigned short>)
        return "H";
    else if constexpr (std::is_same_v<T, long long>)
        return "q";
    else
        static_assert(!sizeof(T), "the shim does not know this type");
}

template <typename... A>
struct Call : Body {
    void (*kernel)(A...);
    void **arguments;
    Call(void (*kernel)(A...), void **arguments) : kernel(kernel), arguments(arguments) {}
    template <size_t... I>
    void unpack(std::index_sequence<I...>)
    {
        kernel(*(A *)arguments[I]...);
    }
    void run() override { unpack(std::index_sequence_for<A...>()); }
};

template <typename... A>
Body *make_call(void (*kernel)(A...), void **arguments)
{
    return new Call<A...>(kernel, arguments);
}

template <typename... A>
std::string signature(void (*)(A...))
{
    std::string found;
    ((found += letter<A>() + " "), ...);
    return found;
}

struct Kernel {
    const char *name;
    Body *(*call)(void **);
    std::string signature;
};
#define KERNEL(name) Kernel{#name, [](void **arguments) { return make_call(name, arguments); }, signature(name)}

extern Kernel kernels[];
extern const int kernel_count;

extern "C" const char *kernel_signature(const char *name)
{
    for (int i = 0; i < kernel_count; i++)
        if (!strcmp(kernels[i].name, name)) return kernels[i].signature.c_str();
    return nullptr;
}

// Arrays end where memory is protected (guarded.py), and an index beyond a shared one is an instruction that there is
// not (-fsanitize): what a kernel does there raises a signal, on whose way back the kernel is left where it stands.
static sigjmp_buf outside;
static void leave(int) { siglongjmp(outside, 1); }

struct Watch {
    static constexpr int count = 4, signals[count] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    struct sigaction before[count];
    Watch()
    {
        struct sigaction mine = {};
        mine.sa_handler = leave;
        for (int i = 0; i < count; i++) sigaction(signals[i], &mine, &before[i]);
    }
    ~Watch()
    {
        for (int i = 0; i < count; i++) sigaction(signals[i], &before[i], nullptr);
    }
};

// `order`: 0 as threads are numbered, 1 the other way round, else the seed of an order shuffled at every turn; blocks
// likewise. Returns what went wrong, or an empty text.
extern "C" const char *run_kernel(const char *name, const unsigned *grid, const unsigned *block, void **arguments,
                                  unsigned order)
{
    static std::string wrong;
    const unsigned threads = block[0] * block[1] * block[2], blocks = grid[0] * grid[1] * grid[2];
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    while (fibers.size() < threads) fibers.push_back(new Fiber{});
    Shuffle shuffle{order};
    std::vector<unsigned> turns(threads), places(blocks);
    for (unsigned i = 0; i < threads; i++) {
        turns[i] = order == 1 ? threads - 1 - i : i;
        fibers[i]->index = {i % block[0], i / block[0] % block[1], i / (block[0] * block[1])};
    }
    for (unsigned i = 0; i < blocks; i++) places[i] = order == 1 ? blocks - 1 - i : i;
    if (order > 1) shuffle(places);
    for (int i = 0; i < kernel_count; i++) {
        if (strcmp(kernels[i].name, name)) continue;
        body = kernels[i].call(arguments);
        wrong = "";
        const Watch watch;
        if (sigsetjmp(outside, 1)) {
            forget_fibers();
            delete body;
            wrong = "memory outside of an array, or a number too large for an int";
            return wrong.c_str();
        }
        for (unsigned place : places) {
            blockIdx = {place % grid[0], place / grid[0] % grid[1], place / (grid[0] * grid[1])};
            wrong = run_block(threads, turns, order > 1 ? &shuffle : nullptr);
            if (!wrong.empty()) break;
        }
        delete body;
        return wrong.c_str();
    }
    return "no such kernel";
}

// ------------------------------------------------------------------------------------------------- small functions

static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
static inline int __ffs(unsigned bits) { return __builtin_ffs((int)bits); }
template <typename To, typename From>
static inline To same_bits(From from)
{
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof(To));
    return to;
}
static inline unsigned __float_as_uint(float x) { return same_bits<unsigned>(x); }
static inline float __uint_as_float(unsigned x) { return same_bits<float>(x); }
static inline float __int_as_float(int x) { return same_bits<float>(x); }

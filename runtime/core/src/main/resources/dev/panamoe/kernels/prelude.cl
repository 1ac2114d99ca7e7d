// The words of the shared kernel source (*.inc) in OpenCL C 1.2. prelude.cu defines the same ones for CUDA.

#pragma OPENCL FP_CONTRACT OFF

#define KERNEL __kernel void
// Always inlined: private arrays that a function gets are registers only then.
#define FN static __attribute__((always_inline))
#define GLOBAL __global
#define LOCAL __local
// A table at program scope.
#define CONSTANT_TABLE __constant
// Memory of a work-group; stands at the head of a kernel.
#define SHARED(type, name, count) __local type name[count]
#define BARRIER barrier(CLK_LOCAL_MEM_FENCE)
// Orders accesses to global memory within the work-group too.
#define BARRIER_GLOBAL barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)

#define LOCAL_ID ((int)get_local_id(0))
#define GROUP_ID ((int)get_group_id(0))
#define GROUP_ID_1 ((int)get_group_id(1))
#define GROUP_ID_2 ((int)get_group_id(2))
#define GLOBAL_ID ((int)get_global_id(0))

// Integer sums do not depend on the order of their terms.
#define ATOMIC_ADD_LOCAL(counter, value) atomic_add(counter, value)

#define FMA(a, b, c) fma(a, b, c)
#define EXP(x) exp(x)
#define TANH(x) tanh(x)
#define SQRT(x) sqrt(x)
#define RINT(x) rint(x)
#define FABS(x) fabs(x)
#define FMAX(a, b) fmax(a, b)
#define FMIN(a, b) fmin(a, b)
#define NEGATIVE_INFINITY (-INFINITY)

#define AS_FLOAT(bits) as_float(bits)
#define AS_UINT(value) as_uint(value)

// DOT4(a, b, c): c plus the four products of the signed bytes of a and b, which are uints. By the extension
// cl_khr_integer_dot_product, by NVIDIA's own assembler, or in plain C: the same result.
// PERMUTE(a, b, s): byte i is byte (s >> 4 * i) & 7 of the eight of a and then b. Defined where it is one instruction.
#if defined(DOT4_EXTENSION)
#define DOT4(a, b, c) ((c) + dot_4x8packed_ss_int(a, b))
#elif defined(DOT4_PTX)
FN int dot4(uint a, uint b, int c) {
    int sum;
    __asm__("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(sum) : "r"(a), "r"(b), "r"(c));
    return sum;
}
FN uint permute(uint a, uint b, uint selector) {
    uint bytes;
    __asm__("prmt.b32 %0, %1, %2, %3;" : "=r"(bytes) : "r"(a), "r"(b), "r"(selector));
    return bytes;
}
#define DOT4(a, b, c) dot4(a, b, c)
#define PERMUTE(a, b, selector) permute(a, b, selector)
#else
FN int dot4(uint a, uint b, int c) {
    int4 products = convert_int4(as_char4(a)) * convert_int4(as_char4(b));
    return c + products.x + products.y + products.z + products.w;
}
#define DOT4(a, b, c) dot4(a, b, c)
#endif

// Works where halves cannot be computed with.
FN float half_to_float(ushort bits) {
    return vload_half(0, (const half *)&bits);
}
#define HALF_TO_FLOAT(bits) half_to_float((ushort)(bits))
#define BF16_TO_FLOAT(bits) AS_FLOAT((uint)(bits) << 16)

// The nearest half, ties to even.
FN ushort float_to_half(float value) {
    ushort bits;
    vstore_half_rte(value, 0, (half *)&bits);
    return bits;
}
#define FLOAT_TO_HALF(value) float_to_half(value)

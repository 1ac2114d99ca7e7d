// The words of the shared kernel source (*.inc) in CUDA C++. prelude.cl defines the same ones for OpenCL.
// Compile with -fmad=false: where a sum is to be fused, the source says FMA.

#include <cuda_fp16.h>

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;

#define KERNEL extern "C" __global__ void
#define FN static __device__ __forceinline__
#define GLOBAL
#define LOCAL
// A table at program scope.
#define CONSTANT_TABLE __constant__ const
// Memory of a work-group; stands at the head of a kernel.
#define SHARED(type, name, count) __shared__ type name[count]
#define BARRIER __syncthreads()
#define BARRIER_GLOBAL __syncthreads()

#define LOCAL_ID ((int)threadIdx.x)
#define GROUP_ID ((int)blockIdx.x)
#define GROUP_ID_1 ((int)blockIdx.y)
#define GROUP_ID_2 ((int)blockIdx.z)
#define GLOBAL_ID ((int)(blockIdx.x * blockDim.x + threadIdx.x))

// Integer sums do not depend on the order of their terms.
#define ATOMIC_ADD_LOCAL(counter, value) atomicAdd(counter, value)

#define FMA(a, b, c) fmaf(a, b, c)
#define EXP(x) expf(x)
#define TANH(x) tanhf(x)
#define SQRT(x) sqrtf(x)
#define RINT(x) rintf(x)
#define FABS(x) fabsf(x)
#define FMAX(a, b) fmaxf(a, b)
#define FMIN(a, b) fminf(a, b)
#define NEGATIVE_INFINITY (-__int_as_float(0x7f800000))

#define AS_FLOAT(bits) __uint_as_float(bits)
#define AS_UINT(value) __float_as_uint(value)

// c plus the four products of the signed bytes of a and b, which are uints.
#define DOT4(a, b, c) __dp4a((int)(a), (int)(b), c)
// Byte i is byte (s >> 4 * i) & 7 of the eight of a and then b.
#define PERMUTE(a, b, s) __byte_perm(a, b, s)

#define HALF_TO_FLOAT(bits) __half2float(__ushort_as_half((ushort)(bits)))
#define BF16_TO_FLOAT(bits) AS_FLOAT((uint)(bits) << 16)
// The nearest half, ties to even.
#define FLOAT_TO_HALF(value) __half_as_ushort(__float2half_rn(value))

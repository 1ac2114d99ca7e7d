/// The CUDA backend. Begin at {@link CudaProvider}.
package dev.panamoe.cuda;

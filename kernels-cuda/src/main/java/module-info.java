/// The CUDA backend.
@org.jspecify.annotations.NullMarked
module dev.panamoe.cuda {
    requires static org.jspecify;
    requires dev.panamoe.core;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.cuda.CudaProvider;
}

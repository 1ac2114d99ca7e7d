/// The CUDA backend: host code on the driver API, and the `.cu` kernels with their PTX.
@org.jspecify.annotations.NullMarked
module dev.panamoe.cuda {
    requires static transitive org.jspecify;
    requires dev.panamoe.core;
}

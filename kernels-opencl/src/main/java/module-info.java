/// The OpenCL backend: host code and the `.cl` kernels that it compiles for the devices it finds.
@org.jspecify.annotations.NullMarked
module dev.panamoe.opencl {
    requires static transitive org.jspecify;
    requires dev.panamoe.core;
}

/// The OpenCL backend.
@org.jspecify.annotations.NullMarked
module dev.panamoe.opencl {
    requires static org.jspecify;
    requires dev.panamoe.core;
    requires dev.panamoe.ffm;
    requires org.lwjgl;
    requires org.lwjgl.opencl;

    provides dev.panamoe.spi.BackendProvider with
            dev.panamoe.opencl.OpenClProvider;
}

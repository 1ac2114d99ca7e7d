/// The OpenCL backend. Begin at {@link OpenClProvider}.
package dev.panamoe.opencl;

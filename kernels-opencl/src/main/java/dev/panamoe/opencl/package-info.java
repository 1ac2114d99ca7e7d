/// The OpenCL backend. It sees `spi`, `tensor` and `quant` of the core, and no other backend.
package dev.panamoe.opencl;

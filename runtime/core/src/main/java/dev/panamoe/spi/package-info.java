/// What a backend implements: probing, devices, buffers, weights and the operations. Begin at `BackendProvider`.
package dev.panamoe.spi;

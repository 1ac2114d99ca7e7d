/// Shapes, storage types and views of weights in memory that somebody else owns. Begin at {@link TensorView}.
package dev.panamoe.tensor;

/// The backend `cpu`. Begin at {@link dev.panamoe.cpu.CpuProvider}; {@link dev.panamoe.cpu.Tile} is where the time
/// goes.
///
/// Every product of a weight row and an activation row is the same sum, whichever operation and batch it is part of:
/// sixteen partial sums, value `k` going to sum `k % 16` by fused multiply-add in rising `k`, then one fixed tree over
/// the sixteen. Vectors of 512, 256 or 128 bits hold all, half or a quarter of the sixteen, so results depend neither
/// on the vector width, nor on the number of threads, nor on what else is in the batch.
///
/// No sum or function here is left to `reduceLanes` on floats or to the Vector API's transcendental functions: their
/// results may differ between interpreted and compiled code.
package dev.panamoe.cpu;

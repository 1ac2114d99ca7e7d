/// The backend `cpu`. Begin at {@link dev.panamoe.cpu.CpuProvider}.
///
/// A weight that takes part in products is **packed** at upload ({@link dev.panamoe.cpu.Packer}: sixteen rows
/// interleaved) and multiplied with 8-bit activations (F16 and BF16: floats; {@link dev.panamoe.cpu.Panel}) by a
/// {@link dev.panamoe.cpu.KernelSet}: native code, or the Vector API. All sets give the same bits; the layout and the
/// order of the sums are in `docs/packed-weights.md`. {@link dev.panamoe.cpu.PackedTask} and
/// {@link dev.panamoe.cpu.ExpertsTask} cut the work in chunks for the {@link dev.panamoe.cpu.WorkerPool}.
///
/// A weight **as it is in the file** (types that are not packed, `--no-repack`, quantised types with
/// `--activations f32`, weights with factors on their slices) is multiplied with
/// floats ({@link dev.panamoe.cpu.Products}, {@link dev.panamoe.cpu.Tile}). Every such product is the same sum,
/// whichever operation and batch it is part of: sixteen partial sums, value `k` going to sum `k % 16` by fused
/// multiply-add in rising `k`, then one fixed tree over the sixteen. Vectors of 512, 256 or 128 bits hold all, half or
/// a quarter of the sixteen.
///
/// So results depend neither on the vector width, nor on the number of threads, nor on what else is in the batch.
///
/// No sum or function here is left to `reduceLanes` on floats or to the Vector API's transcendental functions: their
/// results may differ between interpreted and compiled code.
package dev.panamoe.cpu;

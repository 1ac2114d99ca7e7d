/// Speed of every operation of a backend, with JMH and through the SPI, so that all backends are measured the same way;
/// `runtime/docs/bench.md` has the command. Begin at {@link dev.panamoe.bench.OperationBenchmark}, which also compares
/// what was measured with the reference.
package dev.panamoe.bench;

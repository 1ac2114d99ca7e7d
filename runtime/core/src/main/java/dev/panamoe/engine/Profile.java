package dev.panamoe.engine;

import java.util.List;

/// Where the time of forward passes went, operation by operation.
///
/// @param phases what passes of many rows and passes of one row did; only those that there were
public record Profile(List<Phase> phases) {
    public Profile {
        phases = List.copyOf(phases);
    }

    /// Passes of one kind.
    ///
    /// @param generation passes of one row; otherwise of many
    /// @param passes number of them
    /// @param tokens rows of all of them
    /// @param nanos from the first operation of a pass to the end of its last, over all passes
    /// @param operations by falling time
    public record Phase(boolean generation, long passes, long tokens, long nanos, List<Operation> operations) {
        public Phase {
            operations = List.copyOf(operations);
        }

        /// Bytes of weights, keys and values that were read.
        public long streamedBytes() {
            return operations.stream()
                    .filter(Operation::streams)
                    .mapToLong(Operation::bytes)
                    .sum();
        }

        public double flops() {
            return operations.stream().mapToDouble(Operation::flops).sum();
        }

        /// Time in which no operation ran: the forward page itself, and measuring it.
        public long betweenNanos() {
            return nanos - operations.stream().mapToLong(Operation::nanos).sum();
        }
    }

    /// All calls of one operation.
    ///
    /// @param name the operation; of a product the weight's name without its layer
    /// @param bytes the least that must be read and written: each weight once a call (of experts those that were
    ///     chosen), keys and values that are seen once a call, activations in and out
    /// @param streams whether most of that comes from main memory, because it is weights, keys or values; activations
    ///     usually stay in caches
    /// @param flops a multiply-add is two; only those of products and attention are counted
    public record Operation(String name, long calls, long nanos, long bytes, boolean streams, double flops) {}
}

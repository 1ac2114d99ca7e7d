package dev.panamoe.bench;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// What the calls of an iteration needed at least; JMH makes it a rate.
@State(Scope.Thread)
@AuxCounters
public class Work {
    /// Of weights as a file stores them, keys and values; for the small operations of activations; in 1e9.
    public double gigabytes;

    /// Multiply-adds of products and attention, in 1e9.
    public double gigamacs;

    void add(double bytes, double macs) {
        gigabytes += bytes / 1e9;
        gigamacs += macs / 1e9;
    }
}

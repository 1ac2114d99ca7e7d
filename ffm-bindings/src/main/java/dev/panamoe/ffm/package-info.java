/// Thin bindings to the C library: mapping advice, page locking, thread affinity, CPU and memory facts.
package dev.panamoe.ffm;

/// The slow, obviously right backend: plain Java, double accumulators. It defines every operation.
package dev.panamoe.reference;

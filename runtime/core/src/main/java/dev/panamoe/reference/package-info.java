/// The slow, obviously right backend: plain Java, double accumulators. It defines every operation. Begin at
/// `ReferenceOps`.
package dev.panamoe.reference;

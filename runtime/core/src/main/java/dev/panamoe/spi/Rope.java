package dev.panamoe.spi;

import dev.panamoe.spec.RopeSpec;

/// A {@link RopeSpec} whose inverse frequencies lie on a device.
///
/// @param inverseFrequencies (dims / 2) F32
public record Rope(RopeSpec.Pairing pairing, Weight inverseFrequencies, float amplitude) {}

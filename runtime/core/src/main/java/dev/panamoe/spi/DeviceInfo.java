package dev.panamoe.spi;

import java.util.List;

/// A device that a backend can open.
///
/// @param id as `--backend` and messages name it: `cpu`, `cuda:0`
/// @param description what it is, for people
/// @param memoryBytes memory for weights and caches; 0 when unknown
/// @param facts one short line each: cores, vector width, driver
public record DeviceInfo(String id, String description, long memoryBytes, List<String> facts) {
    public DeviceInfo {
        facts = List.copyOf(facts);
    }
}

package dev.panamoe.opencl;

import java.util.EnumMap;
import java.util.Map;

/// Memory that an operation needs for itself, kept for the next time and made larger when more is wanted. In an
/// in-order queue no two operations use it at once.
final class Scratch {
    /// What it is for.
    enum Part {
        /// Activations brought to addresses and widths that products can read.
        ALIGNED,
        /// The same rounded to 8 bits.
        ROUNDED,
        /// (pairs, width) of experts.
        GATE,
        UP,
        /// (pairs, embedding)
        DOWN,
        /// Pairs of tokens and experts by expert.
        ORDER,
        TILES,
        /// What passes of topK leave to the next.
        TOP_KEYS,
        TOP_COLUMNS,
        /// Parts of attention.
        SPANS
    }

    private record Held(long buffer, long bytes) {}

    private final Memory memory;
    private final Map<Part, Held> held = new EnumMap<>(Part.class);

    Scratch(Memory memory) {
        this.memory = memory;
    }

    /// Whether there is so much already.
    boolean holds(Part part, long values) {
        return missingBytes(part, values) == 0;
    }

    /// Bytes that {@link #reserve} of so many would take, beside what is there.
    long missingBytes(Part part, long values) {
        Held has = held.get(part);
        return Math.max(0, values * Integer.BYTES - (has == null ? 0 : has.bytes()));
    }

    /// At least `values` values of 4 bytes, with whatever is in them.
    long of(Part part, long values) {
        Held has = held.get(part);
        if (has != null && has.bytes() >= values * Integer.BYTES) {
            return has.buffer();
        }
        // What grows with every token must not be allocated anew for each.
        long twice = has == null ? 0 : Math.min(2 * has.bytes(), memory.largest());
        return take(part, Math.max(values * Integer.BYTES, twice));
    }

    /// Sees to it that there are so many, and no more.
    void reserve(Part part, long values) {
        if (!holds(part, values)) {
            take(part, values * Integer.BYTES);
        }
    }

    private long take(Part part, long bytes) {
        Held has = held.remove(part);
        if (has != null) {
            // The runtime keeps it until launches that use it are done.
            memory.free(has.buffer());
        }
        Held more = new Held(memory.allocateZeroed(bytes, "scratch memory of " + part), bytes);
        held.put(part, more);
        return more.buffer();
    }

    /// Gives everything back.
    void release() {
        held.values().forEach(h -> memory.free(h.buffer()));
        held.clear();
    }
}

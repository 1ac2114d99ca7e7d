package dev.panamoe.ffm;

import java.lang.foreign.MemorySegment;

/// A range of whole memory pages.
///
/// @param address of its first page
/// @param bytes its length, a multiple of the page size
record Pages(MemorySegment address, long bytes) {
    /// The pages that hold any byte of the segment.
    static Pages covering(MemorySegment segment) {
        long page = LibC.pageSize();
        long start = segment.address() & -page;
        long end = segment.byteSize() == 0 ? start : (segment.address() + segment.byteSize() + page - 1) & -page;
        return new Pages(MemorySegment.ofAddress(start), end - start);
    }

    /// The pages that hold bytes of the segment only.
    static Pages inside(MemorySegment segment) {
        long page = LibC.pageSize();
        long start = (segment.address() + page - 1) & -page;
        long end = (segment.address() + segment.byteSize()) & -page;
        return new Pages(MemorySegment.ofAddress(start), Math.max(0, end - start));
    }
}

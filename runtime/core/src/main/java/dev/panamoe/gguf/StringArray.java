package dev.panamoe.gguf;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/// An array of strings left where it lies. Strings have no fixed length, so the offset of every [#STRIDE]th is kept and
/// the few before the wanted one are stepped over: the vocabulary of 262,144 takes 128 KB of heap.
///
final class StringArray implements Metadata.Strings {
    static final int STRIDE = 16;

    private final MemorySegment bytes;
    private final int size;
    private final long[] index;

    /// @param bytes the entries, each a 64-bit length and its bytes, all checked to lie inside
    /// @param size number of entries
    /// @param index offset of entry `i * STRIDE`; not copied
    StringArray(MemorySegment bytes, int size, long[] index) {
        this.bytes = bytes;
        this.size = size;
        this.index = index;
    }

    /// An index for `size` entries, to be filled while they are checked.
    static long[] newIndex(int size) {
        return new long[(size + STRIDE - 1) / STRIDE];
    }

    /// Entry `i` without its length, in the file's memory.
    MemorySegment segment(int i) {
        Objects.checkIndex(i, size);
        long at = index[i / STRIDE];
        for (int skip = i % STRIDE; skip > 0; skip--) {
            at += 8 + bytes.get(LittleEndian.I64, at);
        }
        return bytes.asSlice(at + 8, bytes.get(LittleEndian.I64, at));
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public byte[] bytes(int i) {
        return segment(i).toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public String get(int i) {
        return new String(bytes(i), StandardCharsets.UTF_8);
    }
}

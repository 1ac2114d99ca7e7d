package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;

/// Reads the header of a file from front to back; every read is checked against the file's end first.
final class Cursor {
    private final String file;
    private final MemorySegment bytes;
    private long position;
    private String context = "the header";

    Cursor(String file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /// Names what is being read, for messages.
    void reading(String newContext) {
        context = newContext;
    }

    long position() {
        return position;
    }

    long remaining() {
        return bytes.byteSize() - position;
    }

    int u32() {
        require(4);
        int value = bytes.get(LittleEndian.I32, position);
        position += 4;
        return value;
    }

    long u64() {
        require(8);
        long value = bytes.get(LittleEndian.I64, position);
        position += 8;
        return value;
    }

    /// The next `size` bytes, not copied.
    MemorySegment take(long size) {
        require(size);
        MemorySegment taken = bytes.asSlice(position, size);
        position += size;
        return taken;
    }

    /// The bytes of a string: a 64-bit length of at most `max`, then as many bytes.
    MemorySegment string(int max, String what) {
        return take(stringLength(max, what));
    }

    /// Steps over a string of at most `max` bytes.
    void skipString(int max, String what) {
        long length = stringLength(max, what);
        position += length;
    }

    private long stringLength(int max, String what) {
        long length = u64();
        if (length < 0 || length > max) {
            throw fault(what + " of " + context + " claims " + Long.toUnsignedString(length) + " bytes, the limit is "
                    + max + "; the file is damaged");
        }
        require(length);
        return length;
    }

    PanamoeException fault(String message) {
        return new PanamoeException(file + ": " + message);
    }

    private void require(long size) {
        if (size > remaining()) {
            throw fault("the file ends inside " + context + ": " + size + " bytes are needed at byte " + position
                    + " of " + bytes.byteSize() + "; it is truncated or damaged, download it again");
        }
    }
}

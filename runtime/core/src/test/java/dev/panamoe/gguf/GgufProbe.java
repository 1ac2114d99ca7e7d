package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.Consumer;

/// What must hold of any bytes whatever: they open or are refused with one line, and little heap is taken in either
/// case; whatever opened can be read everywhere. Shared by the short and the long fuzz run.
final class GgufProbe {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    /// Heap that opening may take besides a multiple of the file: messages and small objects.
    private static final long ALLOWED_BYTES = 1 << 20;

    private static final List<Consumer<MetadataKey>> READS = List.of(
            k -> k.metadata.findString(k.key),
            k -> k.metadata.findInt(k.key),
            k -> k.metadata.findLong(k.key),
            k -> k.metadata.findFloat(k.key),
            k -> k.metadata.bool(k.key, false),
            k -> k.metadata.ints(k.key, 3),
            k -> k.metadata.bools(k.key, 3),
            k -> k.metadata.floats(k.key),
            k -> k.metadata.intArray(k.key),
            k -> readAll(k.metadata.strings(k.key)));

    private record MetadataKey(Metadata metadata, String key) {}

    private GgufProbe() {}

    /// Opens and reads all, and returns whether the bytes were accepted.
    ///
    /// @throws AssertionError when anything else happens than success or a refusal, or too much heap is taken
    static boolean probe(byte[] bytes) {
        long allowed = ALLOWED_BYTES + 16L * bytes.length;
        // the first use of a class loads it, and Jazzer's agent rewrites it, on this thread: what counts is a
        // repeatable
        // allocation
        if (allocatedByOpening(bytes) > allowed) {
            long again = allocatedByOpening(bytes);
            check(again <= allowed, again + " bytes of heap for a file of " + bytes.length);
        }
        try (GgufFile file = GgufFile.ofMemory("m.gguf", MemorySegment.ofArray(bytes))) {
            readAll(file);
            return true;
        } catch (PanamoeException e) {
            checkMessage(e);
            return false;
        }
    }

    private static long allocatedByOpening(byte[] bytes) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try {
            GgufFile.ofMemory("m.gguf", MemorySegment.ofArray(bytes)).close();
        } catch (PanamoeException e) {
            checkMessage(e);
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    static void readAll(GgufFile file) {
        for (String key : file.metadata().keys()) {
            MetadataKey entry = new MetadataKey(file.metadata(), key);
            for (Consumer<MetadataKey> read : READS) {
                try {
                    read.accept(entry);
                } catch (PanamoeException e) {
                    checkMessage(e);
                }
            }
        }
        for (MetadataEntry entry : file.metadata().describe(4, 50)) {
            check(isOneLine(entry.text()), "text of " + entry);
        }
        for (TensorView tensor : file.tensors().values()) {
            MemorySegment data = tensor.data();
            data.get(LittleEndian.I8, 0);
            data.get(LittleEndian.I8, data.byteSize() - 1);
            check(
                    data.byteSize()
                            == tensor.rowBytes()
                                    * tensor.shape().rows()
                                    * tensor.shape().slices(),
                    "size");
        }
        file.warnings().forEach(w -> check(isOneLine(w), w));
    }

    static void checkMessage(PanamoeException e) {
        String message = String.valueOf(e.getMessage());
        check(isOneLine(message) && message.contains(".gguf: ") && message.length() < 2000, message);
    }

    private static void readAll(Metadata.Strings strings) {
        for (int i = 0; i < strings.size(); i++) {
            strings.bytes(i);
        }
    }

    private static boolean isOneLine(String text) {
        return text.codePoints().allMatch(Printable::isPrintable);
    }

    private static void check(boolean ok, String what) {
        if (!ok) {
            throw new AssertionError(what);
        }
    }
}

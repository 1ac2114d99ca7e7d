package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.LittleEndian;
import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/// Parses one file and trusts nothing in it: every number is compared with what is really there before it sizes an
/// allocation, a loop or an address. What it returns can be used without further checks of the container.
///
/// ```
/// "GGUF" | version u32 | tensors u64 | keys u64 | keys … | tensor records … | padding | data
/// ```
final class GgufParser {
    private static final int MAGIC = 0x46554747;
    private static final int DEFAULT_ALIGNMENT = 32;
    /// A key of one byte, its type and a value of one byte.
    private static final int SMALLEST_KEY_RECORD = 8 + 1 + 4 + 1;
    /// A name of one byte, one dimension, type and offset.
    private static final int SMALLEST_TENSOR_RECORD = 8 + 1 + 4 + 8 + 4 + 8;

    private final String file;
    private final MemorySegment bytes;
    private final Cursor in;

    private GgufParser(String file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
        this.in = new Cursor(file, bytes);
    }

    /// Parses the whole of `bytes`.
    ///
    /// @param file name for messages
    /// @throws PanamoeException naming the first fault
    static GgufPart parse(String file, MemorySegment bytes) {
        return new GgufParser(file, bytes).parse();
    }

    private GgufPart parse() {
        int version = version();
        in.reading("the header");
        long tensorCount = in.u64();
        long keyCount = in.u64();
        checkCount("metadata keys", keyCount, SMALLEST_KEY_RECORD, Limits.KEYS);
        checkCount("tensors", tensorCount, SMALLEST_TENSOR_RECORD, Limits.TENSORS);

        Metadata metadata = new Metadata(file, keys((int) keyCount));
        int alignment = alignment(metadata);
        List<TensorInfo> infos = infos((int) tensorCount);
        long dataStart = alignUp(in.position(), alignment);
        long end = checkLayout(infos, dataStart, alignment);
        List<TensorView> tensors = new ArrayList<>(infos.size());
        for (TensorInfo info : infos) {
            MemorySegment data = bytes.asSlice(dataStart + info.offset, info.size);
            tensors.add(new TensorView(info.name, info.type, info.shape, data));
        }
        long unused = Math.max(0, bytes.byteSize() - alignUp(end, alignment));
        return new GgufPart(file, version, metadata, List.copyOf(tensors), bytes, unused);
    }

    private int version() {
        if (bytes.byteSize() == 0) {
            throw in.fault("the file is empty; download it again");
        }
        if (bytes.byteSize() < 4 || bytes.get(LittleEndian.I32, 0) != MAGIC) {
            throw in.fault(ForeignFormat.explain(bytes));
        }
        in.take(4);
        in.reading("the version");
        int version = in.u32();
        if (version == 1) {
            throw in.fault("GGUF version 1 is no longer supported; get a file of version 2 or 3");
        }
        if (version != 0 && (version & 0xffff) == 0) {
            throw in.fault("the file is big-endian; get the little-endian version of the model");
        }
        if (version != 2 && version != 3) {
            throw in.fault("GGUF version " + Integer.toUnsignedString(version)
                    + " is unknown; versions 2 and 3 are supported, the file is damaged or too new");
        }
        return version;
    }

    private void checkCount(String what, long count, int smallest, int limit) {
        if (count < 0 || count > limit) {
            throw in.fault("the header claims " + Long.toUnsignedString(count) + " " + what + ", the limit is " + limit
                    + "; the file is damaged");
        }
        if (count * smallest > in.remaining()) {
            throw in.fault("the header claims " + count + " " + what + ", which " + in.remaining()
                    + " bytes cannot hold; the file is truncated or damaged, download it again");
        }
    }

    private Map<String, Value> keys(int count) {
        Map<String, Value> values = new LinkedHashMap<>();
        long keyBytes = 0;
        for (int i = 0; i < count; i++) {
            in.reading("metadata key " + (i + 1) + " of " + count);
            MemorySegment raw = in.string(Limits.KEY_BYTES, "the name");
            keyBytes += raw.byteSize();
            if (keyBytes > Limits.ALL_KEY_BYTES) {
                throw in.fault(
                        "the metadata keys take more than " + Limits.ALL_KEY_BYTES + " bytes; the file is damaged");
            }
            String key = name(raw, "metadata key " + (i + 1));
            in.reading("the value of key " + shown(key));
            Value value = value(key, in.u32());
            if (values.putIfAbsent(key, value) != null) {
                throw in.fault("the metadata key " + shown(key) + " occurs twice; the file is damaged");
            }
        }
        return values;
    }

    private Value value(String key, int typeId) {
        ValueType type = valueType(key, typeId);
        return switch (type) {
            case STRING -> new Value.Text(in.string(Limits.STRING_BYTES, "the length"));
            case ARRAY -> array(key);
            default -> Value.scalar(type, in.take(type.bytes), 0);
        };
    }

    private ValueType valueType(String key, int typeId) {
        return ValueType.byId(typeId)
                .orElseThrow(() -> in.fault("key " + shown(key) + " has the unknown value type "
                        + Integer.toUnsignedString(typeId) + "; the file is damaged or too new"));
    }

    private Value array(String key) {
        ValueType element = valueType(key, in.u32());
        if (element == ValueType.ARRAY) {
            throw in.fault("key " + shown(key) + " is an array of arrays, which is not supported");
        }
        long count = in.u64();
        boolean strings = element == ValueType.STRING;
        long limit = strings ? Limits.HEAP_ARRAY : Limits.ARRAY;
        if (count < 0 || count > limit) {
            throw in.fault("the array of key " + shown(key) + " claims " + Long.toUnsignedString(count)
                    + " entries, the limit is " + limit + "; the file is damaged");
        }
        long smallest = strings ? 8 : element.bytes;
        if (count * smallest > in.remaining()) {
            throw in.fault("the array of key " + shown(key) + " claims " + count + " entries of type " + element
                    + ", which " + in.remaining()
                    + " bytes cannot hold; the file is truncated or damaged, download it again");
        }
        return strings ? strings((int) count) : new Value.Numbers(element, count, in.take(count * element.bytes));
    }

    private Value strings(int count) {
        long start = in.position();
        long[] index = StringArray.newIndex(count);
        for (int i = 0; i < count; i++) {
            if (i % StringArray.STRIDE == 0) {
                index[i / StringArray.STRIDE] = in.position() - start;
            }
            in.skipString(Limits.STRING_BYTES, "a string");
        }
        MemorySegment all = bytes.asSlice(start, in.position() - start);
        return new Value.Texts(new StringArray(all, count, index));
    }

    private int alignment(Metadata metadata) {
        OptionalLong found = metadata.findLong("general.alignment");
        long alignment = found.orElse(DEFAULT_ALIGNMENT);
        if (alignment < 1 || alignment > Limits.ALIGNMENT || Long.bitCount(alignment) != 1) {
            throw in.fault("general.alignment is " + alignment + ", expected a power of two up to " + Limits.ALIGNMENT);
        }
        return (int) alignment;
    }

    private record TensorInfo(String name, QuantType type, Shape shape, long offset, long size) {}

    private List<TensorInfo> infos(int count) {
        List<TensorInfo> infos = new ArrayList<>(count);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            in.reading("tensor record " + (i + 1) + " of " + count);
            String name = name(in.string(Limits.TENSOR_NAME_BYTES, "the name"), "the name of tensor " + (i + 1));
            if (!names.add(name)) {
                throw tensorFault(name, "two tensors have this name; the file is damaged");
            }
            in.reading("the record of tensor " + name);
            infos.add(info(name));
        }
        return infos;
    }

    private TensorInfo info(String name) {
        int dimensions = in.u32();
        if (dimensions < 1 || dimensions > Limits.DIMENSIONS) {
            throw tensorFault(
                    name,
                    Integer.toUnsignedString(dimensions) + " dimensions, expected 1 to " + Limits.DIMENSIONS
                            + "; the file is damaged");
        }
        List<Long> dims = new ArrayList<>(dimensions);
        for (int i = 0; i < dimensions; i++) {
            dims.add(in.u64());
        }
        int typeId = in.u32();
        long offset = in.u64();
        Shape shape = shape(name, dims);
        QuantType type =
                QuantType.byId(typeId).orElseThrow(() -> tensorFault(name, "has " + TensorTypes.explain(typeId)));
        if (shape.cols() % type.blockSize() != 0) {
            throw tensorFault(
                    name,
                    "a row of " + shape.cols() + " values is no whole number of the " + type.blockSize()
                            + "-value blocks of " + type + "; the file is damaged");
        }
        try {
            return new TensorInfo(name, type, shape, offset, TensorView.byteSize(type, shape));
        } catch (ArithmeticException e) {
            throw tensorFault(name, "the size of " + type + " " + shape + " overflows; the file is damaged", e);
        }
    }

    private Shape shape(String name, List<Long> dims) {
        for (long dim : dims) {
            if (dim < 1) {
                throw tensorFault(
                        name, "dimension " + Long.toUnsignedString(dim) + " is impossible; the file is damaged");
            }
        }
        try {
            return new Shape(dims);
        } catch (ArithmeticException e) {
            throw tensorFault(name, "the dimensions " + dims + " overflow; the file is damaged", e);
        }
    }

    /// Checks that all tensors lie in the data section, aligned and apart from each other.
    ///
    /// @return end of the last one, counted from the start of the file
    private long checkLayout(List<TensorInfo> infos, long dataStart, int alignment) {
        long dataSize = Math.max(0, bytes.byteSize() - dataStart);
        for (TensorInfo info : infos) {
            if (info.offset < 0 || info.offset % alignment != 0) {
                throw tensorFault(
                        info.name,
                        "its data offset " + Long.toUnsignedString(info.offset) + " is no multiple of the alignment "
                                + alignment + "; the file is damaged");
            }
            if (info.size > dataSize || info.offset > dataSize - info.size) {
                throw tensorFault(
                        info.name,
                        info.size + " bytes at data offset " + info.offset + " reach beyond the " + dataSize
                                + " bytes of data; the file is truncated, download it again");
            }
        }
        List<TensorInfo> placed = new ArrayList<>(infos);
        placed.sort(Comparator.comparingLong(TensorInfo::offset));
        for (int i = 1; i < placed.size(); i++) {
            TensorInfo before = placed.get(i - 1);
            if (before.offset + before.size > placed.get(i).offset) {
                throw tensorFault(
                        placed.get(i).name, "its data overlaps that of " + before.name + "; the file is damaged");
            }
        }
        return placed.isEmpty() ? dataStart : dataStart + placed.getLast().offset + placed.getLast().size;
    }

    /// A key or tensor name: not empty, UTF-8, and printable, so that every later message may hold it.
    private String name(MemorySegment raw, String what) {
        if (raw.byteSize() == 0) {
            throw in.fault(what + " is empty; the file is damaged");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(raw.toArray(ValueLayout.JAVA_BYTE)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new PanamoeException(file + ": " + what + " is not valid UTF-8; the file is damaged", e);
        }
        if (!text.codePoints().allMatch(Printable::isPrintable)) {
            throw in.fault(what + " holds control characters: " + Printable.escape(text) + "; the file is damaged");
        }
        return text;
    }

    private PanamoeException tensorFault(String name, String message) {
        return in.fault("tensor " + name + ": " + message);
    }

    private PanamoeException tensorFault(String name, String message, Throwable cause) {
        return new PanamoeException(file + ": tensor " + name + ": " + message, cause);
    }

    /// Keys may be long; messages are not.
    private static String shown(String key) {
        return Printable.escape(key, 100);
    }

    private static long alignUp(long value, int alignment) {
        return (value + alignment - 1) & -alignment;
    }
}

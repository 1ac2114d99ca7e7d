package dev.panamoe.gguf;

import dev.panamoe.tensor.QuantType;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/// Writes small GGUF files for tests: sound ones by default, and any fault on request, since nothing is checked. It
/// shares no code with the reader.
public final class GgufWriter {
    private static final class Tensor {
        final byte[] beforeOffset;
        final OptionalLong offset;
        final byte[] data;

        Tensor(byte[] beforeOffset, OptionalLong offset, byte[] data) {
            this.beforeOffset = beforeOffset;
            this.offset = offset;
            this.data = data;
        }
    }

    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final List<Tensor> tensors = new ArrayList<>();
    private long keyCount;
    private int version = 3;
    private int alignment = 32;
    private OptionalLong claimedKeys = OptionalLong.empty();
    private OptionalLong claimedTensors = OptionalLong.empty();

    /// An empty file of version 3 with the default alignment.
    public GgufWriter() {}

    /// The version number that is written.
    public GgufWriter version(int number) {
        version = number;
        return this;
    }

    /// Sets the padding, and writes the key `general.alignment`.
    public GgufWriter alignment(int bytes) {
        alignment = bytes;
        return raw("general.alignment", 4, le(4, bytes));
    }

    /// Writes this number of keys into the header instead of the true one.
    public GgufWriter claimKeys(long count) {
        claimedKeys = OptionalLong.of(count);
        return this;
    }

    /// Writes this number of tensors into the header instead of the true one.
    public GgufWriter claimTensors(long count) {
        claimedTensors = OptionalLong.of(count);
        return this;
    }

    /// A key with a type chosen by the value's class: Byte int8, Short int16, Integer uint32, Long uint64, Float,
    /// Double, Boolean, String, and arrays int[] (int32), float[], boolean[], String[].
    public GgufWriter key(String key, Object value) {
        return switch (value) {
            case Byte v -> raw(key, 1, le(1, v));
            case Short v -> raw(key, 3, le(2, v));
            case Integer v -> raw(key, 4, le(4, v));
            case Long v -> raw(key, 10, le(8, v));
            case Float v -> raw(key, 6, le(4, Float.floatToRawIntBits(v)));
            case Double v -> raw(key, 12, le(8, Double.doubleToRawLongBits(v)));
            case Boolean v -> raw(key, 7, le(1, v ? 1 : 0));
            case String v -> raw(key, 8, string(v));
            case int[] v -> {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                for (int i : v) {
                    out.writeBytes(le(4, i));
                }
                yield array(key, 5, v.length, out.toByteArray());
            }
            case float[] v -> {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                for (float f : v) {
                    out.writeBytes(le(4, Float.floatToRawIntBits(f)));
                }
                yield array(key, 6, v.length, out.toByteArray());
            }
            case boolean[] v -> {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                for (boolean b : v) {
                    out.write(b ? 1 : 0);
                }
                yield array(key, 7, v.length, out.toByteArray());
            }
            case String[] v -> {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                for (String s : v) {
                    out.writeBytes(string(s));
                }
                yield array(key, 8, v.length, out.toByteArray());
            }
            default -> throw new IllegalArgumentException(value.getClass().getName());
        };
    }

    /// A key of any type id with any bytes as its value.
    public GgufWriter raw(String key, int type, byte[] value) {
        return raw(key.getBytes(StandardCharsets.UTF_8), type, value);
    }

    /// A key whose name need not be UTF-8.
    public GgufWriter raw(byte[] key, int type, byte[] value) {
        keys.writeBytes(string(key));
        keys.writeBytes(le(4, type));
        keys.writeBytes(value);
        keyCount++;
        return this;
    }

    /// An array of any element type id, count and bytes.
    public GgufWriter array(String key, int elementType, long count, byte[] elements) {
        return raw(key, 9, concat(le(4, elementType), le(8, count), elements));
    }

    /// A tensor of the right size, all bytes the same.
    public GgufWriter tensor(String name, QuantType type, long... dims) {
        byte[] data = new byte[Math.toIntExact(TensorView.byteSize(type, Shape.of(dims)))];
        Arrays.fill(data, (byte) (tensors.size() + 1));
        return rawTensor(name, dims.length, dims, type.id(), OptionalLong.empty(), data);
    }

    /// A tensor with these bytes.
    public GgufWriter tensor(String name, QuantType type, byte[] data, long... dims) {
        return rawTensor(name, dims.length, dims, type.id(), OptionalLong.empty(), data);
    }

    /// A tensor record of any content. Without an offset it is placed behind the one before.
    public GgufWriter rawTensor(String name, int nDims, long[] dims, int type, OptionalLong offset, byte[] data) {
        byte[] record = concat(string(name), le(4, nDims));
        for (long d : dims) {
            record = concat(record, le(8, d));
        }
        tensors.add(new Tensor(concat(record, le(4, type)), offset, data.clone()));
        return this;
    }

    /// The whole file.
    public byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(le(4, version));
        out.writeBytes(le(8, claimedTensors.orElse(tensors.size())));
        out.writeBytes(le(8, claimedKeys.orElse(keyCount)));
        out.writeBytes(keys.toByteArray());
        long next = 0;
        for (Tensor t : tensors) {
            out.writeBytes(t.beforeOffset);
            out.writeBytes(le(8, t.offset.orElse(next)));
            next += aligned(t.data.length);
        }
        pad(out);
        for (Tensor t : tensors) {
            out.writeBytes(t.data);
            pad(out);
        }
        return out.toByteArray();
    }

    /// Writes the file.
    public Path write(Path path) {
        try {
            return Files.write(path, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The low `size` bytes of a number, little-endian.
    public static byte[] le(int size, long value) {
        byte[] all = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        return Arrays.copyOf(all, size);
    }

    /// A string as the format has it.
    public static byte[] string(String text) {
        return string(text.getBytes(StandardCharsets.UTF_8));
    }

    /// As [#string(String)], of any bytes.
    public static byte[] string(byte[] text) {
        return concat(le(8, text.length), text);
    }

    public static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private long aligned(long size) {
        return (size + alignment - 1) / alignment * alignment;
    }

    private void pad(ByteArrayOutputStream out) {
        out.writeBytes(new byte[(int) (aligned(out.size()) - out.size())]);
    }
}

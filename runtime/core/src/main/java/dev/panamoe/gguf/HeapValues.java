package dev.panamoe.gguf;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Lays out Java values as a file would hold them, so that one reader serves both.
final class HeapValues {
    private HeapValues() {}

    static Map<String, Value> of(Map<String, Object> values) {
        Map<String, Value> out = new LinkedHashMap<>();
        values.forEach((key, value) -> out.put(key, value(key, value)));
        return out;
    }

    private static Value value(String key, Object value) {
        return switch (value) {
            case Byte v -> new Value.Whole(ValueType.INT8, v);
            case Short v -> new Value.Whole(ValueType.INT16, v);
            case Integer v -> new Value.Whole(ValueType.INT32, v);
            case Long v -> new Value.Whole(ValueType.INT64, v);
            case Float v -> new Value.Real(ValueType.FLOAT32, v);
            case Double v -> new Value.Real(ValueType.FLOAT64, v);
            case Boolean v -> new Value.Flag(v);
            case String v -> new Value.Text(MemorySegment.ofArray(utf8(v)));
            case byte[] v -> new Value.Numbers(ValueType.INT8, v.length, MemorySegment.ofArray(v.clone()));
            case short[] v -> {
                ByteBuffer b = buffer(2L * v.length);
                b.asShortBuffer().put(v);
                yield numbers(ValueType.INT16, b);
            }
            case int[] v -> {
                ByteBuffer b = buffer(4L * v.length);
                b.asIntBuffer().put(v);
                yield numbers(ValueType.INT32, b);
            }
            case long[] v -> {
                ByteBuffer b = buffer(8L * v.length);
                b.asLongBuffer().put(v);
                yield numbers(ValueType.INT64, b);
            }
            case float[] v -> {
                ByteBuffer b = buffer(4L * v.length);
                b.asFloatBuffer().put(v);
                yield numbers(ValueType.FLOAT32, b);
            }
            case double[] v -> {
                ByteBuffer b = buffer(8L * v.length);
                b.asDoubleBuffer().put(v);
                yield numbers(ValueType.FLOAT64, b);
            }
            case boolean[] v -> {
                ByteBuffer b = buffer(v.length);
                for (boolean on : v) {
                    b.put((byte) (on ? 1 : 0));
                }
                yield numbers(ValueType.BOOL, b);
            }
            case String[] v -> texts(List.of(v).stream().map(HeapValues::utf8).toList());
            case byte[][] v -> texts(List.of(v));
            case List<?> v -> texts(v.stream().map(s -> utf8((String) s)).toList());
            default ->
                throw new IllegalArgumentException(key + ": " + value.getClass().getName() + " is no metadata value");
        };
    }

    private static Value texts(List<byte[]> texts) {
        ByteBuffer b = buffer(texts.stream().mapToLong(t -> 8 + t.length).sum());
        long[] index = StringArray.newIndex(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            if (i % StringArray.STRIDE == 0) {
                index[i / StringArray.STRIDE] = b.position();
            }
            b.putLong(texts.get(i).length).put(texts.get(i));
        }
        return new Value.Texts(new StringArray(MemorySegment.ofBuffer(b.clear()), texts.size(), index));
    }

    private static Value numbers(ValueType type, ByteBuffer b) {
        MemorySegment bytes = MemorySegment.ofBuffer(b.clear());
        return new Value.Numbers(type, bytes.byteSize() / type.bytes, bytes);
    }

    private static ByteBuffer buffer(long size) {
        return ByteBuffer.allocate(Math.toIntExact(size)).order(LittleEndian.I64.order());
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

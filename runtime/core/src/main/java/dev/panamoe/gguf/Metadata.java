package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/// The keys and values of a model file, read by the type that the caller needs. Converters write the same key with
/// different widths and signs, so any integer type serves an integer key as long as the value is in range. A value of
/// the wrong kind or out of range is a [PanamoeException] that names file and key.
///
/// Texts and arrays stay in the mapped file: reading them after the file was closed throws [IllegalStateException].
/// Immutable, may be shared by threads.
public final class Metadata {
    private final String source;
    private final Map<String, Value> values;

    /// @param values checked values in file order; not copied
    Metadata(String source, Map<String, Value> values) {
        this.source = source;
        this.values = Collections.unmodifiableMap(values);
    }

    /// Metadata that comes from no file. A value is a number, a `Boolean`, a `String`, an array of primitives
    /// (`byte[]` as int8), a `String[]`, a `byte[][]` of raw texts, or a list of strings.
    ///
    /// @param source name for messages
    /// @throws IllegalArgumentException when a value is of another class
    public static Metadata of(String source, Map<String, Object> values) {
        return new Metadata(source, HeapValues.of(values));
    }

    /// An array of texts, read in place. Entries of a vocabulary need not be valid UTF-8.
    public interface Strings {
        /// Number of entries.
        int size();

        /// A copy of the bytes of entry `i`.
        ///
        /// @throws IndexOutOfBoundsException when there is no such entry
        byte[] bytes(int i);

        /// Entry `i` as text, with U+FFFD in place of bytes that are not UTF-8.
        ///
        /// @throws IndexOutOfBoundsException when there is no such entry
        String get(int i);
    }

    /// File name, for messages.
    public String source() {
        return source;
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /// All keys in file order.
    public Set<String> keys() {
        return values.keySet();
    }

    public Optional<String> findString(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case Value.Text text -> Optional.of(text.string());
            case Value other -> throw wrong(key, other, "a string");
        };
    }

    public String string(String key) {
        return findString(key).orElseThrow(() -> missing(key));
    }

    public OptionalLong findLong(String key) {
        return switch (values.get(key)) {
            case null -> OptionalLong.empty();
            case Value value -> OptionalLong.of(whole(key, value, Long.MIN_VALUE, Long.MAX_VALUE));
        };
    }

    public OptionalInt findInt(String key) {
        return switch (values.get(key)) {
            case null -> OptionalInt.empty();
            case Value value -> OptionalInt.of((int) whole(key, value, Integer.MIN_VALUE, Integer.MAX_VALUE));
        };
    }

    public int integer(String key) {
        return findInt(key).orElseThrow(() -> missing(key));
    }

    public int integer(String key, int otherwise) {
        return findInt(key).orElse(otherwise);
    }

    /// A finite number, of a float or an integer type.
    public OptionalDouble findFloat(String key) {
        Value value = values.get(key);
        if (value == null) {
            return OptionalDouble.empty();
        }
        double number = number(key, value);
        if (!Double.isFinite(number)) {
            throw fault(key, "is " + number + ", expected a finite number");
        }
        return OptionalDouble.of(number);
    }

    public float real(String key) {
        return (float) findFloat(key).orElseThrow(() -> missing(key));
    }

    public float real(String key, float otherwise) {
        return (float) findFloat(key).orElse(otherwise);
    }

    /// A bool, or an integer 0 or 1.
    public boolean bool(String key, boolean otherwise) {
        Value value = values.get(key);
        return value == null ? otherwise : flag(key, value);
    }

    /// One integer per layer: a scalar stands for all, an array must have at least `count` entries, of which the first
    /// `count` are taken. Bools count as 0 and 1.
    public int[] ints(String key, int count) {
        int[] out = new int[count];
        Value value = require(key);
        for (int i = 0; i < count; i++) {
            Value entry = entry(key, value, i, count);
            out[i] = entry instanceof Value.Flag(boolean on)
                    ? on ? 1 : 0
                    : (int) whole(key, entry, Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        return out;
    }

    /// One bool per layer, as [#ints] has it.
    public boolean[] bools(String key, int count) {
        boolean[] out = new boolean[count];
        Value value = require(key);
        for (int i = 0; i < count; i++) {
            out[i] = flag(key, entry(key, value, i, count));
        }
        return out;
    }

    /// A whole array of numbers as float32; the entries need not be finite.
    public float[] floats(String key) {
        Value.Numbers array = numbers(key, "an array of numbers");
        float[] out = new float[(int) array.count()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) number(key, array.at(i));
        }
        return out;
    }

    /// A whole array of integers.
    public int[] intArray(String key) {
        Value.Numbers array = numbers(key, "an array of integers");
        int[] out = new int[(int) array.count()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (int) whole(key, array.at(i), Integer.MIN_VALUE, Integer.MAX_VALUE);
        }
        return out;
    }

    /// An array of texts, not copied.
    public Strings strings(String key) {
        return findStrings(key).orElseThrow(() -> missing(key));
    }

    public Optional<Strings> findStrings(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case Value.Texts texts -> Optional.of(texts.strings());
            // an empty array may have been written with any element type
            case Value.Numbers none
            when none.count() == 0 -> Optional.of(new StringArray(none.bytes(), 0, new long[0]));
            case Value other -> throw wrong(key, other, "an array of strings");
        };
    }

    /// What `inspect` shows of every key, in file order.
    ///
    /// @param items entries of an array to show
    /// @param chars characters of a text to show
    public List<MetadataEntry> describe(int items, int chars) {
        List<MetadataEntry> out = new ArrayList<>(values.size());
        values.forEach((key, value) -> out.add(MetadataEntry.of(key, value, items, chars)));
        return out;
    }

    private Value require(String key) {
        Value value = values.get(key);
        if (value == null) {
            throw missing(key);
        }
        return value;
    }

    private Value entry(String key, Value value, int i, int count) {
        if (!(value instanceof Value.Numbers array)) {
            return value;
        }
        if (array.count() < count) {
            throw fault(key, "has " + array.count() + " entries, expected at least " + count);
        }
        return array.at(i);
    }

    private Value.Numbers numbers(String key, String expected) {
        Value value = require(key);
        if (!(value instanceof Value.Numbers array)) {
            // an empty array may have been written with any element type
            if (value instanceof Value.Texts(StringArray strings) && strings.size() == 0) {
                return new Value.Numbers(ValueType.INT32, 0, MemorySegment.NULL);
            }
            throw wrong(key, value, expected);
        }
        if (array.count() > Limits.HEAP_ARRAY) {
            throw fault(key, "has " + array.count() + " entries, the limit is " + Limits.HEAP_ARRAY);
        }
        return array;
    }

    private long whole(String key, Value value, long min, long max) {
        if (!(value instanceof Value.Whole number)) {
            throw wrong(key, value, "an integer");
        }
        if (number.isHuge() || number.bits() < min || number.bits() > max) {
            throw fault(key, "is " + number + ", expected an integer from " + min + " to " + max);
        }
        return number.bits();
    }

    private double number(String key, Value value) {
        return switch (value) {
            case Value.Real(var type, double number) -> number;
            case Value.Whole number when number.isHuge() -> number.bits() + 0x1p64;
            case Value.Whole number -> number.bits();
            default -> throw wrong(key, value, "a number");
        };
    }

    private boolean flag(String key, Value value) {
        return switch (value) {
            case Value.Flag(boolean on) -> on;
            case Value.Whole(var type, long bits) when bits == 0 || bits == 1 -> bits == 1;
            default -> throw wrong(key, value, "a bool");
        };
    }

    private PanamoeException missing(String key) {
        return fault(key, "is missing; the file is incomplete or of another kind than expected");
    }

    private PanamoeException wrong(String key, Value found, String expected) {
        return fault(key, "is of type " + found.typeName() + ", expected " + expected);
    }

    private PanamoeException fault(String key, String message) {
        return new PanamoeException(source + ": metadata key " + key + " " + message);
    }
}

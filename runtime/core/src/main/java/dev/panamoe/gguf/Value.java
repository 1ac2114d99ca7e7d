package dev.panamoe.gguf;

import dev.panamoe.tensor.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/// A checked metadata value. Scalars stand here; texts and arrays are only where they lie in the file.
sealed interface Value {
    /// How messages name the type.
    String typeName();

    /// @param bits the value, extended to 64 bits by the sign of `type`; a uint64 beyond 2^63 appears negative
    record Whole(ValueType type, long bits) implements Value {
        @Override
        public String typeName() {
            return type.toString();
        }

        /// Whether the value is beyond 2^63 - 1.
        boolean isHuge() {
            return type == ValueType.UINT64 && bits < 0;
        }

        @Override
        public String toString() {
            return isHuge() ? Long.toUnsignedString(bits) : Long.toString(bits);
        }
    }

    record Real(ValueType type, double value) implements Value {
        @Override
        public String typeName() {
            return type.toString();
        }
    }

    record Flag(boolean value) implements Value {
        @Override
        public String typeName() {
            return ValueType.BOOL.toString();
        }
    }

    /// @param bytes the text without its length
    record Text(MemorySegment bytes) implements Value {
        @Override
        public String typeName() {
            return ValueType.STRING.toString();
        }

        String string() {
            return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }

    /// @param element type of all entries, of fixed size
    /// @param count number of entries
    /// @param bytes the entries, one after the other
    record Numbers(ValueType element, long count, MemorySegment bytes) implements Value {
        @Override
        public String typeName() {
            return element + "[]";
        }

        /// Entry `i` as a scalar.
        Value at(long i) {
            return scalar(element, bytes, i * element.bytes);
        }
    }

    record Texts(StringArray strings) implements Value {
        @Override
        public String typeName() {
            return ValueType.STRING + "[]";
        }
    }

    /// Reads a value of fixed size.
    static Value scalar(ValueType type, MemorySegment s, long offset) {
        return switch (type) {
            case UINT8 -> new Whole(type, LittleEndian.u8(s, offset));
            case INT8 -> new Whole(type, s.get(LittleEndian.I8, offset));
            case UINT16 -> new Whole(type, LittleEndian.u16(s, offset));
            case INT16 -> new Whole(type, s.get(LittleEndian.I16, offset));
            case UINT32 -> new Whole(type, Integer.toUnsignedLong(s.get(LittleEndian.I32, offset)));
            case INT32 -> new Whole(type, s.get(LittleEndian.I32, offset));
            case UINT64, INT64 -> new Whole(type, s.get(LittleEndian.I64, offset));
            case FLOAT32 -> new Real(type, s.get(LittleEndian.F32, offset));
            case FLOAT64 -> new Real(type, s.get(LittleEndian.F64, offset));
            case BOOL -> new Flag(s.get(LittleEndian.I8, offset) != 0);
            case STRING, ARRAY -> throw new IllegalArgumentException(type + " has no fixed size");
        };
    }
}

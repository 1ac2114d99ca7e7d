package dev.panamoe.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// One metadata key as it can be shown: a bounded part of its value.
///
/// @param key name; printable
/// @param type `uint32`, `string`, `float32[]`, …
/// @param array whether the value is an array
/// @param count entries of the array; 1 for a scalar
/// @param values the scalar, or the first entries: `Long`, `BigInteger` (beyond 2^63), `Float`, `Double`, `Boolean`, or
///     `String`. Texts are cut but not escaped: a JSON writer does that; for a terminal there is [#text]
/// @param cut whether entries or characters were left out
public record MetadataEntry(String key, String type, boolean array, long count, List<Object> values, boolean cut) {
    public MetadataEntry {
        values = List.copyOf(values);
    }

    /// The value on one line without control characters: `[1, 2, 3, … 12 entries]`.
    public String text() {
        String shown = values.stream()
                .map(v -> v instanceof String s ? Printable.escape(s, Integer.MAX_VALUE) : v.toString())
                .collect(Collectors.joining(", "));
        if (!array) {
            return cut ? shown + "…" : shown;
        }
        return values.size() < count ? "[" + shown + ", … " + count + " entries]" : "[" + shown + "]";
    }

    static MetadataEntry of(String key, Value value, int items, int chars) {
        List<Object> shown = new ArrayList<>();
        boolean cut = false;
        long count = 1;
        boolean array = false;
        switch (value) {
            case Value.Text(MemorySegment bytes) -> cut = addText(shown, bytes, chars);
            case Value.Numbers numbers -> {
                array = true;
                count = numbers.count();
                for (int i = 0; i < Math.min(items, count); i++) {
                    shown.add(plain(numbers.at(i)));
                }
            }
            case Value.Texts(StringArray strings) -> {
                array = true;
                count = strings.size();
                for (int i = 0; i < Math.min(items, count); i++) {
                    cut |= addText(shown, strings.segment(i), chars);
                }
            }
            case Value.Whole number -> shown.add(plain(number));
            case Value.Real number -> shown.add(plain(number));
            case Value.Flag flag -> shown.add(plain(flag));
        }
        return new MetadataEntry(key, value.typeName(), array, count, shown, cut || shown.size() < count);
    }

    /// Adds the first characters of a text and says whether there were more.
    private static boolean addText(List<Object> shown, MemorySegment bytes, int chars) {
        // a character takes at most four bytes, so this is enough and never much
        long taken = Math.min(bytes.byteSize(), 4L * chars);
        String text = new String(bytes.asSlice(0, taken).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        boolean cut = taken < bytes.byteSize() || text.codePointCount(0, text.length()) > chars;
        int end = text.codePointCount(0, text.length()) > chars ? text.offsetByCodePoints(0, chars) : text.length();
        shown.add(text.substring(0, end));
        return cut;
    }

    private static Object plain(Value scalar) {
        return switch (scalar) {
            case Value.Whole number when number.isHuge() -> new BigInteger(number.toString());
            case Value.Whole number -> number.bits();
            case Value.Real(ValueType type, double number) when type == ValueType.FLOAT32 -> (float) number;
            case Value.Real(ValueType type, double number) -> number;
            case Value.Flag(boolean on) -> on;
            case Value.Text _, Value.Numbers _, Value.Texts _ -> throw new IllegalArgumentException("no number");
        };
    }
}

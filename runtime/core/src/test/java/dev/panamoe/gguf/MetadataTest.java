package dev.panamoe.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.panamoe.PanamoeException;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class MetadataTest {
    private static Metadata parse(GgufWriter writer) {
        return GgufFile.ofMemory("m.gguf", MemorySegment.ofArray(writer.bytes()))
                .metadata();
    }

    private static void assertFault(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOf(PanamoeException.class)
                .hasMessageStartingWith("m.gguf: ")
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsEveryScalarType() {
        Metadata m = parse(new GgufWriter()
                .raw("u8", 0, GgufWriter.le(1, 200))
                .raw("i8", 1, GgufWriter.le(1, -100))
                .raw("u16", 2, GgufWriter.le(2, 60_000))
                .raw("i16", 3, GgufWriter.le(2, -30_000))
                .raw("u32", 4, GgufWriter.le(4, 2_000_000_000))
                .raw("i32", 5, GgufWriter.le(4, -2_000_000_000))
                .raw("f32", 6, GgufWriter.le(4, Float.floatToIntBits(0.1f)))
                .raw("bool", 7, new byte[] {1})
                .raw("odd bool", 7, new byte[] {77})
                .raw("string", 8, GgufWriter.string("žluť 🐎"))
                .raw("u64", 10, GgufWriter.le(8, 1L << 40))
                .raw("i64", 11, GgufWriter.le(8, -(1L << 40)))
                .raw("f64", 12, GgufWriter.le(8, Double.doubleToLongBits(0.1))));

        assertThat(m.keys())
                .containsExactly(
                        "u8",
                        "i8",
                        "u16",
                        "i16",
                        "u32",
                        "i32",
                        "f32",
                        "bool",
                        "odd bool",
                        "string",
                        "u64",
                        "i64",
                        "f64");
        assertThat(List.of(
                        m.integer("u8"),
                        m.integer("i8"),
                        m.integer("u16"),
                        m.integer("i16"),
                        m.integer("u32"),
                        m.integer("i32")))
                .containsExactly(200, -100, 60_000, -30_000, 2_000_000_000, -2_000_000_000);
        assertThat(m.real("f32")).isEqualTo(0.1f);
        assertThat(m.findFloat("f64").orElseThrow()).isEqualTo(0.1);
        assertThat(m.bool("bool", false)).isTrue();
        assertThat(m.bool("odd bool", false)).isTrue();
        assertThat(m.string("string")).isEqualTo("žluť 🐎");
        assertThat(m.findLong("u64")).hasValue(1L << 40);
        assertThat(m.findLong("i64")).hasValue(-(1L << 40));
        assertThat(m.real("u16")).isEqualTo(60_000f);
        assertThat(m.has("u8")).isTrue();
        assertThat(m.has("u9")).isFalse();
        assertThat(m.source()).isEqualTo("m.gguf");
    }

    @Test
    void readsArraysOfEveryType() {
        GgufWriter w = new GgufWriter();
        int[] sizes = {1, 1, 2, 2, 4, 4, 0, 1, 0, 0, 8, 8};
        for (int type : new int[] {0, 1, 2, 3, 4, 5, 10, 11}) {
            w.array(
                    "whole" + type,
                    type,
                    3,
                    GgufWriter.concat(
                            GgufWriter.le(sizes[type], 5),
                            GgufWriter.le(sizes[type], 0),
                            GgufWriter.le(sizes[type], 100)));
        }
        w.array("f64", 12, 1, GgufWriter.le(8, Double.doubleToLongBits(1.5)));
        Metadata m = parse(w.key("f32", new float[] {1f, -2f, Float.NEGATIVE_INFINITY})
                .key("bools", new boolean[] {true, false, true})
                .key("strings", new String[] {"a", "", "ččč"}));

        for (int type : new int[] {0, 1, 2, 3, 4, 5, 10, 11}) {
            assertThat(m.intArray("whole" + type)).containsExactly(5, 0, 100);
            assertThat(m.floats("whole" + type)).containsExactly(5f, 0f, 100f);
        }
        assertThat(m.floats("f32")).containsExactly(1f, -2f, Float.NEGATIVE_INFINITY);
        assertThat(m.floats("f64")).containsExactly(1.5f);
        assertThat(m.bools("bools", 3)).containsExactly(true, false, true);
        assertThat(m.ints("bools", 3)).containsExactly(1, 0, 1);
        assertThat(m.strings("strings").size()).isEqualTo(3);
        assertThat(m.strings("strings").get(2)).isEqualTo("ččč");
    }

    @Test
    void keepsVocabularyEntriesByteForByteAcrossTheIndex() {
        byte[][] tokens = new byte[100][];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = new byte[i % 7];
            Arrays.fill(tokens[i], (byte) (0x80 + i));
        }
        byte[] all = new byte[0];
        for (byte[] token : tokens) {
            all = GgufWriter.concat(all, GgufWriter.string(token));
        }
        Metadata.Strings fromFile =
                parse(new GgufWriter().array("t", 8, tokens.length, all)).strings("t");
        Metadata.Strings fromHeap = Metadata.of("m", Map.of("t", tokens)).strings("t");
        for (int i = 0; i < tokens.length; i++) {
            assertThat(fromFile.bytes(i)).isEqualTo(tokens[i]);
            assertThat(fromHeap.bytes(i)).isEqualTo(tokens[i]);
        }
        assertThatThrownBy(() -> fromFile.bytes(100)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> fromFile.bytes(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void repeatsScalarsPerLayerAndTakesLongEnoughArrays() {
        Metadata m = Metadata.of("m.gguf", Map.of("one", 4, "many", new int[] {1, 2, 3}, "flag", true));
        assertThat(m.ints("one", 3)).containsExactly(4, 4, 4);
        assertThat(m.ints("many", 2)).containsExactly(1, 2);
        assertThat(m.bools("flag", 2)).containsExactly(true, true);
        assertFault(() -> m.ints("many", 4), "many", "3 entries", "at least 4");
    }

    @Test
    void refusesValuesOutOfRange() {
        Metadata m = parse(new GgufWriter()
                .key("big", 0xffff_ffff)
                .key("huge", -1L)
                .key("nan", Float.NaN)
                .key("inf", Double.POSITIVE_INFINITY)
                .key("two", 2)
                .array("bigs", 10, 1, GgufWriter.le(8, 1L << 31)));
        assertFault(() -> m.integer("big"), "big", "4294967295", "-2147483648 to 2147483647");
        assertThat(m.findLong("big")).hasValue(4294967295L);
        assertFault(() -> m.findLong("huge"), "huge", "18446744073709551615");
        assertThat(m.findFloat("huge").orElseThrow()).isEqualTo(0x1p64);
        assertFault(() -> m.real("nan"), "nan", "finite");
        assertFault(() -> m.real("inf", 1f), "inf", "finite");
        assertFault(() -> m.bool("two", true), "two", "expected a bool");
        assertFault(() -> m.intArray("bigs"), "bigs", "2147483648");
    }

    @Test
    void namesTheKeyWhenTheTypeIsWrong() {
        Metadata m = Metadata.of(
                "m.gguf", Map.of("s", "text", "i", 1, "f", 1.5f, "ints", new int[] {1}, "strings", new String[] {"a"}));
        assertFault(() -> m.integer("s"), "key s", "of type string", "an integer");
        assertFault(() -> m.integer("f"), "key f", "of type float32", "an integer");
        assertFault(() -> m.string("i"), "key i", "of type int32", "a string");
        assertFault(() -> m.real("s"), "key s", "a number");
        assertFault(() -> m.strings("ints"), "key ints", "int32[]", "an array of strings");
        assertFault(() -> m.intArray("strings"), "key strings", "string[]");
        assertFault(() -> m.floats("i"), "key i", "an array of numbers");
        assertFault(() -> m.string("strings"), "key strings", "string[]");
    }

    @Test
    void namesTheMissingKey() {
        Metadata m = Metadata.of("m.gguf", Map.of());
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> m.integer("k"),
                () -> m.string("k"),
                () -> m.real("k"),
                () -> m.ints("k", 1),
                () -> m.bools("k", 1),
                () -> m.floats("k"),
                () -> m.intArray("k"),
                () -> m.strings("k"))) {
            assertFault(call, "key k is missing");
        }
        assertThat(m.findInt("k")).isEmpty();
        assertThat(m.findLong("k")).isEmpty();
        assertThat(m.findFloat("k")).isEmpty();
        assertThat(m.findString("k")).isEmpty();
        assertThat(m.findStrings("k")).isEmpty();
        assertThat(m.integer("k", 7)).isEqualTo(7);
        assertThat(m.real("k", 7f)).isEqualTo(7f);
        assertThat(m.bool("k", true)).isTrue();
    }

    @Test
    void anEmptyArrayIsEmptyWhateverItsElementType() {
        Metadata m = Metadata.of("m.gguf", Map.of("ints", new int[0], "strings", new String[0]));
        assertThat(m.strings("ints").size()).isZero();
        assertThat(m.intArray("strings")).isEmpty();
        assertThat(m.floats("strings")).isEmpty();
    }

    @Test
    void takesEveryJavaValueItPromises() {
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("byte", (byte) -1);
        values.put("short", (short) -2);
        values.put("int", -3);
        values.put("long", -4L);
        values.put("float", 0.5f);
        values.put("double", 0.25);
        values.put("boolean", true);
        values.put("String", "s");
        values.put("byte[]", new byte[] {1});
        values.put("short[]", new short[] {2});
        values.put("int[]", new int[] {3});
        values.put("long[]", new long[] {4});
        values.put("float[]", new float[] {5});
        values.put("double[]", new double[] {6});
        values.put("boolean[]", new boolean[] {true});
        values.put("String[]", new String[] {"x", "y"});
        values.put("List", List.of("x", "y"));
        Metadata m = Metadata.of("m.gguf", values);
        assertThat(m.describe(4, 10))
                .extracting(e -> e.key() + " " + e.type() + " " + e.text())
                .containsExactly(
                        "byte int8 -1",
                        "short int16 -2",
                        "int int32 -3",
                        "long int64 -4",
                        "float float32 0.5",
                        "double float64 0.25",
                        "boolean bool true",
                        "String string s",
                        "byte[] int8[] [1]",
                        "short[] int16[] [2]",
                        "int[] int32[] [3]",
                        "long[] int64[] [4]",
                        "float[] float32[] [5.0]",
                        "double[] float64[] [6.0]",
                        "boolean[] bool[] [true]",
                        "String[] string[] [x, y]",
                        "List string[] [x, y]");
        assertThatThrownBy(() -> Metadata.of("m", Map.of("k", new Object())))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void describesWithinBoundsAndWithoutControlCharacters() {
        List<String> tokens = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            tokens.add("t" + i);
        }
        Metadata m = Metadata.of("m", new LinkedHashMap<>(Map.of("tokens", tokens)));
        MetadataEntry vocabulary = m.describe(3, 10).getFirst();
        assertThat(vocabulary)
                .isEqualTo(new MetadataEntry("tokens", "string[]", true, 1000, List.of("t0", "t1", "t2"), true));
        assertThat(vocabulary.text()).isEqualTo("[t0, t1, t2, … 1000 entries]");

        String hostile = "a\u001b[2J\nb\t\u202e\u0085" + "é🐎".repeat(1000);
        MetadataEntry text =
                Metadata.of("m", Map.of("k", hostile)).describe(3, 11).getFirst();
        assertThat(text.values()).containsExactly("a\u001b[2J\nb\t\u202e\u0085é");
        assertThat(text.cut()).isTrue();
        assertThat(text.text()).isEqualTo("a\\u{1b}[2J\\nb\\t\\u{202e}\\u{85}é…");

        MetadataEntry huge =
                parse(new GgufWriter().key("k", -1L)).describe(1, 1).getFirst();
        assertThat(huge.values()).containsExactly(new BigInteger("18446744073709551615"));
    }

    @Test
    void textsAreReadInPlace() {
        byte[] file = new GgufWriter().key("s", "abc").bytes();
        Metadata m = GgufFile.ofMemory("m.gguf", MemorySegment.ofArray(file)).metadata();
        int at = new String(file, StandardCharsets.ISO_8859_1).indexOf("abc");
        file[at] = 'X';
        assertThat(m.string("s")).isEqualTo("Xbc");
    }
}

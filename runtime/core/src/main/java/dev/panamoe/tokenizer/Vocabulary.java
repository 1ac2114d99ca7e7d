package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// The tokens of a model file: their texts, found by id and by text, and their types.
///
/// All texts stand one after the other in one array, and the index is a hash table of ids: a vocabulary of 262,144
/// tokens takes some 6 MB.
final class Vocabulary {
    /// The most tokens that a file may have, so that no file can ask for any amount of memory.
    private static final int MOST_TOKENS = 1 << 22;

    private static final int TYPE_NORMAL = 1;
    private static final int TYPE_UNKNOWN = 2;
    private static final int TYPE_CONTROL = 3;
    private static final int TYPE_USER_DEFINED = 4;
    private static final int TYPE_BYTE = 6;

    private static final int HASH_START = 0x811C9DC5; // FNV-1a

    private final String source;
    private final byte[] texts;
    private final int[] starts; // (size + 1)
    private final byte[] types;
    private final OptionalInt unknown;
    private final int longest; // bytes of the longest text
    private final int[] table; // id + 1, or 0 where empty

    private Vocabulary(Metadata metadata, byte[] texts, int[] starts, byte[] types) {
        this.source = metadata.source();
        this.texts = texts;
        this.starts = starts;
        this.types = types;
        table = new int[LongIntMap.tableSize(types.length)];
        for (int id = 0; id < types.length; id++) {
            // The last of equal texts is the one that is found, as in llama.cpp.
            table[slot(texts, starts[id], starts[id + 1])] = id + 1;
        }
        int most = 0;
        for (int id = 0; id < types.length; id++) {
            most = Math.max(most, length(id));
        }
        longest = most;
        // Converters of some files typed them wrongly; llama.cpp corrects the same.
        for (String marker : StopTokens.MARKERS) {
            int id = find(marker);
            if (id >= 0) {
                types[id] = TYPE_CONTROL;
            }
        }
        unknown = named(metadata, "unknown").isPresent() ? named(metadata, "unknown") : firstUnknown();
    }

    private OptionalInt firstUnknown() {
        return IntStream.range(0, types.length)
                .filter(id -> types[id] == TYPE_UNKNOWN)
                .findFirst();
    }

    /// @throws PanamoeException when the arrays are missing, empty, too large or do not fit each other
    static Vocabulary of(Metadata metadata) {
        Metadata.Strings tokens = metadata.strings("tokenizer.ggml.tokens");
        int size = tokens.size();
        if (size == 0 || size > MOST_TOKENS) {
            throw new PanamoeException(metadata.source() + ": tokenizer.ggml.tokens has " + size
                    + " entries, expected 1 to " + MOST_TOKENS + "; the file is damaged or not a language model");
        }
        byte[] types = types(metadata, size);
        byte[] texts = new byte[size * 8];
        int[] starts = new int[size + 1];
        for (int id = 0; id < size; id++) {
            byte[] text = tokens.bytes(id);
            long end = (long) starts[id] + text.length;
            if (end > Integer.MAX_VALUE / 2) {
                throw new PanamoeException(metadata.source()
                        + ": the texts of tokenizer.ggml.tokens are larger than 1 GiB; the file is damaged");
            }
            if (end > texts.length) {
                texts = Arrays.copyOf(texts, (int) end * 2);
            }
            System.arraycopy(text, 0, texts, starts[id], text.length);
            starts[id + 1] = (int) end;
        }
        return new Vocabulary(metadata, Arrays.copyOf(texts, starts[size]), starts, types);
    }

    private static byte[] types(Metadata metadata, int size) {
        String key = "tokenizer.ggml.token_type";
        byte[] types = new byte[size];
        Arrays.fill(types, (byte) TYPE_NORMAL);
        if (metadata.has(key)) {
            int[] read = metadata.intArray(key);
            if (read.length < size) {
                throw new PanamoeException(metadata.source() + ": " + key + " has " + read.length + " entries for "
                        + size + " tokens; the file is damaged");
            }
            for (int id = 0; id < size; id++) {
                int type = read[id];
                boolean known = (type >= TYPE_UNKNOWN && type <= TYPE_USER_DEFINED) || type == TYPE_BYTE;
                types[id] = (byte) (known ? type : TYPE_NORMAL);
            }
        }
        return types;
    }

    String source() {
        return source;
    }

    int size() {
        return types.length;
    }

    /// Bytes of the token's text.
    int length(int id) {
        return starts[id + 1] - starts[id];
    }

    /// Bytes of the longest text.
    int longest() {
        return longest;
    }

    byte[] bytes(int id) {
        check(id);
        return Arrays.copyOfRange(texts, starts[id], starts[id + 1]);
    }

    String text(int id) {
        check(id);
        return new String(texts, starts[id], length(id), StandardCharsets.UTF_8);
    }

    /// Tokens that are no part of the text. The unknown token counts: it may not be forged either.
    boolean isControl(int id) {
        check(id);
        return types[id] == TYPE_CONTROL || types[id] == TYPE_UNKNOWN;
    }

    /// Tokens that are found in a text before anything else is looked at.
    boolean isSpecial(int id) {
        return isControl(id) || types[id] == TYPE_USER_DEFINED;
    }

    /// Whether the token may stand for a piece of text as it is written.
    boolean isText(int id) {
        return !isControl(id) && types[id] != TYPE_BYTE;
    }

    /// The id of the token with the text `b[from .. to)` that is no control token, or -1: what may be found in text
    /// that must not forge any.
    int findText(byte[] b, int from, int to) {
        int id = find(b, from, to);
        return id >= 0 && !isControl(id) ? id : -1;
    }

    int findText(String text) {
        byte[] b = Utf8.of(text);
        return findText(b, 0, b.length);
    }

    /// As [#find(byte\[\], int, int)] of the texts of two tokens, one after the other.
    int findJoined(int left, int right) {
        if (length(left) + length(right) > longest) {
            return -1;
        }
        int mask = table.length - 1;
        int middle = length(left);
        int length = middle + length(right);
        int hash =
                hash(hash(HASH_START, texts, starts[left], starts[left + 1]), texts, starts[right], starts[right + 1]);
        for (int slot = firstSlot(hash); table[slot] != 0; slot = (slot + 1) & mask) {
            int id = table[slot] - 1;
            int start = starts[id];
            if (length(id) == length
                    && Arrays.equals(texts, start, start + middle, texts, starts[left], starts[left + 1])
                    && Arrays.equals(texts, start + middle, start + length, texts, starts[right], starts[right + 1])) {
                return id;
            }
        }
        return -1;
    }

    /// The id of the token with the text `b[from .. to)`, or -1.
    int find(byte[] b, int from, int to) {
        return table[slot(b, from, to)] - 1;
    }

    int find(String text) {
        byte[] b = Utf8.of(text);
        return find(b, 0, b.length);
    }

    OptionalInt findControl(String text) {
        int id = find(text);
        return id >= 0 && isControl(id) ? OptionalInt.of(id) : OptionalInt.empty();
    }

    OptionalInt findSpecial(String text) {
        int id = find(text);
        return id >= 0 && isSpecial(id) ? OptionalInt.of(id) : OptionalInt.empty();
    }

    /// The token that the metadata names under `tokenizer.ggml.<name>_token_id`.
    ///
    /// @throws PanamoeException when it is outside the vocabulary
    OptionalInt named(Metadata metadata, String name) {
        String key = "tokenizer.ggml." + name + "_token_id";
        OptionalInt id = metadata.findInt(key);
        if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= size())) {
            throw new PanamoeException(source + ": " + key + " is " + id.getAsInt() + ", expected an id below " + size()
                    + "; the file is damaged");
        }
        return id;
    }

    /// What is written for a byte that has no token.
    ///
    /// @throws PanamoeException when there is no unknown token either
    int unknown(int missingByte) {
        return unknown.orElseThrow(() -> new PanamoeException(String.format(
                "%s: the vocabulary has no token for the byte 0x%02X and no unknown token; the text cannot be encoded",
                source, missingByte)));
    }

    private void check(int id) {
        if (id < 0 || id >= types.length) {
            throw new IllegalArgumentException("token " + id + " is outside the vocabulary of " + types.length);
        }
    }

    /// Where the text is in the table, or would be.
    private int slot(byte[] b, int from, int to) {
        int mask = table.length - 1;
        int slot = firstSlot(hash(HASH_START, b, from, to));
        while (table[slot] != 0) {
            int id = table[slot] - 1;
            if (Arrays.equals(texts, starts[id], starts[id + 1], b, from, to)) {
                break;
            }
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private int firstSlot(int hash) {
        return ((hash >>> 16) ^ hash) & (table.length - 1);
    }

    /// FNV-1a of more bytes.
    private static int hash(int before, byte[] b, int from, int to) {
        int hash = before;
        for (int i = from; i < to; i++) {
            hash = (hash ^ (b[i] & 0xFF)) * 0x01000193;
        }
        return hash;
    }
}

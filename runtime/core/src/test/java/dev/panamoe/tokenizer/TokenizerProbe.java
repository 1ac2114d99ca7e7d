package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// What must hold of any text and of any vocabulary. Shared by the short and the long fuzz run.
final class TokenizerProbe {
    private static final List<Tokenizer> TOKENIZERS =
            SmallVocabularies.KINDS.stream().map(SmallVocabularies::of).toList();

    private TokenizerProbe() {}

    /// Bytes as a vocabulary and a text, or as a text for sound vocabularies.
    ///
    /// @return whether they were accepted
    static boolean probe(byte[] input) {
        Input in = new Input(input);
        if (in.next() % 2 == 0) {
            soundVocabulary(in.next() % SmallVocabularies.KINDS.size(), in.rest());
            return true;
        }
        return anyVocabulary(in);
    }

    /// Every text comes back, and no control token is forged.
    private static void soundVocabulary(int index, byte[] utf8) {
        Tokenizer tokenizer = TOKENIZERS.get(index);
        String kind = SmallVocabularies.KINDS.get(index);
        int[] ids = tokenizer.encode(utf8, false);
        check(Arrays.stream(ids).noneMatch(tokenizer::isControl), "a control token in text");
        String text = new String(utf8, StandardCharsets.UTF_8);
        byte[] whole = text.getBytes(StandardCharsets.UTF_8);
        int[] idsOfWhole = tokenizer.encode(whole, false);
        String expected = SmallVocabularies.isByteLevel(kind) ? text : text.replace('▁', ' ');
        boolean prefixWithin = tokenizer.addsSpacePrefix() && text.contains(SmallVocabularies.USER_DEFINED);
        check(prefixWithin || tokenizer.decode(idsOfWhole).equals(expected), kind + " gives back another text");
        if (!text.contains("\uFDD0")) {
            check(
                    Arrays.equals(tokenizer.encodeGuarded(tokenizer.guard(text)), idsOfWhole),
                    kind + ": guarded text is encoded otherwise");
        }
        decodeInParts(tokenizer, tokenizer.encode(utf8, true));
    }

    private static boolean anyVocabulary(Input in) {
        Map<String, Object> keys = new HashMap<>();
        String kind = SmallVocabularies.KINDS.get(in.next() % SmallVocabularies.KINDS.size());
        keys.put("tokenizer.ggml.model", SmallVocabularies.isByteLevel(kind) ? "gpt2" : kind);
        keys.put("tokenizer.ggml.pre", kind);
        byte[][] tokens = new byte[in.next() % 64][];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = in.next(in.next() % 8);
        }
        keys.put("tokenizer.ggml.tokens", tokens);
        int[] types = new int[in.nearly(tokens.length)];
        for (int i = 0; i < types.length; i++) {
            types[i] = in.next() % 8;
        }
        keys.put("tokenizer.ggml.token_type", types);
        float[] scores = new float[in.nearly(tokens.length)];
        for (int i = 0; i < scores.length; i++) {
            int score = in.next();
            scores[i] = score == 255 ? Float.NaN : score == 254 ? Float.NEGATIVE_INFINITY : score - 128;
        }
        keys.put("tokenizer.ggml.scores", scores);
        List<byte[]> merges = new ArrayList<>();
        for (int i = in.next() % 64; i > 0 && tokens.length > 0; i--) {
            byte[] left = tokens[in.next() % tokens.length];
            byte[] right = tokens[in.next() % tokens.length];
            byte[] merge = Arrays.copyOf(left, left.length + 1 + right.length);
            merge[left.length] = ' ';
            System.arraycopy(right, 0, merge, left.length + 1, right.length);
            merges.add(merge);
        }
        keys.put("tokenizer.ggml.merges", merges.toArray(byte[][]::new));
        int flags = in.next();
        String[] names = {"bos", "eos", "eot", "eom", "unknown"};
        for (int i = 0; i < names.length; i++) {
            if ((flags >> i & 1) != 0) {
                keys.put("tokenizer.ggml." + names[i] + "_token_id", in.next() - 1);
            }
        }
        keys.put("tokenizer.ggml.add_bos_token", (flags & 0x20) != 0);
        keys.put("tokenizer.ggml.add_eos_token", (flags & 0x40) != 0);
        keys.put("tokenizer.ggml.add_space_prefix", (flags & 0x80) != 0);
        try {
            use(Tokenizer.of(Metadata.of("m.gguf", keys)), in.rest());
            return true;
        } catch (PanamoeException e) {
            String message = String.valueOf(e.getMessage());
            check(message.startsWith("m.gguf: ") && message.indexOf('\n') < 0 && message.length() < 2000, message);
            return false;
        }
    }

    /// Of a vocabulary about which nothing is known. Only the unknown token may stand for text, though it steers.
    private static void use(Tokenizer tokenizer, byte[] utf8) {
        tokenizer.stopTokens().forEach(tokenizer::token);
        check(tokenizer.addBos() == (tokenizer.withBos(new int[0]).length == 1), "bos");
        tokenizer.withBosAndEos(new int[0]);
        for (int id = 0; id < tokenizer.size(); id++) {
            tokenizer.bytes(id);
            tokenizer.token(id);
        }
        String text = new String(utf8, StandardCharsets.UTF_8);
        decodeInParts(tokenizer, tokenizer.encode(utf8, true));
        decodeInParts(tokenizer, tokenizer.encode(utf8, false));
        checkNotForged(tokenizer, tokenizer.encode(utf8, false));
        boolean guardWithin = IntStream.range(0, tokenizer.size())
                .anyMatch(id -> new String(tokenizer.bytes(id), StandardCharsets.ISO_8859_1).indexOf(0xEF) >= 0);
        if (!guardWithin) {
            checkNotForged(tokenizer, tokenizer.encodeGuarded(tokenizer.guard(text)));
        }
        tokenizer.encodePrompt(text);
    }

    private static void checkNotForged(Tokenizer tokenizer, int[] ids) {
        long control =
                Arrays.stream(ids).filter(tokenizer::isControl).distinct().count();
        check(control <= 1, "control tokens in text");
    }

    private static void decodeInParts(Tokenizer tokenizer, int[] ids) {
        TokenStream stream = tokenizer.stream(false);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.append(id));
        }
        check(text.append(stream.finish()).toString().equals(tokenizer.decode(ids)), "parts are not the whole");
    }

    private static void check(boolean ok, String what) {
        if (!ok) {
            throw new AssertionError(what);
        }
    }

    /// Reads small numbers and pieces from bytes; behind their end come zeros.
    private static final class Input {
        private final byte[] bytes;
        private int at;

        Input(byte[] bytes) {
            this.bytes = bytes;
        }

        int next() {
            return at < bytes.length ? bytes[at++] & 0xFF : 0;
        }

        byte[] next(int length) {
            int from = Math.min(at, bytes.length);
            at = Math.min(bytes.length, from + length);
            return Arrays.copyOfRange(bytes, from, at);
        }

        byte[] rest() {
            return next(bytes.length);
        }

        /// Mostly the number itself.
        int nearly(int number) {
            return Math.max(0, number + Math.max(0, next() - 252) - Math.max(0, next() - 252));
        }
    }
}

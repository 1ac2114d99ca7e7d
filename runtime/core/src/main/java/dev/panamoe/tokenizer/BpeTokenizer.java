package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.gguf.Printable;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// Byte-pair encoding with special tokens: those are cut out first, and the text between follows the rules of the
/// family.
final class BpeTokenizer implements Tokenizer {
    /// What ends an answer, whether or not the file says so. `<|tool_response>` stands where the model waits for
    /// the result of a tool.
    private static final List<String> GEMMA4_STOPS = List.of("<eos>", "<turn|>", "<|tool_response>");

    private static final List<String> BYTE_LEVEL_STOPS = List.of("<｜end▁of▁sentence｜>", "<|EOT|>");

    private final Vocabulary vocabulary;
    private final Merges merges;
    private final SpecialTokens specialTokens;
    private final TextRules rules;
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final boolean addBos;
    private final Set<Integer> stopTokens;

    private BpeTokenizer(
            Metadata metadata,
            Vocabulary vocabulary,
            Merges merges,
            TextRules rules,
            boolean addBos,
            List<String> familyStops) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.specialTokens = new SpecialTokens(vocabulary);
        this.rules = rules;
        this.bos = vocabulary.named(metadata, "bos");
        this.eos = vocabulary.named(metadata, "eos");
        this.addBos = addBos && bos.isPresent();
        this.stopTokens = stopTokens(metadata, vocabulary, familyStops);
    }

    /// Gemma 4. Early files say wrongly that no BOS is to be added, so it always is.
    static BpeTokenizer gemma4(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = Merges.of(metadata, vocabulary);
        return new BpeTokenizer(metadata, vocabulary, merges, new GemmaText(vocabulary), true, GEMMA4_STOPS);
    }

    /// GPT-2's byte-level encoding, with the pre-tokeniser that `tokenizer.ggml.pre` names.
    static BpeTokenizer byteLevel(Metadata metadata) {
        String name = metadata.findString("tokenizer.ggml.pre").orElse(PreTokenizers.DEFAULT);
        Splitter splitter = PreTokenizers.find(name)
                .orElseThrow(() -> new PanamoeException(metadata.source()
                        + ": tokenizer.ggml.pre \"" + Printable.escape(name) + "\" is not supported; known are "
                        + String.join(", ", PreTokenizers.names())));
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = Merges.of(metadata, vocabulary);
        boolean addBos = metadata.bool("tokenizer.ggml.add_bos_token", false);
        return new BpeTokenizer(
                metadata, vocabulary, merges, new ByteLevelText(vocabulary, splitter), addBos, BYTE_LEVEL_STOPS);
    }

    private static Set<Integer> stopTokens(Metadata metadata, Vocabulary vocabulary, List<String> familyStops) {
        List<OptionalInt> ids = new ArrayList<>();
        for (String name : List.of("eos", "eot", "eom")) {
            ids.add(vocabulary.named(metadata, name));
        }
        for (String text : familyStops) {
            ids.add(vocabulary.findSpecial(text));
        }
        Set<Integer> stops = new LinkedHashSet<>();
        ids.forEach(id -> id.ifPresent(stops::add));
        return Collections.unmodifiableSet(stops);
    }

    /// A noncharacter of Unicode, which has no business in a text, as UTF-8.
    private static final byte[] GUARD = Utf8.of("\uFDD0");

    @Override
    public String guard(String text, Set<Integer> marks) {
        byte[] utf8 = Utf8.of(text);
        ByteArrayOutputStream out = new ByteArrayOutputStream(utf8.length);
        boolean found = false;
        for (int at = 0; at < utf8.length; at++) {
            out.write(utf8[at]);
            // Names of control tokens may lie within one another, so every place counts. A mark goes behind the first
            // character, which must be whole for a template to read the text.
            int special = specialTokens.match(utf8, at, true);
            if (special >= 0 && (isControl(special) || marks.contains(special))) {
                while (at + 1 < utf8.length && Utf8.isContinuation(utf8[at + 1])) {
                    out.write(utf8[++at]);
                }
                out.writeBytes(GUARD);
                found = true;
            }
        }
        return found ? out.toString(StandardCharsets.UTF_8) : text;
    }

    @Override
    public int[] encodeGuarded(String text) {
        return encode(Utf8.of(text), true, true);
    }

    @Override
    public int[] encode(byte[] utf8, boolean parseSpecial) {
        return encode(utf8, parseSpecial, false);
    }

    private int[] encode(byte[] utf8, boolean parseSpecial, boolean guarded) {
        Merger merger = new Merger(merges);
        IntList tokens = new IntList();
        int textStart = 0;
        int at = 0;
        while (at < utf8.length) {
            int special = specialTokens.match(utf8, at, parseSpecial);
            if (special < 0) {
                at++;
                continue;
            }
            plain(utf8, textStart, at, guarded, merger, tokens);
            tokens.add(special);
            at += vocabulary.length(special);
            textStart = at;
        }
        plain(utf8, textStart, at, guarded, merger, tokens);
        return tokens.toArray();
    }

    /// Text without special tokens, from which guards are taken out.
    private void plain(byte[] utf8, int from, int to, boolean guarded, Merger merger, IntList tokens) {
        if (!guarded) {
            rules.encode(utf8, from, to, merger, tokens);
            return;
        }
        byte[] text = new byte[to - from];
        int n = 0;
        for (int i = from; i < to; i++) {
            if (i + GUARD.length <= to && Arrays.equals(utf8, i, i + GUARD.length, GUARD, 0, GUARD.length)) {
                i += GUARD.length - 1;
            } else {
                text[n++] = utf8[i];
            }
        }
        rules.encode(text, 0, n, merger, tokens);
    }

    @Override
    public byte[] bytes(int id) {
        return isControl(id) ? vocabulary.bytes(id) : rules.bytes(id);
    }

    @Override
    public boolean isControl(int id) {
        return vocabulary.isControl(id);
    }

    @Override
    public String token(int id) {
        return vocabulary.text(id);
    }

    @Override
    public OptionalInt idOf(String specialText) {
        return vocabulary.findSpecial(specialText);
    }

    @Override
    public int size() {
        return vocabulary.size();
    }

    @Override
    public OptionalInt bos() {
        return bos;
    }

    @Override
    public OptionalInt eos() {
        return eos;
    }

    @Override
    public boolean addBos() {
        return addBos;
    }

    @Override
    public Set<Integer> stopTokens() {
        return stopTokens;
    }
}

package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.gguf.Printable;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Set;

/// Byte-pair encoding with special tokens: those are cut out first, and the text between follows the rules of the
/// family.
final class BpeTokenizer implements Tokenizer {
    private static final String ADD_BOS = "tokenizer.ggml.add_bos_token";

    private final Vocabulary vocabulary;
    private final Merges merges;
    private final SpecialTokens specialTokens;
    private final TextRules rules;
    private final OptionalInt bos;
    private final OptionalInt eos;
    private final boolean addBos;
    private final boolean addEos;
    private final boolean spacePrefix;
    private final Set<Integer> stopTokens;

    private BpeTokenizer(
            Metadata metadata,
            Vocabulary vocabulary,
            Merges merges,
            TextRules rules,
            boolean addBos,
            boolean spacePrefix) {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.specialTokens = new SpecialTokens(vocabulary);
        this.rules = rules;
        this.bos = vocabulary.named(metadata, "bos");
        this.eos = vocabulary.named(metadata, "eos");
        this.addBos = addBos && bos.isPresent();
        this.addEos = metadata.bool("tokenizer.ggml.add_eos_token", false) && eos.isPresent();
        this.spacePrefix = spacePrefix;
        this.stopTokens = StopTokens.of(metadata, vocabulary);
    }

    /// Gemma 4. Early files say wrongly that no BOS is to be added, so it always is.
    static BpeTokenizer gemma4(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = RankedMerges.of(metadata, vocabulary);
        TextRules rules = new SentencePieceText(vocabulary, false, true);
        return new BpeTokenizer(metadata, vocabulary, merges, rules, true, false);
    }

    /// SentencePiece's encoding of Llama 1 and 2, Mistral and Mixtral: merges by score, and a space in front of every
    /// stretch of text, so also behind special tokens.
    static BpeTokenizer sentencePiece(Metadata metadata) {
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = ScoredMerges.of(metadata, vocabulary);
        boolean spacePrefix = metadata.bool("tokenizer.ggml.add_space_prefix", true);
        TextRules rules = new SentencePieceText(vocabulary, spacePrefix, false);
        boolean addBos = metadata.bool(ADD_BOS, true);
        return new BpeTokenizer(metadata, vocabulary, merges, rules, addBos, spacePrefix);
    }

    /// GPT-2's byte-level encoding, with the pre-tokeniser that `tokenizer.ggml.pre` names.
    static BpeTokenizer byteLevel(Metadata metadata) {
        String name = metadata.findString("tokenizer.ggml.pre").orElse(PreTokenizers.DEFAULT);
        PreTokenizer preTokenizer = PreTokenizers.find(name)
                .orElseThrow(() -> new PanamoeException(metadata.source()
                        + ": tokenizer.ggml.pre \"" + Printable.escape(name) + "\" is not supported; known are "
                        + String.join(", ", PreTokenizers.names())));
        Vocabulary vocabulary = Vocabulary.of(metadata);
        Merges merges = RankedMerges.of(metadata, vocabulary);
        TextRules rules = new ByteLevelText(vocabulary, preTokenizer);
        boolean addBos = metadata.bool(ADD_BOS, preTokenizer.addBos());
        return new BpeTokenizer(metadata, vocabulary, merges, rules, addBos, false);
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
            if (specialTokens.steersAt(utf8, at, marks)) {
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
            if (guarded && isGuard(utf8, at, utf8.length)) {
                at += GUARD.length; // no name begins within a guard
                continue;
            }
            int special = specialTokens.match(utf8, at, parseSpecial);
            if (special >= 0 && guarded && isControl(special) && isGuarded(utf8, at)) {
                special = specialTokens.match(utf8, at, false);
            }
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

    /// Whether a guard stands behind the character at `at`. It is not enough that it parts names: one may be a single
    /// character.
    private static boolean isGuarded(byte[] utf8, int at) {
        int end = at + 1;
        while (end < utf8.length && Utf8.isContinuation(utf8[end])) {
            end++;
        }
        return isGuard(utf8, end, utf8.length);
    }

    private static boolean isGuard(byte[] utf8, int at, int to) {
        return at + GUARD.length <= to && Arrays.equals(utf8, at, at + GUARD.length, GUARD, 0, GUARD.length);
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
            if (isGuard(utf8, i, to)) {
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
    public boolean addEos() {
        return addEos;
    }

    @Override
    public boolean addsSpacePrefix() {
        return spacePrefix;
    }

    @Override
    public Set<Integer> stopTokens() {
        return stopTokens;
    }
}

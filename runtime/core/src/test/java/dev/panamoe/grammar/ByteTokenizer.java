package dev.panamoe.grammar;

import dev.panamoe.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// A vocabulary given by the bytes of its tokens. The last token ends an answer, the one before is a control token with
/// the text `a`.
record ByteTokenizer(List<byte[]> texts) implements Tokenizer {
    /// @param tokens texts, or bytes as hexadecimal digits behind `0x`
    static ByteTokenizer of(String... tokens) {
        List<byte[]> texts = new java.util.ArrayList<>();
        for (String t : tokens) {
            texts.add(
                    t.startsWith("0x") ? HexFormat.of().parseHex(t.substring(2)) : t.getBytes(StandardCharsets.UTF_8));
        }
        texts.add(new byte[] {'a'});
        texts.add("<end>".getBytes(StandardCharsets.UTF_8));
        return new ByteTokenizer(texts);
    }

    int stop() {
        return texts.size() - 1;
    }

    @Override
    public int[] encode(byte[] utf8, boolean parseSpecial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String guard(String text, Set<Integer> marks) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int[] encodeGuarded(String text) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] bytes(int id) {
        return texts.get(id).clone();
    }

    @Override
    public boolean isControl(int id) {
        return id == texts.size() - 2;
    }

    @Override
    public String token(int id) {
        return new String(texts.get(id), StandardCharsets.UTF_8);
    }

    @Override
    public OptionalInt idOf(String specialText) {
        return OptionalInt.empty();
    }

    @Override
    public int size() {
        return texts.size();
    }

    @Override
    public OptionalInt bos() {
        return OptionalInt.empty();
    }

    @Override
    public OptionalInt eos() {
        return OptionalInt.of(stop());
    }

    @Override
    public boolean addBos() {
        return false;
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of(stop());
    }
}

package dev.panamoe.chat;

import dev.panamoe.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// A vocabulary given in full: some control tokens, some user-defined, the rest plain.
record WordTokenizer(List<String> control, List<String> userDefined, List<String> plain) implements Tokenizer {
    private List<String> all() {
        var all = new ArrayList<>(control);
        all.addAll(userDefined);
        all.addAll(plain);
        return all;
    }

    /// The ids of tokens by their text.
    int[] ids(String... texts) {
        var all = all();
        int[] ids = new int[texts.length];
        for (int i = 0; i < texts.length; i++) {
            ids[i] = all.indexOf(texts[i]);
            if (ids[i] < 0) {
                throw new IllegalArgumentException("no token " + texts[i]);
            }
        }
        return ids;
    }

    @Override
    public int[] encode(byte[] utf8, boolean parseSpecial) {
        throw new UnsupportedOperationException();
    }

    @Override
    public byte[] bytes(int id) {
        return token(id).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean isControl(int id) {
        return id < control.size();
    }

    @Override
    public String token(int id) {
        return all().get(id);
    }

    @Override
    public OptionalInt idOf(String specialText) {
        int id = all().indexOf(specialText);
        return id >= 0 && id < control.size() + userDefined.size() ? OptionalInt.of(id) : OptionalInt.empty();
    }

    @Override
    public int size() {
        return all().size();
    }

    @Override
    public OptionalInt bos() {
        return OptionalInt.empty();
    }

    @Override
    public OptionalInt eos() {
        return OptionalInt.empty();
    }

    @Override
    public boolean addBos() {
        return false;
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of();
    }

    @Override
    public String guard(String text, Set<Integer> marks) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int[] encodeGuarded(String text) {
        throw new UnsupportedOperationException();
    }
}

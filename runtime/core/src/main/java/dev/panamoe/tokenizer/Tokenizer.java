package dev.panamoe.tokenizer;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.gguf.Printable;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/// Text to token ids and back, by the vocabulary and the rules of one model file. Immutable and safe for any
/// number of threads; it keeps no reference to the file.
public interface Tokenizer {
    /// The tokenizer that a model file describes under `tokenizer.ggml.*`.
    ///
    /// @throws PanamoeException when the file's tokenizer is of an unknown kind or its data is inconsistent
    static Tokenizer of(Metadata metadata) {
        String model = metadata.string("tokenizer.ggml.model");
        return switch (model) {
            case "gemma4" -> BpeTokenizer.gemma4(metadata);
            case "gpt2" -> BpeTokenizer.byteLevel(metadata);
            case "llama" -> BpeTokenizer.sentencePiece(metadata);
            default ->
                throw new PanamoeException(metadata.source() + ": tokenizer.ggml.model \"" + Printable.escape(model)
                        + "\" is not supported; known are gemma4, gpt2, llama");
        };
    }

    /// What of a file's tokenizer is taken by default although models differ in it, in a line with the remedy; empty
    /// when the file says everything.
    static Optional<String> doubt(Metadata metadata) {
        boolean guessed = metadata.findString("tokenizer.ggml.model").orElse("").equals("gpt2")
                && !metadata.has("tokenizer.ggml.pre");
        return guessed
                ? Optional.of("the file does not name its pre-tokeniser (tokenizer.ggml.pre): texts are cut as by"
                        + " default, which may be otherwise than the model knows them; convert the model again with a"
                        + " current converter")
                : Optional.empty();
    }

    /// Token ids of a text. Never adds a beginning-of-sequence token. User-defined tokens in the text are always
    /// recognised; bytes that are not well-formed UTF-8 are kept as they are.
    ///
    /// @param utf8 the text
    /// @param parseSpecial whether control tokens written out in the text become those tokens; false for text
    ///     that a user typed, so that it cannot forge the structure of a conversation
    /// @throws PanamoeException when the text has a byte for which the vocabulary has neither a token nor an
    ///     unknown token
    int[] encode(byte[] utf8, boolean parseSpecial);

    /// Like [#encode(byte\[\], boolean)]; an unpaired surrogate counts as U+FFFD.
    default int[] encode(String text, boolean parseSpecial) {
        return encode(Utf8.of(text), parseSpecial);
    }

    /// Takes the meaning from control tokens that are written out in a text, by putting a mark into their names. Only
    /// {@link #encodeGuarded} removes the marks; until then the text may be put into a larger one.
    ///
    /// @param text that somebody else typed and that must not forge the structure of a conversation
    default String guard(String text) {
        return guard(text, Set.of());
    }

    /// Like [#guard(String)], for further tokens.
    ///
    /// @param marks user-defined tokens that steer the model too
    String guard(String text, Set<Integer> marks);

    /// Token ids of a text with control tokens recognised, but for those inside what {@link #guard} returned.
    int[] encodeGuarded(String text);

    /// The bytes that a token stands for in running text, which may be part of a UTF-8 character. Those of a control
    /// token are its name.
    ///
    /// @throws IllegalArgumentException when there is no such id
    byte[] bytes(int id);

    /// The bytes of a text's tokens, control tokens by name.
    ///
    /// @throws IllegalArgumentException when there is no such id
    default byte[] bytes(int[] ids) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int i = 0; i < ids.length; i++) {
            byte[] bytes = bytes(ids[i]);
            int prefix = i == 0 && addsSpacePrefix() && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
            text.write(bytes, prefix, bytes.length - prefix);
        }
        return text.toByteArray();
    }

    /// Whether the token steers the model and is no part of the text: such tokens are not shown.
    boolean isControl(int id);

    /// The token as the vocabulary writes it, with its own marks for spaces and bytes.
    String token(int id);

    /// The control or user-defined token that is written exactly so.
    OptionalInt idOf(String specialText);

    /// Number of tokens; ids are `0 .. size - 1`.
    int size();

    OptionalInt bos();

    OptionalInt eos();

    /// Whether a prompt begins with [#bos()]. False when the file names no such token.
    boolean addBos();

    /// Ids with [#bos()] in front if the model wants it there.
    default int[] withBos(int[] ids) {
        if (!addBos()) {
            return ids;
        }
        int[] with = new int[ids.length + 1];
        with[0] = bos().orElseThrow();
        System.arraycopy(ids, 0, with, 1, ids.length);
        return with;
    }

    /// Whether a whole document ends with [#eos()], as embedding models want it. False when the file names no such
    /// token.
    default boolean addEos() {
        return false;
    }

    /// Ids with [#bos()] in front and [#eos()] behind if the model wants them there: a document that is complete.
    default int[] withBosAndEos(int[] ids) {
        int[] begun = withBos(ids);
        if (!addEos()) {
            return begun;
        }
        int[] with = Arrays.copyOf(begun, begun.length + 1);
        with[begun.length] = eos().orElseThrow();
        return with;
    }

    /// Whether encoding puts a space in front of a text, which decoding takes away from its beginning.
    default boolean addsSpacePrefix() {
        return false;
    }

    /// A text as a model reads it without a chat template: control tokens recognised, and beginning with [#bos()] if
    /// the model wants that, whether or not the text writes it.
    default int[] encodePrompt(String text) {
        int[] ids = encode(text, true);
        boolean written = addBos() && ids.length > 0 && ids[0] == bos().orElseThrow();
        return written ? ids : withBos(ids);
    }

    /// The text of a special token, as a chat template writes it; empty when the model has none.
    default String specialText(OptionalInt id) {
        return id.isEmpty() ? "" : new String(bytes(id.getAsInt()), StandardCharsets.UTF_8);
    }

    /// Tokens that end an answer: those that the file names, and those that its family is known to use.
    Set<Integer> stopTokens();

    /// The text of all tokens, without control tokens. Bytes that are not well-formed UTF-8 become U+FFFD.
    default String decode(int[] ids) {
        TokenStream stream = stream(false);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.append(id));
        }
        return text.append(stream.finish()).toString();
    }

    /// A decoder for tokens that come one by one, from the beginning of a text.
    ///
    /// @param showControl whether control tokens appear by name
    default TokenStream stream(boolean showControl) {
        return new TokenStream(this, showControl, addsSpacePrefix());
    }

    /// A decoder for tokens that continue a text, so that a space at their beginning is part of it.
    ///
    /// @param showControl whether control tokens appear by name
    default TokenStream continuation(boolean showControl) {
        return new TokenStream(this, showControl, false);
    }

    /// The values of `tokenizer.ggml.model` that {@link #of} takes, each with the values of `tokenizer.ggml.pre` that
    /// it takes; none where that key does not matter.
    static Map<String, Set<String>> supported() {
        return new TreeMap<>(Map.of("gemma4", Set.of(), "gpt2", PreTokenizers.names(), "llama", Set.of()));
    }
}

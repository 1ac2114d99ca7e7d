package dev.panamoe.tokenizer;

import dev.panamoe.gguf.Metadata;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/// What ends an answer: the tokens that a file names for it, and those that are known by their texts, since many files
/// name only one of several.
final class StopTokens {
    private static final String END = "<|end|>";

    /// Texts that mean the end of a turn or of a document in every vocabulary that has them, and that nobody would
    /// write as text: these tokens are control tokens whatever the file says. `<|tool_response>` stands where the model
    /// waits for the result of a tool.
    static final List<String> MARKERS = List.of(
            "<|eot_id|>",
            "<|eom_id|>",
            "<|end_of_text|>",
            "<|endoftext|>",
            "<|im_end|>",
            END,
            "<|return|>",
            "<|call|>",
            "<end_of_turn>",
            "<turn|>",
            "<|tool_response>",
            "<｜end▁of▁sentence｜>",
            "<|EOT|>");

    /// The same where the file types them as control tokens; elsewhere they are text, such as HTML tags.
    private static final List<String> IF_CONTROL = List.of("</s>", "<eos>", "<EOT>", "[EOT]", "[EOS]");

    private StopTokens() {}

    static Set<Integer> of(Metadata metadata, Vocabulary vocabulary) {
        List<OptionalInt> ids = new ArrayList<>();
        for (String name : List.of("eos", "eot", "eom")) {
            ids.add(vocabulary.named(metadata, name));
        }
        MARKERS.forEach(text -> ids.add(vocabulary.findSpecial(text)));
        IF_CONTROL.forEach(text -> ids.add(vocabulary.findControl(text)));
        Set<Integer> stops = new LinkedHashSet<>();
        ids.forEach(id -> id.ifPresent(stops::add));
        if (isHarmony(vocabulary)) {
            vocabulary.findSpecial(END).ifPresent(stops::remove);
        }
        return Collections.unmodifiableSet(stops);
    }

    /// In gpt-oss's format `<|end|>` only closes a message, and another of the same answer follows; elsewhere, as in
    /// Phi, it ends the answer.
    private static boolean isHarmony(Vocabulary vocabulary) {
        return vocabulary.findSpecial("<|return|>").isPresent()
                && vocabulary.findSpecial("<|call|>").isPresent();
    }
}

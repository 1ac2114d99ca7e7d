package dev.panamoe.chat;

import dev.panamoe.PanamoeException;
import dev.panamoe.template.ChatTemplate;
import dev.panamoe.template.TemplateException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes a conversation as the text that a model was trained on, by the chat template in its file. The text holds
/// the special tokens by name and usually begins with the one that begins a sequence: it is tokenized with special
/// tokens recognised, and nothing is put before it.
public final class ChatFormat {
    private final String name;
    private final ChatTemplate template;
    private final String bos;
    private final String eos;

    private ChatFormat(String name, ChatTemplate template, String bos, String eos) {
        this.name = name;
        this.template = template;
        this.bos = bos;
        this.eos = eos;
    }

    /// @param name of the model file, for messages
    /// @param template its `tokenizer.chat_template`
    /// @param bos the text of the token that begins a sequence; empty if there is none
    /// @param eos the text of the token that ends one; empty if there is none
    /// @throws PanamoeException when the file has no template, or one that cannot be read
    public static ChatFormat of(String name, Optional<String> template, String bos, String eos) {
        String source = template.orElseThrow(() -> new PanamoeException(name
                + ": the file has no chat template (tokenizer.chat_template); use --raw to give the prompt as it is"));
        try {
            return new ChatFormat(name, ChatTemplate.parse(source), bos, eos);
        } catch (TemplateException e) {
            throw fault(name, e);
        }
    }

    private static PanamoeException fault(String name, TemplateException e) {
        return new PanamoeException(name + ": " + e.getMessage() + "; use --raw to give the prompt as it is", e);
    }

    /// Like [#render(List, boolean, Map, LocalDateTime)], now.
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, Object> extra) {
        return render(messages, addGenerationPrompt, extra, LocalDateTime.now(ZoneId.systemDefault()));
    }

    /// @param addGenerationPrompt whether the text ends where the assistant's answer begins
    /// @param extra further variables of the template, such as `enable_thinking`; they replace equal names
    /// @param now what a template that asks for the date gets
    /// @throws PanamoeException when the template refuses the conversation
    public String render(
            List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, Object> extra, LocalDateTime now) {
        var variables = new HashMap<String, Object>();
        variables.put("messages", messages.stream().map(ChatMessage::variables).toList());
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("bos_token", bos);
        variables.put("eos_token", eos);
        variables.putAll(extra);
        try {
            return template.render(variables, now);
        } catch (TemplateException e) {
            throw fault(name, e);
        }
    }
}

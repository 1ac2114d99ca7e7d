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
import org.jspecify.annotations.Nullable;

/// Writes a conversation as the text that a model was trained on, by the chat template in its file. The text holds
/// the special tokens by name and usually begins with the one that begins a sequence: it is tokenized with special
/// tokens recognised, and nothing is put before it.
public final class ChatFormat {
    private static final LocalDateTime PROBED = LocalDateTime.of(2026, 1, 1, 0, 0);

    private final String name;
    private final ChatTemplate template;
    private final String bos;
    private final String eos;
    private volatile @Nullable ToolForm toolForm;

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

    /// Like [#render(List, List, boolean, Map, LocalDateTime, Guard)], without tools, now, as it is.
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, Object> extra) {
        return render(messages, addGenerationPrompt, extra, LocalDateTime.now(ZoneId.systemDefault()));
    }

    /// Like [#render(List, List, boolean, Map, LocalDateTime, Guard)], without tools, as it is.
    public String render(
            List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, Object> extra, LocalDateTime now) {
        return render(messages, List.of(), addGenerationPrompt, extra, now, Guard.NONE);
    }

    /// @param tools that the model may call
    /// @param addGenerationPrompt whether the text ends where the assistant's answer begins
    /// @param extra further variables of the template, such as `enable_thinking`; they replace equal names
    /// @param now what a template that asks for the date gets
    /// @param guard for what was not written by the program itself
    /// @throws PanamoeException when the template refuses the conversation
    public String render(
            List<ChatMessage> messages,
            List<Tool> tools,
            boolean addGenerationPrompt,
            Map<String, Object> extra,
            LocalDateTime now,
            Guard guard) {
        var variables = new HashMap<String, @Nullable Object>();
        boolean calls = messages.stream().anyMatch(m -> !m.toolCalls().isEmpty());
        ToolForm form = calls ? toolForm() : ToolForm.PLAIN;
        variables.put("messages", form.variables(messages, guard));
        if (!tools.isEmpty()) {
            variables.put(
                    "tools",
                    tools.stream()
                            .map(tool -> ToolForm.guarded(tool.variables(), guard))
                            .toList());
        }
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.put("bos_token", bos);
        variables.put("eos_token", eos);
        variables.putAll(extra);
        return render(variables, now);
    }

    /// Whether the template tells the model of tools. If not, the caller has to, for example in the system message.
    public boolean declaresTools() {
        Tool probe = Tool.of("probe_function", "", "{}");
        try {
            return render(List.of(ChatMessage.user("probe")), List.of(probe), true, Map.of(), PROBED, Guard.NONE)
                    .contains(probe.name());
        } catch (PanamoeException e) {
            // It does not take this one, and will say so again.
            return true;
        }
    }

    private String render(Map<String, @Nullable Object> variables, LocalDateTime now) {
        try {
            return template.render(variables, now);
        } catch (TemplateException e) {
            throw fault(name, e);
        }
    }

    /// How this template wants calls; found once.
    private ToolForm toolForm() {
        ToolForm found = toolForm;
        if (found == null) {
            var variables = new HashMap<String, @Nullable Object>();
            variables.put("add_generation_prompt", true);
            variables.put("bos_token", bos);
            variables.put("eos_token", eos);
            found = ToolForm.of(messages -> {
                variables.put("messages", messages);
                return render(variables, PROBED);
            });
            toolForm = found;
        }
        return found;
    }
}

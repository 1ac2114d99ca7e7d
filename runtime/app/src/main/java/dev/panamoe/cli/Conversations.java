package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.chat.ChatMessage;
import dev.panamoe.gguf.Printable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Conversations in files: JSON lines, each a message as OpenAI's interface writes it.
final class Conversations {
    private static final long LARGEST = 64L << 20;
    private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");

    private Conversations() {}

    /// @throws PanamoeException when the file holds anything else, with the number of the line
    static List<ChatMessage> load(Path file) throws IOException {
        String name = Printable.escape(file.toString());
        if (!Files.exists(file)) {
            throw new PanamoeException(name + ": there is no such file");
        }
        // A device or a pipe may never end.
        if (!Files.isRegularFile(file)) {
            throw new PanamoeException(name + ": this is no regular file");
        }
        if (Files.size(file) > LARGEST) {
            throw new PanamoeException(name + ": " + (Files.size(file) >> 20) + " MiB are too much for a conversation,"
                    + " expected at most " + (LARGEST >> 20));
        }
        List<ChatMessage> messages = new ArrayList<>();
        int number = 0;
        for (String line :
                (Iterable<String>) Input.text(Files.readAllBytes(file), name).lines()::iterator) {
            number++;
            if (!line.isBlank()) {
                messages.add(message(line, name, number));
            }
        }
        if (messages.isEmpty()) {
            throw new PanamoeException(name + ": the file is empty, expected a message on each line");
        }
        return messages;
    }

    private static ChatMessage message(String line, String name, int number) {
        JsonNode node = Json.objectInLine(line, name, number);
        String where = name + ": line " + number;
        String role = node.path("role").asString("");
        if (!ROLES.contains(role)) {
            throw new PanamoeException(where + ": there is no role \"" + Printable.escape(role)
                    + "\", expected system, user, assistant or tool");
        }
        if (!node.has("content") && !node.has("tool_calls")) {
            throw new PanamoeException(where + ": expected {\"role\": \"…\", \"content\": \"…\"}, content is missing");
        }
        try {
            return ChatMessage.fromJson(node);
        } catch (PanamoeException e) {
            throw new PanamoeException(where + ": " + e.getMessage(), e);
        }
    }

    /// Writes a file that only its owner can read, all of it or nothing.
    ///
    /// @param overwrite whether the file may exist
    static void save(Path file, List<ChatMessage> messages, boolean overwrite) throws IOException {
        String name = Printable.escape(file.toString());
        if (Files.isDirectory(file)) {
            throw new PanamoeException(name + ": this is a directory, expected a file");
        }
        if (Files.exists(file) && !overwrite) {
            throw new PanamoeException(
                    name + ": the file exists; '" + SlashCommand.OVERWRITE.text() + " " + name + "' replaces it");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new PanamoeException(name + ": this is no regular file");
        }
        StringBuilder lines = new StringBuilder();
        for (ChatMessage message : messages) {
            lines.append(Json.line(message.toJson())).append('\n');
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new PanamoeException(name + ": there is no folder " + Printable.escape(String.valueOf(folder)));
        }
        try {
            Path whole = Files.createTempFile(folder, ".panamoe", ".jsonl");
            try {
                Files.writeString(whole, lines);
                Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(whole);
            }
        } catch (IOException e) {
            // Its own message names the other file, which is ours.
            throw new PanamoeException(
                    name + ": this cannot be written (" + Failures.reason(e)
                            + "); save to a folder in which you may write and that has room",
                    e);
        }
    }
}

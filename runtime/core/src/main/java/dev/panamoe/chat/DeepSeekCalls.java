package dev.panamoe.chat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// Reads DeepSeek's calls. V3.1 writes `NAME<｜tool▁sep｜>{…}`; R1 and V3 write `function<｜tool▁sep｜>NAME`, and the
/// arguments on the next lines as a block of code in Markdown.
record DeepSeekCalls(int separator) implements CallSyntax.Reader {
    private static final String FENCE = "```";
    private static final String JSON = "json";

    @Override
    public List<Call> read(Block block, int close, Map<String, Tool> tools) {
        int mark = block.markFrom(block.bodyStart());
        if (mark == block.marks() || block.token(mark) != separator) {
            return List.of();
        }
        String before = block.substring(block.bodyStart(), block.start(mark)).strip();
        String after = block.substring(block.end(mark), Math.max(block.end(mark), block.bodyEnd(close)))
                .strip();
        if (after.isEmpty() || after.startsWith("{")) {
            return call(before, after);
        }
        int line = after.indexOf('\n');
        return line < 0
                ? call(after, "")
                : call(
                        after.substring(0, line).strip(),
                        code(after.substring(line).strip()));
    }

    private static String code(String text) {
        if (!text.startsWith(FENCE)) {
            return text;
        }
        int from = FENCE.length();
        if (text.startsWith(JSON, from)) {
            from += JSON.length();
        }
        int to = text.length() > from && text.endsWith(FENCE) ? text.length() - FENCE.length() : text.length();
        return text.substring(from, Math.max(from, to));
    }

    private static List<Call> call(String name, String arguments) {
        Optional<ObjectNode> object = CallJson.argumentsText(arguments);
        return name.isEmpty() || object.isEmpty() ? List.of() : List.of(new Call(name, object.get()));
    }
}

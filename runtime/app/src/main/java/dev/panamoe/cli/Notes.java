package dev.panamoe.cli;

import dev.panamoe.engine.Engine;
import dev.panamoe.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/// What a command tells beside its result, on standard error.
final class Notes {
    /// How {@link Engine#backendReasons} says what was not taken.
    private static final Pattern REFUSAL = Pattern.compile("not ([^:]+): (.*)");

    @Option(
            names = {"-q", "--quiet"},
            description = "Nothing on standard error but failures.")
    private boolean quiet;

    boolean quiet() {
        return quiet;
    }

    void print(Console console, String line) {
        if (!quiet) {
            console.err().println(line);
            console.err().flush();
        }
    }

    /// The same, dim where it can be.
    void dim(Console console, String line) {
        if (!quiet) {
            console.err().dim();
            console.err().print(line);
            console.err().reset();
            console.err().print("\n");
            console.err().flush();
        }
    }

    /// On what the model runs and why, whether its context is one it was trained for, and whether its file says all of
    /// its tokenizer.
    void opened(Console console, Engine engine) {
        print(console, choice(engine.backendReasons()));
        engine.loadNotes().forEach(note -> print(console, note));
        if (engine.contextLength() > engine.spec().contextLength()) {
            print(
                    console,
                    "warning: the model was trained for " + engine.spec().contextLength()
                            + " positions, --ctx asks for " + engine.contextLength());
        }
        Tokenizer.doubt(engine.metadata()).ifPresent(line -> print(console, "warning: " + line));
    }

    /// `backend cpu: 4 cores (not reference: slow; not cuda, opencl: no driver)`: of each reason what stands before
    /// its first semicolon, `panamoe devices` tells it whole.
    static String choice(List<String> reasons) {
        StringBuilder line = new StringBuilder();
        Map<String, String> refused = new LinkedHashMap<>();
        for (String reason : reasons) {
            Matcher refusal = REFUSAL.matcher(reason);
            if (refusal.matches()) {
                refused.merge(refusal.group(2).split(";", 2)[0], refusal.group(1), (a, b) -> a + ", " + b);
            } else {
                line.append(line.isEmpty() ? "" : "; ").append(reason);
            }
        }
        if (!refused.isEmpty()) {
            List<String> others = refused.entrySet().stream()
                    .map(r -> "not " + r.getValue() + ": " + r.getKey())
                    .toList();
            line.append(" (").append(String.join("; ", others)).append(')');
        }
        return line.toString();
    }
}

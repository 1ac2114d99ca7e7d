package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.Printable;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Turns whatever went wrong into one line that says what to do, and an exit code.
final class Failures {
    private static final int LONGEST = 4000;

    private Failures() {}

    static int usage(ParameterException e, Console console) {
        CommandSpec command = e.getCommandLine().getCommandSpec();
        String message = e instanceof UnmatchedArgumentException unmatched
                        && !command.subcommands().isEmpty()
                ? "there is no command '" + unmatched.getUnmatched().getFirst() + "', there are "
                        + String.join(", ", command.subcommands().keySet())
                : String.valueOf(e.getMessage()).replaceFirst("\\.$", "");
        line(console, message + "; see '" + command.qualifiedName() + " --help'");
        return ExitCode.USAGE;
    }

    static int report(Throwable e, Console console, boolean debug) {
        if (e instanceof OutputClosed) {
            return ExitCode.DONE; // the reader has what it wanted
        }
        try {
            console.out().flush();
        } catch (OutputClosed | PanamoeException closed) {
            // What went wrong first is what to report.
        }
        line(console, message(e));
        if (debug) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            console.err().print(trace.toString());
            console.err().flush();
        }
        return ExitCode.FAILED;
    }

    private static void line(Console console, String message) {
        console.err().println("panamoe: " + Printable.escape(message.strip(), LONGEST));
        console.err().flush();
    }

    private static String message(Throwable e) {
        return switch (e) {
            case PanamoeException p -> String.valueOf(p.getMessage());
            case InvalidPathException p -> Printable.escape(p.getInput()) + ": this cannot be a file name";
            case UncheckedIOException io when io.getCause() != null -> message(io.getCause());
            case FileSystemException f -> f.getFile() + ": " + reason(f);
            case IOException io -> reason(io);
            case OutOfMemoryError o -> outOfMemory(String.valueOf(o.getMessage()));
            case StackOverflowError s ->
                "the input is nested too deep; simplify it, or raise the stack with PANAMOE_JAVA_OPTS=-Xss8m";
            // The JVM's answer to a fault in mapped memory (SIGBUS).
            case InternalError i
            when String.valueOf(i.getMessage()).contains("fault occurred") ->
                "the model file was cut short or changed while it was in use; restore it and start again";
            default -> "unexpected: " + e + "; run again with --debug and report what it prints";
        };
    }

    /// What went wrong with a file, without its name.
    static String reason(IOException e) {
        return switch (e) {
            case FileSystemException f when f.getReason() != null -> f.getReason();
            case java.nio.file.NoSuchFileException n -> "there is no such file";
            case java.nio.file.AccessDeniedException a -> "permission denied";
            case FileSystemException f -> f.getClass().getSimpleName();
            default -> String.valueOf(e.getMessage());
        };
    }

    private static String outOfMemory(String reason) {
        if (reason.contains("heap") || reason.contains("GC overhead") || reason.contains("array size")) {
            long mib = Runtime.getRuntime().maxMemory() >> 20;
            return "out of memory: the Java heap of " + mib + " MiB is too small for this; raise it with"
                    + " PANAMOE_JAVA_OPTS=-Xmx" + 2 * mib + "m, or use a smaller --ctx or input";
        }
        return "out of memory beside the Java heap (" + reason + "); use a smaller --ctx, or free memory";
    }
}

package dev.panamoe.cli;

import dev.panamoe.ffm.StdErr;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/// Where the program starts.
public final class Main {
    private static final int HELP_WIDTH = 110;

    private Main() {}

    public static void main(String[] args) {
        StdErr.restore(); // before anything else writes there; a failure leaves it usable
        // Backends may leave threads behind that would keep the JVM alive.
        System.exit(run(args, Console.ofProcess()));
    }

    /// Runs one command.
    ///
    /// @return the exit code: 0 done, 1 failed, 2 wrong usage
    public static int run(String[] args, Console console) {
        PanamoeCommand root = new PanamoeCommand();
        CommandLine line = commandLine(root, console);
        try {
            int code = line.execute(args);
            line.getOut().flush();
            console.out().flush();
            return code;
        } catch (OutputClosed e) {
            return ExitCode.DONE; // the reader has what it wanted
        } catch (Throwable e) {
            // Errors too: a heap that is too small and a file that was cut short arrive as such.
            return Failures.report(e, console, root.debug());
        }
    }

    private static CommandLine commandLine(PanamoeCommand root, Console console) {
        CommandLine line = new CommandLine(root)
                .addSubcommand(new RunCommand(console))
                .addSubcommand(new InspectCommand(console))
                .addSubcommand(new DevicesCommand(console))
                .addSubcommand(new TokenizeCommand(console))
                .addSubcommand(new TemplateCommand(console))
                .addSubcommand(new LogitsCommand(console))
                .addSubcommand(new PerplexityCommand(console))
                .addSubcommand(new VerifyCommand(console));
        return line.setExpandAtFiles(false) // a prompt may begin with @
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpWidth(HELP_WIDTH)
                .setColorScheme(CommandLine.Help.defaultColorScheme(console.colours() ? Ansi.ON : Ansi.OFF))
                .setOut(console.out().writer())
                .setErr(console.err().writer())
                .setParameterExceptionHandler((e, args) -> Failures.usage(e, console))
                .setExecutionExceptionHandler((e, command, result) -> {
                    throw e;
                });
    }
}

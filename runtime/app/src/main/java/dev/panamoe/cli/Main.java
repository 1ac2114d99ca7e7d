package dev.panamoe.cli;

import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.Pooling;
import dev.panamoe.ffm.StdErr;
import dev.panamoe.spec.CacheType;
import dev.panamoe.spi.DeviceOptions;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

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
            if (code == ExitCode.DONE) {
                console.out().flush(); // and a failure to do so is the command's; of two, the first is told
            }
            return code;
        } catch (RuntimeException | Error e) {
            // Errors too: a heap that is too small and a file that was cut short arrive as such.
            return Failures.report(e, console, root.debug());
        }
    }

    private static CommandLine commandLine(PanamoeCommand root, Console console) {
        CommandLine line = new CommandLine(root)
                .addSubcommand(new RunCommand(console))
                .addSubcommand(new ChatCommand(console))
                .addSubcommand(new InspectCommand(console))
                .addSubcommand(new DevicesCommand(console))
                .addSubcommand(new TokenizeCommand(console))
                .addSubcommand(new TemplateCommand(console))
                .addSubcommand(new EmbedCommand(console))
                .addSubcommand(new LogitsCommand(console))
                .addSubcommand(new PerplexityCommand(console))
                .addSubcommand(new VerifyCommand(console))
                .addSubcommand(new BenchCommand(console))
                .addSubcommand(new CommandLine.HelpCommand());
        for (CommandLine command : line.getSubcommands().values()) {
            addHelpOption(command.getCommandSpec());
        }
        return line.setExpandAtFiles(false) // a prompt may begin with @
                .registerConverter(
                        DeviceOptions.Activations.class, new EnumConverter<>(DeviceOptions.Activations.class))
                .registerConverter(DeviceOptions.Tuning.class, new EnumConverter<>(DeviceOptions.Tuning.class))
                .registerConverter(CacheType.class, new EnumConverter<>(CacheType.class))
                .registerConverter(
                        EngineOptions.IfDeviceLost.class, new EnumConverter<>(EngineOptions.IfDeviceLost.class))
                .registerConverter(PerplexityCommand.Method.class, new EnumConverter<>(PerplexityCommand.Method.class))
                .registerConverter(Pooling.class, new EnumConverter<>(Pooling.class))
                .setUsageHelpWidth(HELP_WIDTH)
                .setColorScheme(CommandLine.Help.defaultColorScheme(console.colours() ? Ansi.ON : Ansi.OFF))
                .setOut(console.out().writer())
                .setErr(console.err().writer())
                .setParameterExceptionHandler((e, args) -> Failures.usage(e, console))
                .setExecutionExceptionHandler((e, command, result) -> Failures.report(e, console, root.debug()));
    }

    /// Here rather than in each command, because picocli's own mixin has `--version` too.
    private static void addHelpOption(CommandSpec command) {
        if (command.findOption("--help") == null) {
            command.addOption(OptionSpec.builder("-h", "--help")
                    .usageHelp(true)
                    .type(boolean.class)
                    .description("Show this help message and exit.")
                    .build());
        }
    }
}

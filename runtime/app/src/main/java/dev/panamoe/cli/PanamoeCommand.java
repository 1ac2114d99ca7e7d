package dev.panamoe.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// `panamoe` itself: what holds for every command.
@Command(
        name = "panamoe",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = "Runs mixture-of-experts language models (GGUF files) on this machine.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  panamoe run 'What is the capital of France?'        the embedded demo model answers",
            "  panamoe run --model model.gguf --temp 0 -n 100 'Why is the sky blue?'",
            "  panamoe chat --model model.gguf                     a conversation in the terminal",
            "  panamoe inspect model.gguf                          what is in the file, and the memory it takes",
            "  panamoe devices                                     what could run it here",
            "",
            "Without --model the embedded demo:gemma4 is used; demo:deepseek is the other one.",
            "Exit codes: 0 done, 1 failed, 2 wrong usage."
        })
final class PanamoeCommand implements Runnable {

    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print a stack trace when something fails.")
    private boolean debug;

    PanamoeCommand() {
        this.spec = CommandSpec.create(); // picocli puts the real one here
    }

    boolean debug() {
        return debug;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "which command? There are "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}

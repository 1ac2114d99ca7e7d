package dev.panamoe.bench;

import java.io.IOException;
import java.util.Collection;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Runs benchmarks: JMH's own command line, on every device of this machine unless `-p device=` or `-p backend=` says
/// which, with a table of rates at the end. A wrong result ends the run.
public final class Main {
    private Main() {}

    public static void main(String[] args) throws CommandLineOptionException, RunnerException, IOException {
        CommandLineOptions arguments = new CommandLineOptions(args);
        if (arguments.shouldHelp()) {
            arguments.showHelp();
            return;
        }
        ChainedOptionsBuilder options = new OptionsBuilder().parent(arguments).shouldFailOnError(true);
        if (!arguments.getParameter("device").hasValue()) {
            options.param("device", Devices.names().toArray(String[]::new));
        }
        if (!arguments.getParameter("backend").hasValue()) {
            options.param("backend", Devices.backends().toArray(String[]::new));
        }
        Runner runner = new Runner(options.build());
        if (arguments.shouldList() || arguments.shouldListWithParams()) {
            runner.listWithParams(arguments);
            return;
        }
        Collection<RunResult> results = runner.run();
        System.out.println();
        RateTable.lines(results).forEach(System.out::println);
    }
}

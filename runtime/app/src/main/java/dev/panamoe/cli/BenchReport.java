package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import tools.jackson.databind.node.ObjectNode;

/// Results of a benchmark as one page that opens anywhere: data, plotting library and what draws are in it, and nothing
/// is fetched.
final class BenchReport {
    private BenchReport() {}

    /// Refuses a path that could not be written, before minutes of measuring are spent.
    ///
    /// @throws PanamoeException why it could not
    static void check(Path file, Iterable<String> models) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (Files.isDirectory(file)) {
            throw new PanamoeException(file + ": this is a folder; give --report the name of a file");
        }
        if (folder == null || !Files.isDirectory(folder)) {
            throw new PanamoeException(file + ": the folder of this file does not exist");
        }
        if (!Files.isWritable(Files.exists(file) ? file : folder)) {
            throw new PanamoeException(file + ": permission denied");
        }
        for (String model : models) {
            if (Files.exists(file) && Files.exists(Path.of(model)) && Files.isSameFile(file, Path.of(model))) {
                throw new PanamoeException(file + ": this is the model itself; give --report another name");
            }
        }
    }

    static void write(Path file, ObjectNode results) throws IOException {
        // In a script's text only this could end it.
        String data = Json.line(results).replace("<", "\\u003c");
        Files.writeString(
                file, resource("report.html").replace("{{data}}", data).replace("{{chart.js}}", chartLibrary()));
    }

    /// Chart.js as its Maven artifact holds it.
    private static String chartLibrary() throws IOException {
        Properties versions = new Properties();
        try (InputStream in = stream("version.properties")) {
            versions.load(in);
        }
        return resource(
                "/META-INF/resources/webjars/chart.js/" + versions.getProperty("chart.js") + "/dist/chart.umd.min.js");
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = stream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static InputStream stream(String name) throws IOException {
        InputStream in = BenchReport.class.getResourceAsStream(name);
        if (in == null) {
            throw new IOException(name + " is missing from the program; build it again");
        }
        return in;
    }
}

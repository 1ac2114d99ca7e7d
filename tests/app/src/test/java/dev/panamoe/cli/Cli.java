package dev.panamoe.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The command line inside this JVM, its streams caught.
final class Cli {
    static final JsonMapper JSON = new JsonMapper();
    static final Path DATA = Path.of(System.getProperty("panamoe.testdata"));

    /// What a command did.
    @SuppressWarnings("ArrayRecordComponent") // the bytes are nobody else's
    record Result(int code, byte[] bytes, String err) {
        String out() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        JsonNode json() {
            return JSON.readTree(out());
        }

        List<String> errLines() {
            return err.lines().toList();
        }
    }

    private byte[] stdin = new byte[0];
    private boolean inIsTerminal;
    private boolean outIsTerminal;
    private boolean errIsTerminal;

    static Result run(String... args) {
        return new Cli().with(args);
    }

    Cli stdin(byte[] bytes) {
        stdin = bytes.clone();
        return this;
    }

    Cli stdin(String text) {
        return stdin(text.getBytes(StandardCharsets.UTF_8));
    }

    /// Standard input is a keyboard.
    Cli keyboard() {
        inIsTerminal = true;
        return this;
    }

    /// Standard output and standard error are a terminal.
    Cli screen() {
        outIsTerminal = true;
        errIsTerminal = true;
        return this;
    }

    Result with(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console =
                Console.of(new ByteArrayInputStream(stdin), out, err, inIsTerminal, outIsTerminal, errIsTerminal);
        int code = Main.run(args, console);
        return new Result(code, out.toByteArray(), err.toString(StandardCharsets.UTF_8));
    }

    static String[] args(List<String> first, String... more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(Arrays.asList(more));
        return all.toArray(String[]::new);
    }

    static int[] ints(JsonNode array) {
        return JSON.convertValue(array, int[].class);
    }

    static String fixture(String name) {
        return DATA.resolve("fixtures").resolve(name).toString();
    }
}

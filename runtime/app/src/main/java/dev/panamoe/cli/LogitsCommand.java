package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.engine.Engine;
import dev.panamoe.engine.Logits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `panamoe logits`: what the model computes, for comparing it with other implementations.
@Command(
        name = "logits",
        sortOptions = false,
        description = {
            "Writes the logits of every position as float32, little-endian: (tokens, vocabulary).",
            "With --hidden also the residual stream: (layers + 2, tokens, embedding), that is the input of layer 0, the"
                    + " output of each layer, and the output of the last norm."
        },
        footerHeading = "%nExample:%n",
        footer = "  panamoe logits --model model.gguf --tokens 2,15,467 --cache-type f32 --out logits.bin")
final class LogitsCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--tokens",
            required = true,
            paramLabel = "IDS",
            split = TokenIds.SEPARATOR,
            hideParamSyntax = true,
            description = "Token ids: 1,2,3. Nothing is added.")
    private List<Integer> tokens = new ArrayList<>();

    @Option(names = "--out", required = true, paramLabel = "F", description = "File for the logits.")
    private Path out = Path.of("");

    @Option(names = "--hidden", paramLabel = "H", description = "File for the hidden states.")
    private Optional<Path> hidden = Optional.empty();

    @Mixin
    private Notes notes = new Notes();

    LogitsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        try (Engine engine = Loading.open(console, notes, model.model(), model.engineOptions())) {
            int[] ids = TokenIds.array(tokens);
            Logits computation = new Logits(engine, ids);
            refuseToOverwrite(engine);
            try (FileChannel logits = create(out);
                    @Nullable FileChannel states = hidden.isPresent() ? create(hidden.get()) : null) {
                notes.opened(console, engine);
                computation.run(new ResultFiles(logits, states, ids.length));
            }
        }
        return ExitCode.DONE;
    }

    /// Creating a result empties a file of that name, so it must be neither the model nor the other result.
    private void refuseToOverwrite(Engine engine) throws IOException {
        for (Path result : hidden.isPresent() ? List.of(out, hidden.get()) : List.of(out)) {
            for (Path part : engine.files()) {
                if (Files.exists(result) && Files.isSameFile(result, part)) {
                    throw new PanamoeException(
                            result + ": this is the model itself; give --out and --hidden other names");
                }
            }
        }
        if (hidden.isPresent() && isSame(out, hidden.get())) {
            throw new PanamoeException(out + ": --out and --hidden are the same file; give two names");
        }
    }

    private static boolean isSame(Path a, Path b) throws IOException {
        return a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize())
                || (Files.exists(a) && Files.exists(b) && Files.isSameFile(a, b));
    }

    private static FileChannel create(Path path) throws IOException {
        try {
            return FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (NoSuchFileException e) {
            throw new PanamoeException(path + ": the folder of this file does not exist", e);
        }
    }

    /// Writes results to where they belong.
    private static final class ResultFiles implements Logits.Target {
        private final FileChannel logits;
        private final @Nullable FileChannel states;
        private final int tokens;

        private ByteBuffer bytes = ByteBuffer.allocate(0);

        /// @param tokens of the whole sequence
        ResultFiles(FileChannel logits, @Nullable FileChannel states, int tokens) {
            this.logits = logits;
            this.states = states;
            this.tokens = tokens;
        }

        @Override
        public void logits(float[] values, int count) {
            fill(values, count);
            try {
                while (bytes.hasRemaining()) {
                    logits.write(bytes); // in order, so that it may be a pipe
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean wantsStates() {
            return states != null;
        }

        @Override
        public void state(int state, int first, int width, float[] values) {
            if (states == null) {
                return;
            }
            long position = 4L * width * ((long) state * tokens + first);
            fill(values, values.length);
            try {
                while (bytes.hasRemaining()) {
                    position += states.write(bytes, position);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void fill(float[] values, int count) {
            if (bytes.capacity() < 4 * count) {
                bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
            }
            bytes.clear();
            bytes.asFloatBuffer().put(values, 0, count);
            bytes.limit(4 * count);
        }
    }
}

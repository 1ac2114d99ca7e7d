package dev.panamoe.cli;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.engine.Backends;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.engine.ModelFile;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Caches;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.model.Tap;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Rows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
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
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Writes the logits of every position as float32, little-endian: (tokens, vocabulary).",
            "With --hidden also the residual stream: (layers + 2, tokens, embedding), that is the input of layer 0, the"
                    + " output of each layer, and the output of the last norm."
        },
        footerHeading = "%nExample:%n",
        footer = "  panamoe logits --model model.gguf --tokens 2,15,467 --cache-type f32 --out logits.bin")
final class LogitsCommand implements Callable<Integer> {
    /// Rows of a forward pass, and values read at once: a vocabulary can be wide.
    private static final int ROWS = 64;

    private static final int LOGITS_AT_ONCE = 1 << 20;

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--tokens",
            required = true,
            paramLabel = "IDS",
            split = TokenIds.SEPARATOR,
            splitSynopsisLabel = ",",
            description = "Token ids: 1,2,3. Nothing is added.")
    private List<Integer> tokens = new ArrayList<>();

    @Option(names = "--out", required = true, paramLabel = "F", description = "File for the logits.")
    private Path out = Path.of("");

    @Option(names = "--hidden", paramLabel = "H", description = "File for the hidden states.")
    private Optional<Path> hidden = Optional.empty();

    LogitsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        EngineOptions options = model.engineOptions();
        int[] ids = TokenIds.array(tokens);
        Backends.Choice choice = Backends.choose(options.backend());
        try (ModelFile opened = ModelFile.open(model.model())) {
            GgufFile file = opened.file();
            ModelSpec spec = Architectures.read(file);
            check(ids, spec, options);
            try (Device device = choice.open(new DeviceOptions(options.threads()));
                    Model loaded = Model.load(file, spec, device);
                    Runner runner = new Runner(loaded, Math.min(ids.length, ROWS));
                    Caches caches = loaded.newCaches(ids.length, runner.maxRows(), options.cacheType());
                    FileChannel logits = create(out);
                    @Nullable FileChannel states = hidden.isPresent() ? create(hidden.get()) : null) {
                choice.reasons().forEach(console.err()::println);
                console.err().flush();
                write(runner, caches, ids, logits, states);
            }
        }
        return ExitCode.DONE;
    }

    private static void check(int[] ids, ModelSpec spec, EngineOptions options) {
        for (int id : ids) {
            if (id < 0 || id >= spec.vocabulary()) {
                throw new PanamoeException(
                        "token " + id + " is not in the vocabulary, which ends at " + (spec.vocabulary() - 1));
            }
        }
        if (options.contextLength() > 0 && ids.length > options.contextLength()) {
            throw new PanamoeException(ids.length + " tokens do not fit a --ctx of " + options.contextLength());
        }
    }

    private static FileChannel create(Path path) throws IOException {
        try {
            return FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (NoSuchFileException e) {
            throw new PanamoeException(path + ": the folder of this file does not exist", e);
        }
    }

    private static void write(Runner runner, Caches caches, int[] ids, FileChannel logits, @Nullable FileChannel states)
            throws IOException {
        ModelSpec spec = runner.model().spec();
        int width = spec.vocabulary();
        int rowsAtOnce = Math.clamp(LOGITS_AT_ONCE / width, 1, runner.maxRows());
        float[] values = new float[rowsAtOnce * width];
        ByteBuffer bytes = ByteBuffer.allocate(4 * Math.max(values.length, runner.maxRows() * spec.embedding()))
                .order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < ids.length; ) {
            int n = Math.min(runner.maxRows(), ids.length - at);
            Tap layers = states == null ? Tap.NONE : new StateWriter(runner.model(), ids.length, at, states, bytes);
            runner.forward(caches, ids, at, n, at, layers);
            for (int row = 0; row < n; row += rowsAtOnce) {
                int rows = Math.min(rowsAtOnce, n - row);
                Tap norm = states == null
                        ? Tap.NONE
                        : new StateWriter(runner.model(), ids.length, at + row, states, bytes);
                runner.logits(row, rows, values, 0, norm);
                fill(bytes, values, rows * width);
                while (bytes.hasRemaining()) {
                    logits.write(bytes); // in order, so that it may be a pipe
                }
            }
            at += n;
        }
    }

    private static void fill(ByteBuffer bytes, float[] values, int count) {
        bytes.clear();
        bytes.asFloatBuffer().put(values, 0, count);
        bytes.limit(4 * count);
    }

    /// Puts the residual stream of some tokens to its place in the file of all.
    private record StateWriter(Model model, int tokens, int first, FileChannel channel, ByteBuffer bytes)
            implements Tap {
        @Override
        public void see(String name, int layer, Rows rows) {
            switch (name) {
                case "inp_embd" -> put(0, rows);
                case "l_out" -> put(1 + layer, rows);
                case "result_norm" -> put(1 + model.spec().layers().size(), rows);
                default -> {}
            }
        }

        private void put(int state, Rows rows) {
            float[] values = new float[rows.rows() * rows.cols()];
            model.device().read(rows, values, 0);
            long position = 4L * rows.cols() * ((long) state * tokens + first);
            fill(bytes, values, values.length);
            try {
                while (bytes.hasRemaining()) {
                    position += channel.write(bytes, position);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

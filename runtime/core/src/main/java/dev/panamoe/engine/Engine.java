package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.arch.Architectures;
import dev.panamoe.chat.ChatFormat;
import dev.panamoe.chat.Dialect;
import dev.panamoe.engine.EngineOptions.IfDeviceLost;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.grammar.TokenTrie;
import dev.panamoe.model.Caches;
import dev.panamoe.model.MemoryPlan;
import dev.panamoe.model.Runner;
import dev.panamoe.sampling.SamplingParams;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Arithmetic;
import dev.panamoe.spi.Ceilings;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.LoadProgress;
import dev.panamoe.spi.Rows;
import dev.panamoe.tensor.TensorView;
import dev.panamoe.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A model ready to run. It may be used by many threads; each conversation is a {@link Session} of its own, all share
/// the weights, and their steps take turns on the device.
///
/// When the device is lost, the request that was running fails with a {@link DeviceLostException}. What the next one
/// does is {@link EngineOptions#ifDeviceLost}; sessions keep their tokens and compute them again.
///
/// ```java
/// try (Engine engine = Engine.open(Path.of("model.gguf"));
///         Session session = engine.newSession()) {
///     Completion answer = session.chat("Why is the sky blue?", delta -> System.out.print(delta.content()));
///     System.out.println(answer.finishReason());
/// }
/// ```
public final class Engine implements AutoCloseable {
    static final String NO_WEIGHTS = "the file holds no weights, perhaps only a vocabulary; get the model itself";

    private static final String CPU = "cpu";

    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final ReentrantLock device = new ReentrantLock(true);
    private final EngineOptions options;
    private final LoadProgress progress;
    private final GgufFile file;
    private final ModelSpec spec;
    private final Tokenizer tokenizer;
    private final int maxRows;
    private final long loadNanos;

    /// What computes after a loss, unless the options say that nothing does.
    private final Backends.Choice successor;

    /// What computes, or is closed because its device was lost.
    private volatile LoadedModel loaded;

    /// What the device said when it was lost; null while it serves.
    private volatile @Nullable String loss;

    private volatile Consumer<String> warnings = line -> LOG.log(System.Logger.Level.WARNING, line);
    private volatile boolean closed;
    private volatile @Nullable ChatFormat chatFormat;
    private volatile @Nullable Dialect dialect;
    private volatile @Nullable TokenTrie tokenTrie;

    private Engine(String source, EngineOptions options, LoadProgress progress) {
        long start = System.nanoTime();
        this.options = options;
        this.progress = progress;
        try {
            Backends.Choice choice = Backends.choose(options.backend());
            file = own(ModelFile.open(source)).file();
            if (file.tensors().isEmpty()) {
                throw new PanamoeException(file.name() + ": " + NO_WEIGHTS);
            }
            spec = Architectures.read(file);
            maxRows = rowsFor(spec);
            Caches.check(file, spec, options.cacheType());
            tokenizer = Tokenizer.of(file.metadata());
            checkVocabulary(file, tokenizer, spec);
            successor = options.ifDeviceLost() == IfDeviceLost.CPU
                            && !choice.provider().name().equals(CPU)
                    ? Backends.choose(CPU).because(choice.device().id() + " was lost")
                    : choice;
            loaded = own(LoadedModel.load(choice, options.device(), file, spec, maxRows, progress));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
        loadNanos = System.nanoTime() - start;
    }

    /// @throws PanamoeException when there are tokens that the model has no embedding of
    static void checkVocabulary(GgufFile file, Tokenizer tokenizer, ModelSpec spec) {
        if (tokenizer.size() > spec.vocabulary()) {
            throw new PanamoeException(file.name() + ": the tokenizer has " + tokenizer.size()
                    + " tokens, but token_embd.weight only " + spec.vocabulary()
                    + " rows; the file is damaged or was converted wrongly");
        }
    }

    /// Opens a model file with default options.
    ///
    /// @throws PanamoeException when the file cannot run here, and why
    public static Engine open(Path model) {
        return open(model.toString(), EngineOptions.DEFAULT);
    }

    /// Opens a model.
    ///
    /// @param model a GGUF file, or an embedded model such as `demo:gemma4`
    /// @throws PanamoeException when it cannot run here, and why
    public static Engine open(String model, EngineOptions options) {
        return open(model, options, LoadProgress.NONE);
    }

    /// As {@link #open(String, EngineOptions)}, telling how far it is, also when a lost device is opened again.
    public static Engine open(String model, EngineOptions options, LoadProgress progress) {
        return new Engine(model, options, progress);
    }

    private <T extends AutoCloseable> T own(T resource) {
        resources.push(resource);
        return resource;
    }

    /// A new conversation with an empty context.
    ///
    /// @throws PanamoeException when there is no memory for its keys and values
    public Session newSession() {
        requireOpen();
        Caches caches = newCaches(contextLength());
        try {
            return new Session(this, caches);
        } catch (RuntimeException | Error e) {
            close(caches);
            throw e;
        }
    }

    /// Turns texts into vectors.
    ///
    /// @throws PanamoeException when the model gives none, or there is no memory for the keys and values of a text
    public Embedder newEmbedder(EmbeddingOptions embedding) {
        requireOpen();
        return new Embedder(this, embedding);
    }

    /// Measures every operation of all sessions until the result is closed, or until the device is lost. Two at a time
    /// measure nothing useful.
    public Profiler newProfiler() {
        return use(runner -> {
            ProfiledOps ops = new ProfiledOps(loaded.device(), loaded.device().ops());
            runner.useOps(ops);
            return new Profiler(this, ops);
        });
    }

    /// Computes as before {@link #newProfiler}.
    void endProfiling() {
        device.lock();
        try {
            // Nobody wants a lost device opened again for this.
            if (!closed && loss == null) {
                loaded.runner().useOps(loaded.device().ops());
            }
        } finally {
            device.unlock();
        }
    }

    /// Says who is told of what happens while the engine runs: that a device was lost, and what is opened in its place.
    /// Without it, the log `dev.panamoe.engine.Engine` is.
    ///
    /// @param listener gets a line at a time, while other sessions wait
    public void onWarning(Consumer<String> listener) {
        warnings = listener;
    }

    /// Measures what the device can do at most. Other sessions wait.
    public Optional<Ceilings> measureCeilings() {
        return use(runner -> loaded.device().measureCeilings());
    }

    /// What products are made of.
    public Arithmetic arithmetic() {
        return loaded.device().arithmetic();
    }

    /// Whether reading the likeliest tokens alone is cheaper than reading all logits.
    boolean prefersTopK() {
        return loaded.device().prefersTopK();
    }

    /// The kernel set that computes; empty where there is no choice.
    public String kernels() {
        return loaded.device().kernels();
    }

    /// The tensors of the model.
    public Collection<TensorView> tensors() {
        return file.tensors().values();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the engine is closed");
        }
    }

    /// Keys and values of one sequence.
    Caches newCaches(int positions) {
        return use(runner -> runner.model().newCaches(positions, maxRows, options.cacheType()));
    }

    /// Lends caches to work that begins and ends with them.
    void withCaches(int positions, Consumer<Caches> work) {
        Caches caches = newCaches(positions);
        try {
            work.accept(caches);
        } finally {
            close(caches);
        }
    }

    /// Whether the caches hold what was computed; otherwise they were lost with their device.
    boolean holds(Caches caches) {
        return loss == null && caches.isOn(loaded.device());
    }

    /// New and empty caches in the place of those that were lost with their device.
    Caches renew(Caches caches) {
        close(caches);
        return newCaches(caches.contextLength());
    }

    /// Frees what a session remembers, while no step of another runs: one thread at a time may use a device.
    void close(Caches caches) {
        device.lock();
        try {
            caches.close();
        } finally {
            device.unlock();
        }
    }

    /// The memory that a model takes with one session, computed without loading it.
    static MemoryPlan plan(GgufFile file, ModelSpec spec, EngineOptions options) {
        return MemoryPlan.of(file, spec, contextLength(spec, options), options.cacheType(), rowsFor(spec));
    }

    // A quarter of the heap for intermediates leaves room for the backend's own and everything else.
    static int rowsFor(ModelSpec spec) {
        return MemoryPlan.rowsWithin(spec, Runtime.getRuntime().maxMemory() / 4);
    }

    /// Positions a session can hold.
    public int contextLength() {
        return contextLength(spec, options);
    }

    /// Positions that a session of a model would hold.
    static int contextLength(ModelSpec spec, EngineOptions options) {
        return options.contextLength() > 0
                ? options.contextLength()
                : Math.min(spec.contextLength(), EngineOptions.DEFAULT_CONTEXT);
    }

    public ModelSpec spec() {
        return spec;
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /// The files of the model; none when it is embedded.
    public List<Path> files() {
        return file.files();
    }

    public Metadata metadata() {
        return file.metadata();
    }

    /// How the model wants conversations written.
    ///
    /// @throws PanamoeException when the file has no template, or one that cannot be read
    public ChatFormat chatFormat() {
        ChatFormat format = chatFormat;
        if (format == null) {
            // Reading a template takes milliseconds that raw prompts need not spend.
            format = ChatFormat.of(
                    file.name(),
                    file.metadata().findString("tokenizer.chat_template"),
                    tokenizer.specialText(tokenizer.bos()),
                    tokenizer.specialText(tokenizer.eos()));
            chatFormat = format;
        }
        return format;
    }

    /// How this model marks reasoning and calls.
    Dialect dialect() {
        Dialect found = dialect;
        if (found == null) {
            found = Dialect.of(tokenizer);
            dialect = found;
        }
        return found;
    }

    /// The vocabulary as grammars see it: the marks of reasoning are no text.
    TokenTrie tokenTrie() {
        TokenTrie found = tokenTrie;
        if (found == null) {
            found = TokenTrie.of(tokenizer, dialect().marks());
            tokenTrie = found;
        }
        return found;
    }

    /// What the model's authors recommend.
    public SamplingParams defaultSampling() {
        return SamplingParams.defaults(file.metadata()::findFloat);
    }

    EngineOptions options() {
        return options;
    }

    /// The device that computes.
    public DeviceInfo device() {
        return loaded.choice().device();
    }

    /// Why this device and not others, one line each.
    public List<String> backendReasons() {
        return loaded.choice().reasons();
    }

    /// What the device did with the weights, a line each, for people.
    public List<String> loadNotes() {
        return loaded.model().notes();
    }

    /// Wall-clock time of opening, in nanoseconds.
    public long loadNanos() {
        return loadNanos;
    }

    /// Does one step with the runner: waits until no other session uses it, and opens a lost device again. Caches from
    /// before may be lost, see {@link #renew}.
    ///
    /// @throws DeviceLostException when the device is lost, and what the next request does
    <T> T use(Function<Runner, T> step) {
        device.lock();
        try {
            requireOpen();
            file.checkUnchanged();
            if (loss != null) {
                reopen(loss);
            }
            return step.apply(loaded.runner());
        } catch (DeviceLostException e) {
            throw lost(e);
        } finally {
            device.unlock();
        }
    }

    /// As {@link #use}, for a step without a result.
    void run(Consumer<Runner> step) {
        use(runner -> {
            step.accept(runner);
            return runner; // a value that is not looked at
        });
    }

    /// Closes what the device took with it.
    ///
    /// @return what the request fails with
    private DeviceLostException lost(DeviceLostException e) {
        if (loss != null) {
            return e; // a step within this one has done it, or this is the device that could not be opened again
        }
        LoadedModel gone = loaded;
        loss = String.valueOf(e.getMessage());
        resources.remove(gone);
        DeviceLostException failure = new DeviceLostException(
                "the device " + gone.choice().device().id() + " ("
                        + gone.choice().device().description() + ") was lost: " + loss + "; this request has failed, "
                        + switch (options.ifDeviceLost()) {
                            case REOPEN -> "a later one opens it again";
                            case CPU ->
                                "a later one goes on with " + successor.device().id();
                            case FAIL -> "as all later ones will; start again";
                        },
                e);
        try {
            gone.close();
        } catch (RuntimeException notClosed) {
            failure.addSuppressed(notClosed);
        }
        return failure;
    }

    private void reopen(String why) {
        String was = "the device " + loaded.choice().device().id() + " was lost";
        if (options.ifDeviceLost() == IfDeviceLost.FAIL) {
            throw new DeviceLostException(was + ": " + why + "; start again");
        }
        String next = successor.device().id();
        warnings.accept(was + "; opening " + next);
        try {
            loaded = own(loadUninterrupted());
        } catch (PanamoeException e) {
            throw new DeviceLostException(
                    was + ", and " + next + " cannot be opened: " + e.getMessage()
                            + "; the next request tries it once more",
                    e);
        }
        loss = null;
    }

    /// In a thread of its own: an interrupt, which only means that the answer is not wanted any more, would close the
    /// file that re-packed weights are written to.
    private LoadedModel loadUninterrupted() {
        FutureTask<LoadedModel> loading =
                new FutureTask<>(() -> LoadedModel.load(successor, options.device(), file, spec, maxRows, progress));
        Thread.ofPlatform().daemon().name("panamoe-open").start(loading);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return loading.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case RuntimeException r -> throw r;
                        case Error error -> throw error;
                        case null, default -> throw new IllegalStateException(e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Rows that a tap sees, copied from the device: (rows, cols), contiguous.
    float[] read(Rows rows) {
        float[] values = new float[rows.rows() * rows.cols()];
        loaded.device().read(rows, values, 0);
        return values;
    }

    /// Puts other values in the place of what a tap sees.
    ///
    /// @param values (rows, cols), contiguous
    void write(Rows rows, float[] values) {
        loaded.device().write(rows, values);
    }

    /// @param size tokens of the vocabulary
    /// @throws PanamoeException when there are no tokens or one is not in the vocabulary
    static void checkTokens(int[] tokens, int size) {
        if (tokens.length == 0) {
            throw new PanamoeException("the prompt is empty");
        }
        for (int token : tokens) {
            if (token < 0 || token >= size) {
                throw new PanamoeException("token " + token + " is not in the vocabulary, which ends at " + (size - 1));
            }
        }
    }

    int maxRows() {
        return maxRows;
    }

    /// Waits for a running step, then frees everything. Sessions must not be used any more.
    @Override
    public void close() {
        device.lock();
        try {
            closed = true;
            RuntimeException failure = null;
            while (!resources.isEmpty()) {
                try {
                    resources.pop().close();
                } catch (Exception e) {
                    if (failure == null) {
                        failure = new IllegalStateException("a part of the engine could not be closed", e);
                    } else {
                        failure.addSuppressed(e);
                    }
                }
            }
            if (failure != null) {
                throw failure;
            }
        } finally {
            device.unlock();
        }
    }
}

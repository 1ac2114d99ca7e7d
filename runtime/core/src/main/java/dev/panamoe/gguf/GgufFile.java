package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import dev.panamoe.tensor.Shape;
import dev.panamoe.tensor.TensorView;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// An open model: its metadata and its tensors, mapped read-only. The container is checked as a whole before this
/// object exists, so that no tensor reaches outside its file, overlaps another or has an impossible shape. What the
/// values mean is the business of `dev.panamoe.arch`.
///
/// A file can still be cut short by another program while it is open. Reading bytes that are gone fails with an
/// [InternalError] from the JVM (the operating system's SIGBUS); call [#checkUnchanged] before long work to turn that
/// into a message, which narrows the window but cannot close it. Files that grow or are rewritten in place are not
/// noticed by the JVM at all.
///
/// May be used by many threads. Closing unmaps: using a tensor afterwards throws [IllegalStateException].
public final class GgufFile implements AutoCloseable {
    private final String name;
    private final List<MappedFile> mapped;
    private final Optional<Arena> arena;
    private final List<GgufPart> parts;
    private final Map<String, TensorView> tensors;
    private final List<String> faults;
    private final long bytes;

    private GgufFile(
            List<MappedFile> mapped, Optional<Arena> arena, List<GgufPart> parts, List<String> faults, long bytes) {
        this.name = parts.getFirst().file();
        this.mapped = List.copyOf(mapped);
        this.arena = arena;
        this.parts = List.copyOf(parts);
        this.tensors = merge(parts);
        this.faults = List.copyOf(faults);
        this.bytes = bytes;
    }

    /// Opens a model. Of a split model, `path` is the first part; the others are looked for beside it, by its name.
    ///
    /// @throws PanamoeException naming the file and what is wrong with it
    public static GgufFile open(Path path) {
        return open(path, fault -> {
            throw fault;
        });
    }

    /// Opens what there is of a model, to look at it: parts of a split one whose others are missing or do not belong to
    /// them, or a file that is sound but no model, such as an adapter. [#faults] says what [#open] refuses it for.
    ///
    /// @throws PanamoeException when not even that can be read
    public static GgufFile inspect(Path path) {
        return open(path, fault -> {});
    }

    /// @param refusal gets what keeps a sound file from being a model
    @SuppressWarnings("MustBeClosedChecker") // the arena goes to the returned object, whose close() closes it
    private static GgufFile open(Path path, Consumer<PanamoeException> refusal) {
        Arena arena = Arena.ofShared();
        List<MappedFile> mapped = new ArrayList<>();
        try {
            return open(path, arena, mapped, refusal);
        } catch (InternalError e) {
            // the JVM's answer to a fault in mapped memory; a real one is not made worse by this message
            PanamoeException failure = new PanamoeException(
                    Printable.escape(path.toString(), 1000) + ": the file changed while it was read; try again", e);
            release(arena, mapped, failure);
            throw failure;
        } catch (RuntimeException | Error e) {
            release(arena, mapped, e);
            throw e;
        }
    }

    private static GgufFile open(Path path, Arena arena, List<MappedFile> mapped, Consumer<PanamoeException> refusal) {
        List<GgufPart> parts = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        MappedFile first = MappedFile.open(path, arena);
        mapped.add(first);
        parts.add(GgufParser.parse(first.name(), first.bytes()));
        Consumer<PanamoeException> noted = fault -> {
            refusal.accept(fault);
            faults.add(String.valueOf(fault.getMessage()));
        };
        try {
            openSiblings(path, arena, mapped, parts);
        } catch (PanamoeException e) {
            noted.accept(e);
        }
        try {
            checkIsModel(parts.getFirst().metadata());
        } catch (PanamoeException e) {
            noted.accept(e);
        }
        long bytes = mapped.stream().mapToLong(m -> m.bytes().byteSize()).sum();
        return new GgufFile(mapped, Optional.of(arena), parts, faults, bytes);
    }

    private static void openSiblings(Path path, Arena arena, List<MappedFile> mapped, List<GgufPart> parts) {
        SplitKeys keys = SplitKeys.of(parts.getFirst().metadata());
        List<Path> siblings = keys.siblings(path);
        for (int i = 0; i < siblings.size(); i++) {
            MappedFile next = MappedFile.open(siblings.get(i), arena);
            mapped.add(next);
            GgufPart part = GgufParser.parse(next.name(), next.bytes());
            keys.checkPart(i + 1, part.metadata());
            parts.add(part);
        }
        keys.checkTensorCount(parts);
    }

    /// A model that is in memory already. The caller owns the memory and keeps it for as long as this object is used.
    ///
    /// @param name what messages call it
    /// @param bytes the whole file
    /// @throws PanamoeException naming what is wrong with it
    public static GgufFile ofMemory(String name, MemorySegment bytes) {
        GgufPart part = GgufParser.parse(Printable.escape(name), bytes.asReadOnly());
        SplitKeys keys = SplitKeys.of(part.metadata());
        keys.checkWhole();
        keys.checkTensorCount(List.of(part));
        checkIsModel(part.metadata());
        return new GgufFile(List.of(), Optional.empty(), List.of(part), List.of(), bytes.byteSize());
    }

    /// File name for messages; of a split model the first part's.
    public String name() {
        return name;
    }

    /// All parts in order; empty for a model in memory.
    public List<Path> files() {
        return mapped.stream().map(MappedFile::path).toList();
    }

    /// Version of the format, 2 or 3.
    public int version() {
        return parts.getFirst().version();
    }

    /// Size of all parts together.
    public long fileBytes() {
        return bytes;
    }

    /// The metadata, which stands in the first part.
    public Metadata metadata() {
        return parts.getFirst().metadata();
    }

    /// All tensors of all parts by name, in listing order. Their segments are read-only and live until [#close].
    public Map<String, TensorView> tensors() {
        return tensors;
    }

    public Optional<TensorView> find(String tensorName) {
        return Optional.ofNullable(tensors.get(tensorName));
    }

    /// @throws PanamoeException naming file and tensor when there is none of this name
    public TensorView get(String tensorName) {
        return find(tensorName)
                .orElseThrow(() -> new PanamoeException(name + ": tensor " + Printable.escape(tensorName)
                        + " is missing; the file is incomplete or of another architecture than it says"));
    }

    /// Matrices that are tensors of their own, as the slices of one tensor. Nothing is copied, so they must be alike
    /// and lie in the same file, in whatever order and distance.
    ///
    /// @param stackName what messages call the result
    /// @param names the slices in order, at least one
    /// @return empty when they are not alike or lie in several files
    /// @throws PanamoeException naming file and tensor when one is missing
    public Optional<TensorView> stack(String stackName, List<String> names) {
        List<TensorView> slices = names.stream().map(this::get).toList();
        TensorView first = slices.getFirst();
        for (TensorView slice : slices) {
            boolean alike = slice.type() == first.type() && slice.shape().equals(first.shape());
            if (!alike || slice.shape().slices() > 1) {
                return Optional.empty();
            }
        }
        List<Long> addresses = slices.stream().map(s -> s.data().address()).toList();
        long start = Collections.min(addresses);
        long bytes = Collections.max(addresses) - start + first.sliceBytes();
        Shape shape = Shape.of(first.shape().cols(), first.shape().rows(), slices.size());
        List<Long> starts = addresses.stream().map(a -> a - start).toList();
        return parts.stream()
                .filter(p -> holds(p.bytes(), start, bytes))
                .findFirst()
                .map(p -> p.bytes().asSlice(start - p.bytes().address(), bytes))
                .map(data -> new TensorView(stackName, first.type(), shape, data, starts));
    }

    private static boolean holds(MemorySegment file, long address, long bytes) {
        return address >= file.address() && address - file.address() <= file.byteSize() - bytes;
    }

    /// What is odd about the files without being a fault, one line each.
    public List<String> warnings() {
        return parts.stream()
                .filter(p -> p.unusedBytes() > 0)
                .map(p -> p.file() + ": " + p.unusedBytes() + " bytes after the last tensor belong to nothing; "
                        + "the file may have been damaged by a resumed download")
                .toList();
    }

    /// Why this is no whole model, one line each; never any after [#open].
    public List<String> faults() {
        return faults;
    }

    /// Fails when a file changed its size since it was opened. A cheap call; make it before each run of heavy work.
    ///
    /// @throws PanamoeException naming the file and both sizes
    /// @throws IllegalStateException after [#close]
    public void checkUnchanged() {
        if (arena.isPresent() && !arena.get().scope().isAlive()) {
            throw new IllegalStateException(name + " is closed");
        }
        mapped.forEach(MappedFile::checkUnchanged);
    }

    /// Says of two opened models whether they are the same files, unchanged: path, size and time of change of each when
    /// it was mapped.
    ///
    /// @return empty for a model that is no file of its own, or one whose facts are not known
    public String identity() {
        return mapped.stream().anyMatch(m -> m.identity().isEmpty())
                ? ""
                : mapped.stream().map(MappedFile::identity).collect(Collectors.joining("\n"));
    }

    /// Unmaps the files. Closing twice does nothing.
    ///
    /// @throws IllegalStateException while another thread is reading a tensor; nothing is unmapped then
    @Override
    public void close() {
        if (arena.isEmpty() || !arena.get().scope().isAlive()) {
            return;
        }
        arena.get().close();
        IOException failure = null;
        for (MappedFile file : mapped) {
            try {
                file.close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw new UncheckedIOException(name + ": a file could not be closed", failure);
        }
    }

    private static void release(Arena arena, List<MappedFile> mapped, Throwable cause) {
        arena.close();
        for (MappedFile file : mapped) {
            try {
                file.close();
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private static Map<String, TensorView> merge(List<GgufPart> parts) {
        Map<String, TensorView> all = new LinkedHashMap<>();
        for (GgufPart part : parts) {
            for (TensorView tensor : part.tensors()) {
                if (all.putIfAbsent(tensor.name(), tensor) != null) {
                    throw new PanamoeException(part.file() + ": tensor " + tensor.name()
                            + " is also in an earlier part; the parts do not belong together");
                }
            }
        }
        return Collections.unmodifiableMap(all);
    }

    private static void checkIsModel(Metadata metadata) {
        String type = metadata.findString("general.type").orElse("model");
        if (!type.equals("model")) {
            throw new PanamoeException(metadata.source() + ": this is a file of type '" + Printable.escape(type, 40)
                    + "' (general.type), not a model; give the model file it belongs to");
        }
    }
}

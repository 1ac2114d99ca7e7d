package dev.panamoe.gguf;

import dev.panamoe.PanamoeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/// What a file says about the split it belongs to: the keys `split.no` (from 0), `split.count` and
/// `split.tensors.count` (of all parts). Nothing in a file decides which other files are opened: their names come from
/// the path that the user gave, and the keys must agree with it.
///
/// @param source file name for messages
/// @param number of this part, from 0
/// @param count of parts; 1 when the file is whole
/// @param tensors of all parts, if the file says so
record SplitKeys(String source, int number, int count, OptionalInt tensors) {
    private static final String NUMBER = "split.no";
    private static final String COUNT = "split.count";
    private static final String TENSORS = "split.tensors.count";
    /// As many as five digits can number.
    private static final int MAX_PARTS = 99_999;

    static SplitKeys of(Metadata metadata) {
        OptionalInt number = metadata.findInt(NUMBER);
        OptionalInt count = metadata.findInt(COUNT);
        OptionalInt tensors = metadata.findInt(TENSORS);
        if (number.isPresent() != count.isPresent()) {
            throw fault(
                    metadata.source(),
                    "the file has only one of the keys " + NUMBER + " and " + COUNT + "; the file is damaged");
        }
        int n = number.orElse(0);
        // A file merged from parts says that it is part 0 of 0.
        int of = n == 0 && count.orElse(1) == 0 ? 1 : count.orElse(1);
        if (of < 1 || of > MAX_PARTS || n < 0 || n >= of) {
            throw fault(
                    metadata.source(),
                    NUMBER + " " + n + " and " + COUNT + " " + of + " contradict each other; the file is damaged");
        }
        if (of > 1 && tensors.isEmpty()) {
            throw fault(metadata.source(), TENSORS + " is missing in a part of a split model; the file is damaged");
        }
        return new SplitKeys(metadata.source(), n, of, tensors);
    }

    /// The other parts, which lie beside the opened first one.
    ///
    /// @param opened path that the user gave
    List<Path> siblings(Path opened) {
        if (count == 1) {
            return List.of();
        }
        SplitName name = SplitName.of(opened.getFileName().toString())
                .orElseThrow(() -> fault(
                        source,
                        "this is part " + (number + 1) + " of " + count
                                + " of a split model, but its name does not end in "
                                + SplitName.suffix(number + 1, count) + ", so that the others cannot be found"));
        if (number != 0) {
            throw fault(
                    source,
                    "this is part " + (number + 1) + " of " + count + " of a split model; open the first part, "
                            + Printable.escape(new SplitName(name.prefix(), 1, count).part(1)));
        }
        if (name.number() != 1 || name.count() != count) {
            throw fault(
                    source,
                    "this is part 1 of " + count + " by its contents, but part " + name.number() + " of " + name.count()
                            + " by its name; rename it as it was");
        }
        List<String> missing = IntStream.rangeClosed(2, count)
                .mapToObj(name::part)
                .filter(part -> !Files.exists(opened.resolveSibling(part)))
                .toList();
        if (!missing.isEmpty()) {
            throw fault(
                    source,
                    missing.size() + " of the " + count + " parts " + (missing.size() == 1 ? "is" : "are")
                            + " missing beside it, the first is " + Printable.escape(missing.getFirst())
                            + "; download " + (missing.size() == 1 ? "it" : "them"));
        }
        return IntStream.rangeClosed(2, count)
                .mapToObj(part -> opened.resolveSibling(name.part(part)))
                .toList();
    }

    /// Checks that another part belongs to this first one.
    ///
    /// @param index from 0
    void checkPart(int index, Metadata metadata) {
        SplitKeys part = of(metadata);
        if (part.number != index || part.count != count) {
            throw fault(
                    part.source,
                    "this is part " + (part.number + 1) + " of " + part.count + " by its contents, expected part "
                            + (index + 1) + " of " + count + "; the parts do not belong together");
        }
        if (!part.tensors.equals(tensors)) {
            throw fault(
                    part.source,
                    TENSORS + " is " + part.tensors.orElse(0) + ", but " + tensors.orElse(0) + " in " + source
                            + "; the parts do not belong together");
        }
    }

    /// Checks that all parts together have as many tensors as promised, and no more than is sane.
    void checkTensorCount(List<GgufPart> parts) {
        long found = parts.stream().mapToLong(p -> p.tensors().size()).sum();
        if (found > Limits.TENSORS) {
            throw fault(source, found + " tensors in all parts, the limit is " + Limits.TENSORS);
        }
        if (tensors.isPresent() && found != tensors.getAsInt()) {
            throw fault(
                    source,
                    "the parts hold " + found + " tensors, expected " + tensors.getAsInt() + " (" + TENSORS
                            + "); the parts do not belong together");
        }
    }

    /// Checks that the file is not one of several.
    void checkWhole() {
        if (count > 1) {
            throw fault(source, "this is part " + (number + 1) + " of " + count + "; a model in memory must be whole");
        }
    }

    private static PanamoeException fault(String source, String message) {
        return new PanamoeException(source + ": " + message);
    }
}

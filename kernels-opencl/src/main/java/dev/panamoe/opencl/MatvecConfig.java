package dev.panamoe.opencl;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How the products of few rows of activations, `matvec.cl`, are laid out on a device. It changes their speed and no
/// bit of a result: the order of every sum is fixed.
final class MatvecConfig {
    /// Runs of columns that every row is cut into: CHUNKS of the kernels.
    private static final int CHUNKS = 8;

    private static final int MAX_GROUP = 256;

    /// SEVERAL * PANELS, each 1 KB of local memory.
    private static final int MAX_LOCAL_SUMS = 32;

    /// What is known to work on any GPU.
    static final MatvecConfig GPU = new MatvecConfig(1, 1, 1, 4, 4, 8);

    /// A work-item is a vector of 16 rows; more than one row of activations meet `matmul_cpu.cl`.
    static final MatvecConfig CPU = new MatvecConfig(16, 1, 1, 1, 1, 1);

    /// What may be faster on one GPU or another, that which may give most first.
    private static final List<MatvecConfig> GPU_CANDIDATES = List.of(
            // Half, or a quarter, of the loads of activations, and wider loads of weights; fewer work-items.
            GPU.with(2, 1, 1, 4),
            // More loads in flight.
            GPU.with(1, 1, 1, 8),
            GPU.with(4, 1, 1, 2),
            // Fewer registers, so that more work-groups share a multiprocessor.
            GPU.with(1, 1, 1, 1),
            // Longer runs of memory for each work-item: two panels in a work-group of 256, or one in one of 64.
            GPU.with(1, 2, 2, 4),
            GPU.with(1, 1, 4, 4),
            GPU.with(4, 4, 1, 2));

    private static final List<MatvecConfig> CPU_CANDIDATES = List.of(
            // A work-item goes through whole rows: fewer work-items to begin and end.
            CPU.with(16, 1, 8, 1),
            // The same with less to hand out to threads.
            CPU.with(16, 4, 8, 1),
            // One register of processors that have vectors of 256 bits.
            CPU.with(8, 1, 1, 1),
            CPU.with(8, 1, 8, 1),
            CPU.with(16, 1, 1, 2));

    private static final Pattern TEXT =
            Pattern.compile("width (\\d{1,2}) panels (\\d) runs (\\d) unroll (\\d) several (\\d) few (\\d{1,2})");

    private final int width;
    private final int panels;
    private final int runs;
    private final int unroll;
    private final int several;
    private final int few;
    private final String options;

    private MatvecConfig(int width, int panels, int runs, int unroll, int several, int few) {
        this.width = width;
        this.panels = panels;
        this.runs = runs;
        this.unroll = unroll;
        this.several = several;
        this.few = few;
        this.options = "-D WIDTH=" + width + " -D PANELS=" + panels + " -D RUNS=" + runs + " -D UNROLL=" + unroll
                + " -D SEVERAL=" + several;
    }

    MatvecConfig with(int newWidth, int newPanels, int newRuns, int newUnroll) {
        return new MatvecConfig(newWidth, newPanels, newRuns, newUnroll, several, few);
    }

    MatvecConfig withSeveral(int rows) {
        return new MatvecConfig(width, panels, runs, unroll, rows, few);
    }

    MatvecConfig withFew(int rows) {
        return new MatvecConfig(width, panels, runs, unroll, several, rows);
    }

    /// What a device computes with as long as nothing was measured.
    ///
    /// @param integers whether activations are rounded: kernels of integers have no vectors
    static MatvecConfig byDefault(ClDevice device, boolean integers) {
        return device.isCpu() && !integers ? CPU : GPU;
    }

    /// What else a device may be faster with.
    static List<MatvecConfig> candidates(ClDevice device, boolean integers) {
        if (integers) {
            return GPU_CANDIDATES.stream().filter(c -> c.width == 1).toList();
        }
        return device.isCpu() ? CPU_CANDIDATES : GPU_CANDIDATES;
    }

    /// The constants of `matvec.cl`.
    String options() {
        return options;
    }

    /// Panels of 32 rows of a work-group.
    int panels() {
        return panels;
    }

    /// Rows of activations that a work-group takes at once where there are several.
    int several() {
        return several;
    }

    /// Up to so many rows of activations meet `matvec.cl`, more of them `matmul.cl`.
    int few() {
        return few;
    }

    /// Work-items of a work-group.
    int group() {
        return panels * (CHUNKS / runs) * (PackedFormat.PANEL / width);
    }

    /// Names and numbers, which {@link #parse} reads.
    @Override
    public String toString() {
        return "width " + width + " panels " + panels + " runs " + runs + " unroll " + unroll + " several " + several
                + " few " + few;
    }

    /// @return empty where the text is none of {@link #toString}, or of what the kernels cannot be compiled with
    static Optional<MatvecConfig> parse(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) {
            return Optional.empty();
        }
        int[] n = new int[m.groupCount()];
        for (int i = 0; i < n.length; i++) {
            n[i] = Integer.parseInt(m.group(i + 1));
        }
        boolean sound = List.of(1, 2, 4, 8, 16).contains(n[0])
                && n[1] > 0
                && List.of(1, 2, 4, 8).contains(n[2])
                && n[3] > 0
                && n[4] > 0
                && n[4] <= CHUNKS
                && n[4] * n[1] <= MAX_LOCAL_SUMS
                && n[5] > 0;
        return Optional.of(new MatvecConfig(n[0], Math.max(1, n[1]), Math.max(1, n[2]), n[3], n[4], n[5]))
                .filter(c -> sound && c.group() <= MAX_GROUP);
    }
}

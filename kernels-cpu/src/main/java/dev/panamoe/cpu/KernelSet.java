package dev.panamoe.cpu;

import java.util.OptionalLong;

/// One implementation of the products with packed weights: native code for an instruction set, or the Vector API. All
/// give the same bits. Instances are shared by threads; what a thread needs of its own lies in its
/// {@link Scratch} or {@link NativeCall}.
interface KernelSet {
    /// As `--cpu-kernels` names it: `vector`, `avx512-vnni` …
    String name();

    /// Memory for quantised activations in the form that this set's kernels read.
    Panel newPanel();

    /// Products of `groups` groups of sixteen weight rows, from group `group` of a slice on, with one tile of a panel:
    /// `y[yAt[yFirst + t] + 16 * (group + g) + r]` for tokens `t`, and for rows that exist. Takes less than a
    /// millisecond if the caller keeps `groups` small: a native call holds off the garbage collector.
    ///
    /// @param x made by {@link #newPanel} of this set, ready for the type of `w`
    /// @param first first token of the tile in the panel
    /// @param tokens of the tile, 1 to {@link Panel#TILE}
    void matmul(
            PackedWeight w,
            int slice,
            int group,
            int groups,
            Panel x,
            int first,
            int tokens,
            float[] y,
            int[] yAt,
            int yFirst,
            Scratch scratch);

    /// Does multiply-adds of 8-bit integers as fast as this set's instructions allow: in registers, for less than a
    /// millisecond. What {@link #matmul} can be held against.
    ///
    /// @return how many; empty for a set that multiplies no such integers
    default OptionalLong multiplyAdd() {
        return OptionalLong.empty();
    }
}

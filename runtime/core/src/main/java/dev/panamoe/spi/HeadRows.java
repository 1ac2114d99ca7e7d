package dev.panamoe.spi;

/// Projected queries, keys or values, as operations see them.
///
/// @param rows (tokens, heads * size), without gaps between rows
/// @param heads the same rows as (tokens * heads, size)
/// @param rotated the first columns of `heads`: (tokens * heads, rope dims)
public record HeadRows(Rows rows, Rows heads, Rows rotated) {
    /// @param heads of a row
    /// @param ropeDims columns of a head that may be rotated
    public static HeadRows of(Rows rows, int heads, int ropeDims) {
        Rows split = rows.split(heads);
        return new HeadRows(rows, split, split.columns(0, ropeDims));
    }
}

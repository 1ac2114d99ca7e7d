/// One file per quant type: its block layout, the plain decode that defines it, and the encode of those that caches are
/// stored as. Begin at `Quants`.
package dev.panamoe.quant;

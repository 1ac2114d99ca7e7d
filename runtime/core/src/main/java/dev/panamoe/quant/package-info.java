/// One file per quant type: its block layout and the plain decode that defines it. Begin at `Quants`.
package dev.panamoe.quant;

/// The library API. Begin at `Engine`.
package dev.panamoe.engine;

/// The command line. Begin at `Main`.
package dev.panamoe.cli;

/// The library API: conversations, completions, embeddings, and what a model file needs to run here. Begin at `Engine`.
package dev.panamoe.engine;

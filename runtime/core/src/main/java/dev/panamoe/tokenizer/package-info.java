/// Text to token ids and back, as the model file says. Begin at `Tokenizer`.
package dev.panamoe.tokenizer;

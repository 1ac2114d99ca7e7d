/// From logits to a token: pure and seeded. Begin at `Sampler`.
package dev.panamoe.sampling;

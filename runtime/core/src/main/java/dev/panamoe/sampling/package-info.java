/// From logits to a token: pure and seeded, held to a `Constraint` where there is one. Begin at `Sampler`.
package dev.panamoe.sampling;

/// From a specification and a file to logits: weights, their memory, KV caches and the forward page. Begin at `Model`
/// for what is held, and at `Forward` for what is computed.
package dev.panamoe.model;

/// The forward page, attention, feed-forward, KV caches. Begin at `Model`.
package dev.panamoe.model;

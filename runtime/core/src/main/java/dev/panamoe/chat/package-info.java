/// Conversations: messages and tools in, reasoning, content and calls out. Begin at `ChatFormat` for the way in and at
/// `Dialect` for the way out.
package dev.panamoe.chat;

/// Conversations: messages in, reasoning and content out. Begin at `ChatFormat`.
package dev.panamoe.chat;

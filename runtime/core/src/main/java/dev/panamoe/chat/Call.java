package dev.panamoe.chat;

import tools.jackson.databind.node.ObjectNode;

/// A call as a model wrote it, not numbered yet.
record Call(String name, ObjectNode arguments) {}

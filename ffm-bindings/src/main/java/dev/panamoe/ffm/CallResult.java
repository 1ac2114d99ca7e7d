package dev.panamoe.ffm;

/// How a call of the operating system ended. Nothing in this package throws because a platform lacks something: the
/// caller decides whether a refusal matters.
public sealed interface CallResult {
    /// The system did what was asked.
    record Done() implements CallResult {
        @Override
        public String reason() {
            return "done";
        }
    }

    /// This platform, or this kind of argument, has no such call.
    record Unsupported(String reason) implements CallResult {}

    /// The system refused. `errno` is its error number, or 0 where the refusal was made before asking the system.
    record Failed(int errno, String reason) implements CallResult {}

    /// One line for people.
    String reason();

    default boolean ok() {
        return this instanceof Done;
    }

    static CallResult done() {
        return new Done();
    }

    static CallResult unsupported(String what) {
        return new Unsupported(what + " is not supported on " + Os.name());
    }
}

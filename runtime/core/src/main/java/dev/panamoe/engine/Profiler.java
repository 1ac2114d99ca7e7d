package dev.panamoe.engine;

/// Measures the operations of an engine while it is open. Every operation is waited for, which on a device that
/// computes asynchronously takes longer than without: its shares can be trusted, its sum cannot.
public final class Profiler implements AutoCloseable {
    private final Engine engine;
    private final ProfiledOps ops;

    Profiler(Engine engine, ProfiledOps ops) {
        this.engine = engine;
        this.ops = ops;
    }

    /// What was measured so far, by all sessions.
    public Profile result() {
        return engine.use(runner -> ops.result());
    }

    /// Ends measuring.
    @Override
    public void close() {
        engine.endProfiling();
    }
}

package dev.panamoe.spi;

/// Keys and values of one layer of one session. Closing frees the memory.
public interface KvCache extends AutoCloseable {
    CacheSpec spec();

    @Override
    void close();
}

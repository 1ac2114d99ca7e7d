package dev.panamoe;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;
import java.util.Optional;

/// The folder below which everything lies that Panamoe keeps to be quicker next time. The user may delete any of it.
public final class UserCache {
    private UserCache() {}

    /// A folder of this name in the user's cache, which need not exist yet.
    ///
    /// @param environment `XDG_CACHE_HOME`, or `HOME`, says where
    /// @return empty where the environment names no folder
    public static Optional<Path> folder(Map<String, String> environment, String name) {
        try {
            // The XDG specification: a relative path is to be ignored.
            Path cache = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
            Path home = Path.of(environment.getOrDefault("HOME", System.getProperty("user.home", "")));
            return Optional.of((cache.isAbsolute() ? cache : home.resolve(".cache"))
                            .resolve("panamoe")
                            .resolve(name))
                    .filter(Path::isAbsolute);
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /// SHA-256 of parts in a row: what tells kept files apart, and whole ones from damaged ones.
    public static byte[] digest(byte[]... parts) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                sha.update(part);
            }
            return sha.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}

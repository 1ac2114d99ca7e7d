package dev.panamoe.ffm;

import java.util.Locale;

/// Which operating system and instruction set this process runs on.
public final class Os {
    private static final String NAME = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    private static final String ARCHITECTURE = System.getProperty("os.arch").toLowerCase(Locale.ROOT);

    private Os() {}

    public static boolean isLinux() {
        return NAME.startsWith("linux");
    }

    public static boolean isMac() {
        return NAME.startsWith("mac");
    }

    /// The name that the JVM gives the system, in lower case, for messages.
    public static String name() {
        return NAME;
    }

    /// The instruction set as the JVM names it: `amd64`, `aarch64` …
    public static String architecture() {
        return ARCHITECTURE;
    }
}

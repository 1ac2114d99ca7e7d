package dev.panamoe.ffm;

import java.util.Locale;

/// Which operating system and instruction set this process runs on.
public final class Os {
    private static final String NAME = System.getProperty("os.name").toLowerCase(Locale.ROOT);

    private Os() {}

    public static boolean isLinux() {
        return NAME.startsWith("linux");
    }
}

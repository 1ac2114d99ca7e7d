package dev.panamoe.cli;

import dev.panamoe.ffm.StdErr;

/// Where the program starts.
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        StdErr.restore(); // before anything else writes there; a failure leaves it usable
        System.out.println("panamoe 0.1.0-SNAPSHOT");
    }
}

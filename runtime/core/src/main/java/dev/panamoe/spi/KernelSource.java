package dev.panamoe.spi;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// The kernel source that OpenCL and CUDA share: `*.inc` files in words that `prelude.cl` and `prelude.cu` define.
public final class KernelSource {
    private KernelSource() {}

    /// The text of a file, such as `rows.inc`.
    ///
    /// @throws IllegalStateException when there is none
    public static String shared(String file) {
        String resource = "/dev/panamoe/kernels/" + file;
        try (InputStream in = KernelSource.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(resource, e);
        }
    }
}

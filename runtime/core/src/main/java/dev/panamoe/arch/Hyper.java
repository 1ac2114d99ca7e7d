package dev.panamoe.arch;

import dev.panamoe.PanamoeException;
import dev.panamoe.gguf.GgufFile;
import dev.panamoe.gguf.Metadata;
import dev.panamoe.gguf.Printable;
import dev.panamoe.quant.Quants;
import dev.panamoe.tensor.TensorView;

/// The hyper-parameters of one architecture in one file: metadata below the prefix `ARCH.`, range-checked.
final class Hyper {
    /// As llama.cpp: more layers or experts than this are no real model.
    private static final int MAX_COUNT = 512;

    private static final int MAX_WIDTH = 1 << 24;

    private final GgufFile file;
    private final Metadata metadata;
    private final String prefix;

    Hyper(GgufFile file, String architecture) {
        this.file = file;
        this.metadata = file.metadata();
        this.prefix = architecture + ".";
    }

    boolean has(String key) {
        return metadata.has(prefix + key);
    }

    /// A required width or count, at least 1.
    int width(String key) {
        return checked(key, metadata.integer(prefix + key), 1, MAX_WIDTH);
    }

    /// An optional width or count; the default need not be in range.
    int width(String key, int otherwise) {
        return has(key) ? checked(key, metadata.integer(prefix + key), 0, MAX_WIDTH) : otherwise;
    }

    /// A required number of layers or experts.
    int count(String key) {
        return checked(key, metadata.integer(prefix + key), 1, MAX_COUNT);
    }

    /// An optional number of layers or experts.
    int count(String key, int otherwise) {
        return has(key) ? checked(key, metadata.integer(prefix + key), 0, MAX_COUNT) : otherwise;
    }

    /// A positive width for each of `layers` layers, written once for all or as an array.
    int[] widths(String key, int layers) {
        int[] all = metadata.ints(prefix + key, layers);
        for (int w : all) {
            checked(key, w, 1, MAX_WIDTH);
        }
        return all;
    }

    boolean[] flags(String key, int layers) {
        return metadata.bools(prefix + key, layers);
    }

    boolean flag(String key, boolean otherwise) {
        return metadata.bool(prefix + key, otherwise);
    }

    String text(String key, String otherwise) {
        return metadata.findString(prefix + key).orElse(otherwise);
    }

    float real(String key) {
        return finite(key, metadata.real(prefix + key));
    }

    float real(String key, float otherwise) {
        return finite(key, metadata.real(prefix + key, otherwise));
    }

    /// A required number above 0.
    float positive(String key) {
        return requirePositive(key, real(key));
    }

    /// An optional number above 0.
    float positive(String key, float otherwise) {
        return requirePositive(key, real(key, otherwise));
    }

    private float requirePositive(String key, float value) {
        if (value <= 0) {
            throw fault(key, value, "a number above 0");
        }
        return value;
    }

    private float finite(String key, float value) {
        if (!Float.isFinite(value)) {
            throw fault(key, value, "a finite number");
        }
        return value;
    }

    private int checked(String key, int value, int low, int high) {
        if (value < low || value > high) {
            throw fault(key, value, low + " to " + high);
        }
        return value;
    }

    /// An optional size that is split into pairs.
    int even(String key, int otherwise) {
        int size = width(key, otherwise);
        if (size % 2 != 0 || size == 0) {
            throw fault(key, size, "an even number above 0");
        }
        return size;
    }

    /// Refuses an optional key whose value would change the result, since nothing here reads it.
    ///
    /// @param neutral the values without effect
    void only(String key, float... neutral) {
        if (has(key)) {
            float value = real(key);
            for (float n : neutral) {
                if (value == n) {
                    return;
                }
            }
            throw new PanamoeException(file.name() + ": " + prefix + key + " is " + value
                    + ", which is not supported; only models without it can run");
        }
    }

    /// What the fault of a key says.
    ///
    /// @param value a number, or text of the file
    PanamoeException fault(String key, Object value, String expected) {
        String shown = value instanceof String text ? "'" + Printable.escape(text, 40) + "'" : value.toString();
        return new PanamoeException(file.name() + ": " + prefix + key + " is " + shown + ", expected " + expected);
    }

    /// A model fault that names no single key.
    PanamoeException fault(String what) {
        return new PanamoeException(file.name() + ": " + what);
    }

    /// `general.name`, else the file name.
    String name() {
        return metadata.findString("general.name").orElse(file.name());
    }

    /// Rows of the embedding table.
    int vocabulary() {
        long rows = file.get("token_embd.weight").shape().rows();
        if (rows > MAX_WIDTH) {
            throw fault("token_embd.weight has " + rows + " rows, expected at most " + MAX_WIDTH);
        }
        return (int) rows;
    }

    boolean hasTensor(String name) {
        return file.find(name).isPresent();
    }

    /// A vector of known length that the specification itself needs, decoded.
    float[] vector(String name, int length) {
        TensorView view = file.get(name);
        if (view.shape().size() != length) {
            throw fault(name + " has shape " + view.shape() + ", expected [" + length + "]");
        }
        return Quants.decode(view, file.name());
    }
}

package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Rounding;
import dev.panamoe.tensor.QuantType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/// Which {@link MatvecConfig} a device computes with, for each quant type: the default, or the fastest of some that
/// were measured, now or at an earlier start. What was measured is kept beside the programs, for a key of the kernels'
/// source, the device, its driver and the candidates: where one of them changes, it is measured again.
final class Tuning {
    /// For a type, compiling included: a candidate that is begun is measured to its end.
    private static final long AUTO_NANOS = 3_000_000_000L;

    /// Who asks for it has time.
    private static final long AGAIN_NANOS = 60_000_000_000L;

    /// Smaller weights are computed fast enough.
    private static final long MIN_BYTES = 64L << 20;

    /// A type with a smaller part of a model's bytes takes little of its time.
    private static final int MIN_PART = 16;

    /// Less is what measurements differ by.
    private static final double WORTH = 0.97;

    /// Rows of activations that weights may meet at once, and the limits that are tried between `matvec.cl` and
    /// `matmul.cl`.
    private static final int SEVERAL = 8;

    private static final int LEAST_LIMIT = 4;
    private static final List<Integer> LIMITS = List.of(8, 16, 32);

    /// Times products.
    interface Probe extends AutoCloseable {
        /// @param rows of activations
        /// @return the time of products with `other` as a part of that with `now`; infinite where it does not work, or
        /// gives other bits
        double compare(int rows, MatvecConfig now, MatvecConfig other);

        @Override
        void close();
    }

    private final ClDevice device;
    private final boolean rounding;
    private final DeviceOptions.Tuning mode;
    private final KeptFiles files;
    private final ProgramCache programs;
    private final Function<PackedFormat, Probe> probes;
    private final Map<QuantType, MatvecConfig> chosen = new EnumMap<>(QuantType.class);

    /// @param rounding whether activations are rounded to 8 bits where that is possible
    /// @param probes opened to measure a type, and closed afterwards
    Tuning(
            ClDevice device,
            boolean rounding,
            DeviceOptions.Tuning mode,
            KeptFiles files,
            ProgramCache programs,
            Function<PackedFormat, Probe> probes) {
        this.device = device;
        this.rounding = rounding;
        this.mode = mode;
        this.files = files;
        this.programs = programs;
        this.probes = probes;
    }

    /// What weights of a type are computed with.
    MatvecConfig config(QuantType type) {
        MatvecConfig has = chosen.get(type);
        if (has == null) {
            has = (mode == DeviceOptions.Tuning.OFF ? Optional.<MatvecConfig>empty() : kept(type))
                    .orElse(byDefault(type));
            chosen.put(type, has);
        }
        return has;
    }

    private boolean integers(QuantType type) {
        return rounding && Rounding.TYPES.contains(type);
    }

    private MatvecConfig byDefault(QuantType type) {
        return MatvecConfig.byDefault(device, integers(type));
    }

    private List<MatvecConfig> candidates(QuantType type) {
        return MatvecConfig.candidates(device, integers(type));
    }

    /// From now on.
    void use(QuantType type, MatvecConfig config) {
        chosen.put(type, config);
    }

    /// Measures the types that matter for a model, so far as its user wants it and nothing is kept.
    ///
    /// @param bytes of the model's weights by their type
    /// @param progress is told what is measured, a line for each type
    /// @return what was measured, for the user; empty where nothing was
    List<String> tune(Map<QuantType, Long> bytes, Consumer<String> progress) {
        boolean again = mode == DeviceOptions.Tuning.AGAIN;
        if (!again && (mode == DeviceOptions.Tuning.OFF || device.isCpu())) {
            return List.of();
        }
        long all = bytes.values().stream().mapToLong(b -> b).sum();
        long start = System.nanoTime();
        List<QuantType> types = new ArrayList<>();
        boolean keeps = true;
        for (QuantType type : bytes.keySet()) {
            long own = bytes.get(type);
            boolean matters = own >= all / MIN_PART && (again || own >= MIN_BYTES);
            if (matters && (again || kept(type).isEmpty())) {
                types.add(type);
                // Whatever becomes of this start, a device that is lost or a process that is killed: the next one does
                // not try again without being asked for.
                keeps &= keep(type, byDefault(type));
            }
        }
        // Without a place to keep it, every start would measure.
        if (!again && !keeps) {
            return List.of();
        }
        List<String> tuned = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (QuantType type : types) {
            progress.accept(
                    device.id() + ": measuring kernels for " + type + (again ? "…" : ", once for this device…"));
            try {
                tuned.add(type + measure(type, again ? AGAIN_NANOS : AUTO_NANOS));
            } catch (DeviceLostException e) {
                throw e;
            } catch (PanamoeException e) {
                notes.add(device.id() + ": not tuned for " + type + ": " + e.getMessage());
            }
        }
        if (!tuned.isEmpty()) {
            notes.add(String.format(
                    Locale.ROOT,
                    "%s: kernels tuned for %s in %.1f s%s",
                    device.id(),
                    String.join(", ", tuned),
                    (System.nanoTime() - start) / 1e9,
                    keeps ? " (kept)" : ""));
        }
        return notes;
    }

    /// @return what it gave, for the user
    private String measure(QuantType type, long nanos) {
        long end = System.nanoTime() + nanos;
        MatvecConfig byDefault = byDefault(type);
        MatvecConfig best = byDefault;
        double part = 1;
        try (Probe probe = probes.apply(PackedFormat.of(type).orElseThrow())) {
            for (MatvecConfig candidate : candidates(type)) {
                if (!over(end) && probe.compare(1, best, candidate) < WORTH) {
                    best = candidate;
                }
            }
            if (best != byDefault) {
                // Of several that are as fast as the default, one may have seemed faster by chance.
                part = probe.compare(1, byDefault, best);
                if (part >= WORTH) {
                    best = byDefault;
                    part = 1;
                }
            }
            if (best.several() > 1) {
                MatvecConfig more = best.withSeveral(SEVERAL);
                if (!over(end) && probe.compare(SEVERAL, best.withFew(SEVERAL), more.withFew(SEVERAL)) < WORTH) {
                    best = more;
                }
                best = withLimit(probe, best, end);
            }
        }
        use(type, best);
        keep(type, best);
        return part == 1 ? "" : String.format(Locale.ROOT, " (%.2f times as fast)", 1 / part);
    }

    /// With the limit up to which `matvec.cl` is faster than `matmul.cl`.
    private static MatvecConfig withLimit(Probe probe, MatvecConfig config, long end) {
        int limit = LEAST_LIMIT;
        for (int rows : LIMITS) {
            if (over(end)) {
                return config;
            }
            if (probe.compare(rows, config.withFew(1), config.withFew(rows)) >= 1) {
                break;
            }
            limit = rows;
        }
        return config.withFew(limit);
    }

    private static boolean over(long end) {
        return System.nanoTime() - end >= 0;
    }

    private static String name(QuantType type) {
        return "tuning-" + type;
    }

    private byte[] key(QuantType type) {
        return programs.key(
                type + (integers(type) ? " integers " : " ") + byDefault(type) + " " + candidates(type),
                integers(type)
                        ? Kernels.source(IntegerProducts.MATVEC) + Kernels.source(IntegerProducts.MATMUL)
                        : Kernels.source(Products.MATVEC) + Kernels.source(Products.MATMUL));
    }

    private Optional<MatvecConfig> kept(QuantType type) {
        return files.get(name(type), key(type))
                .flatMap(bytes -> MatvecConfig.parse(new String(bytes, StandardCharsets.UTF_8)));
    }

    /// @return whether the next start has it
    private boolean keep(QuantType type, MatvecConfig config) {
        return files.put(name(type), key(type), config.toString().getBytes(StandardCharsets.UTF_8));
    }
}

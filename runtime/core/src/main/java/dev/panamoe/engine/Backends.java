package dev.panamoe.engine;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.BackendProvider;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceInfo;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.Probe;
import dev.panamoe.spi.Probe.Unusable;
import dev.panamoe.spi.Probe.Usable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Which backends there are here, and which one runs.
public final class Backends {
    /// Lets {@link #choose} take the best.
    public static final String AUTO = "auto";

    private Backends() {}

    /// What a backend found.
    public record Found(BackendProvider provider, Probe probe) {
        public String name() {
            return provider.name();
        }
    }

    /// A device to run on, and why.
    ///
    /// @param reasons one line a backend: why this one, why not the others
    public record Choice(BackendProvider provider, DeviceInfo device, List<String> reasons) {
        public Device open(DeviceOptions options) {
            return provider.open(device, options);
        }

        /// The same device, for another reason.
        Choice because(String reason) {
            return new Choice(provider, device, List.of("backend " + device.id() + ": " + reason));
        }
    }

    /// Every backend on the class path with what it found, best first.
    public static List<Found> survey() {
        return BackendProvider.all().stream()
                .map(p -> new Found(p, p.probe()))
                .sorted(Comparator.comparingInt((Found f) -> -rank(f.probe())).thenComparing(Found::name))
                .toList();
    }

    private static int rank(Probe probe) {
        return switch (probe) {
            case Usable u -> u.rank();
            case Unusable u -> -1;
        };
    }

    /// The backend of that name, or the usable one of highest rank for {@link #AUTO}.
    ///
    /// @param name a backend (`cpu`) or one of its devices (`cuda:1`)
    /// @throws PanamoeException when it is unknown or not usable here, and why
    public static Choice choose(String name) {
        if (name.equals(AUTO)) {
            return best(survey());
        }
        // Those of that name first: a driver that is not asked for need not be started.
        List<BackendProvider> providers = BackendProvider.all().stream()
                .sorted(Comparator.comparing((BackendProvider p) -> !isOf(p, name)))
                .toList();
        for (BackendProvider provider : providers) {
            switch (provider.probe()) {
                case Usable u -> {
                    for (DeviceInfo device : u.devices()) {
                        if (name.equals(provider.name()) || name.equals(device.id())) {
                            return new Choice(provider, device, List.of("backend " + device.id() + ": asked for"));
                        }
                    }
                }
                case Unusable u
                when isOf(provider, name) ->
                    throw new PanamoeException(
                            "the backend '" + name + "' is not usable here: " + u.reason() + "; " + u.remedy());
                case Unusable u -> {}
            }
        }
        throw new PanamoeException("there is no backend '" + name + "'; there are auto, "
                + survey().stream().map(Found::name).collect(Collectors.joining(", ")));
    }

    private static boolean isOf(BackendProvider provider, String name) {
        return name.equals(provider.name()) || name.startsWith(provider.name() + ":");
    }

    private static Choice best(List<Found> all) {
        Found best = all.stream()
                .filter(f -> f.probe() instanceof Usable)
                .findFirst()
                .orElseThrow(() -> new PanamoeException("no backend is usable here; see 'panamoe devices'"));
        List<String> reasons = new ArrayList<>();
        for (Found f : all) {
            switch (f.probe()) {
                case Usable u when f.equals(best) -> reasons.add("backend " + f.name() + ": " + u.reason());
                case Usable u -> reasons.add("not " + f.name() + ": " + u.reason());
                case Unusable u -> reasons.add("not " + f.name() + ": " + u.reason());
            }
        }
        return new Choice(best.provider(), ((Usable) best.probe()).devices().getFirst(), reasons);
    }
}

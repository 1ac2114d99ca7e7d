package dev.panamoe.cli;

import dev.panamoe.engine.Engine;
import dev.panamoe.engine.EngineOptions;
import dev.panamoe.spi.LoadProgress;
import java.util.Locale;

/// Opens models, and says how far it is where that takes long.
final class Loading {
    /// Smaller models are there before anybody could read it.
    private static final long SHOWN_FROM = 256L << 20;

    private record ProgressLine(Progress line) implements LoadProgress {
        @Override
        public void at(long done, long total) {
            if (total >= SHOWN_FROM) {
                doing(String.format(Locale.ROOT, "loading %d %% of %s", 100 * done / total, Table.size(total)));
            }
        }

        @Override
        public void doing(String what) {
            line.show(what);
        }

        @Override
        public void done() {
            line.clear();
        }
    }

    private Loading() {}

    /// Opens a model, which from then on tells its warnings here. The caller closes it.
    static Engine open(Console console, Notes notes, String model, EngineOptions options) {
        Engine engine = Engine.open(model, options, new ProgressLine(new Progress(console, notes)));
        engine.onWarning(line -> notes.print(console, "warning: " + line));
        return engine;
    }
}

package dev.panamoe.engine;

import dev.panamoe.gguf.GgufFile;
import dev.panamoe.model.Model;
import dev.panamoe.model.Runner;
import dev.panamoe.spec.ModelSpec;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.DeviceOptions;
import dev.panamoe.spi.LoadProgress;

/// A model on an opened device, and what runs it there: all that is gone when the device is lost.
record LoadedModel(Backends.Choice choice, Device device, Model model, Runner runner) implements AutoCloseable {
    /// Opens the device and uploads the weights. The file must stay open as long as the result.
    ///
    /// @param rows most rows of a forward pass
    /// @throws dev.panamoe.PanamoeException when the device cannot be opened or cannot run the model, and why
    static LoadedModel load(
            Backends.Choice choice,
            DeviceOptions options,
            GgufFile file,
            ModelSpec spec,
            int rows,
            LoadProgress progress) {
        Device device = choice.open(options);
        try {
            Model model = Model.load(file, spec, device, progress);
            try {
                return new LoadedModel(choice, device, model, new Runner(model, rows));
            } catch (RuntimeException | Error e) {
                model.close();
                throw e;
            }
        } catch (RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    @Override
    public void close() {
        try (device;
                model;
                runner) {
            // Closed in the opposite order, each whatever becomes of the others.
        }
    }
}

package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;

/// Runs forward passes of one model with one set of buffers. One thread at a time may use it.
public final class Runner implements AutoCloseable {
    private final Model model;
    private final Device device;
    private final Scratch scratch;
    private final int maxRows;
    private final int[] hostTokens;
    private final int[] hostPositions;
    private final Rows oneLogitRow;

    private Forward forward;
    private Intermediates current;

    /// @param maxRows most rows of one forward pass
    public Runner(Model model, int maxRows) {
        this.model = model;
        this.device = model.device();
        this.maxRows = maxRows;
        this.hostTokens = new int[maxRows];
        this.hostPositions = new int[maxRows];
        this.forward = new Forward(model.spec(), model.weights(), device.ops());
        this.scratch = new Scratch(model.spec(), device, maxRows, MemoryPlan.logitRows(model.spec(), maxRows));
        device.reserve(model.spec(), maxRows);
        this.oneLogitRow = Rows.of(scratch.logits, 1, model.spec().vocabulary());
        this.current = scratch.rows(1);
    }

    public Model model() {
        return model;
    }

    /// Computes with these operations from now on.
    ///
    /// @param ops the device's own, or ones that pass everything on to them
    public void useOps(Ops ops) {
        forward = new Forward(model.spec(), model.weights(), ops);
    }

    /// Most rows of one forward pass.
    public int maxRows() {
        return maxRows;
    }

    /// Passes `count` tokens through all layers. Keys and values of positions before `position` must be in the caches;
    /// those of the tokens are added.
    ///
    /// @param tokens ids below the vocabulary size
    /// @param from index of the first token
    /// @param count 1 to {@link #maxRows}
    /// @param position of the first token
    /// @throws PanamoeException when the caches are of another device, which was lost
    public void forward(Caches caches, int[] tokens, int from, int count, int position, Tap tap) {
        if (count < 1 || count > maxRows || position < 0 || position + count > caches.contextLength()) {
            throw new IllegalArgumentException(count + " tokens at position " + position + ", at most " + maxRows
                    + " of " + caches.contextLength());
        }
        if (!caches.isOn(device)) {
            throw new PanamoeException("the keys and values were lost with their device; begin anew");
        }
        current = scratch.rows(count);
        System.arraycopy(tokens, from, hostTokens, 0, count);
        for (int i = 0; i < count; i++) {
            hostPositions[i] = position + i;
        }
        device.write(current.tokens, hostTokens);
        device.write(current.positions, hostPositions);
        forward.run(current, caches, tap);
    }

    /// Logits of rows of the latest forward pass.
    ///
    /// @param row first row
    /// @param count rows
    /// @param target (count, vocabulary), contiguous from `offset` on
    public void logits(int row, int count, float[] target, int offset, Tap tap) {
        int width = model.spec().vocabulary();
        for (int done = 0; done < count; ) {
            int n = Math.min(scratch.logitRows, count - done);
            Rows rows = n == 1 ? oneLogitRow : Rows.of(scratch.logits, n, width);
            forward.logits(current, row + done, rows, tap);
            device.read(rows, target, offset + done * width);
            done += n;
        }
    }

    /// The output of the last norm, of rows of the latest forward pass.
    ///
    /// @param row first row
    /// @param count rows
    /// @param target (count, embedding), contiguous from `offset` on
    public void states(int row, int count, float[] target, int offset) {
        device.read(forward.norm(current, row, count, Tap.NONE), target, offset);
    }

    @Override
    public void close() {
        scratch.close();
    }
}

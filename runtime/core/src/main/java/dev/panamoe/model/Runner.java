package dev.panamoe.model;

import dev.panamoe.PanamoeException;
import dev.panamoe.spi.Device;
import dev.panamoe.spi.Ids;
import dev.panamoe.spi.Ops;
import dev.panamoe.spi.Rows;
import org.jspecify.annotations.Nullable;

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
    private @Nullable Top top;

    /// What the latest call of {@link #topTokens} wanted, and where it was found: all calls of an answer want the same.
    private record Top(int vocabulary, int k, Rows logits, Ids ids, Rows values) {}

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

    /// The likeliest tokens behind a row of the latest forward pass, largest logit first, the lower id of equals first:
    /// as {@link #logits} and choosing among them would find, but no more is read.
    ///
    /// @param vocabulary how many tokens there are: the model may have more rows
    /// @param k how many to find, 1 to {@link Ops#MAX_TOP_K} and at most `vocabulary`
    /// @param ids (k)
    /// @param values (k), their logits
    public void topTokens(int row, int vocabulary, int k, int[] ids, float[] values) {
        if (top == null || top.k() != k || top.vocabulary() != vocabulary) {
            top = new Top(
                    vocabulary,
                    k,
                    oneLogitRow.columns(0, vocabulary),
                    Ids.of(scratch.topIds, 1, k),
                    Rows.of(scratch.topValues, 1, k));
        }
        forward.logits(current, row, oneLogitRow, Tap.NONE);
        forward.topK(top.ids(), top.values(), top.logits());
        device.read(top.ids(), ids);
        device.read(top.values(), values, 0);
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

package dev.panamoe.cpu;

import dev.panamoe.spi.Weight;
import java.util.Arrays;

/// The same rows of activations in each form that some weights want: quantised once a form, not once a weight. Used
/// again and again; forms are few, as layers of a model are alike.
final class Panels implements AutoCloseable {
    private static final PackedType[] TYPES = PackedType.values();

    private final KernelSet kernels;
    private final Panel[] panels = new Panel[TYPES.length];

    /// Whether a weight of the current operation wants the form.
    private final boolean[] wanted = new boolean[TYPES.length];

    private boolean any;

    Panels(KernelSet kernels) {
        this.kernels = kernels;
    }

    /// Forgets which forms are wanted.
    void begin() {
        Arrays.fill(wanted, false);
        any = false;
    }

    /// Makes room for `tokens` rows in the form that `w` wants; a weight that is not packed wants none.
    void want(Weight w, int tokens) {
        if (!(w instanceof PackedWeight p) || wanted[index(p.packed())]) {
            return;
        }
        int i = index(p.packed());
        if (panels[i] == null) {
            panels[i] = kernels.newPanel();
        }
        panels[i].reset(p.packed(), p.cols(), tokens);
        wanted[i] = true;
        any = true;
    }

    /// Whether any form is wanted.
    boolean any() {
        return any;
    }

    /// {@link Panel#set} in every form.
    void set(int first, int count, int slot, float[] x, int at) {
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i]) {
                panels[i].set(first, count, slot, x, at);
            }
        }
    }

    /// {@link Panel#copy} in every form; `from` has the same ones.
    void copy(int first, int count, int slot, Panels from, int token) {
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i]) {
                panels[i].copy(first, count, slot, from.panels[i], token);
            }
        }
    }

    /// The form that a weight wants.
    Panel of(PackedWeight w) {
        return panels[index(w.packed())];
    }

    @SuppressWarnings("EnumOrdinal") // an array is what an operation can afford; the order means nothing
    private static int index(PackedType type) {
        return type.ordinal();
    }

    @Override
    public void close() {
        for (Panel panel : panels) {
            if (panel != null) {
                panel.close();
            }
        }
    }
}

package dev.panamoe.cpu;

import dev.panamoe.cpu.NativeKernels.Fill;
import dev.panamoe.cpu.PackedType.Correction;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A panel in native memory, filled by native code: kernels of the Vector API are slow until they are compiled, and
/// this is at work from the first token on.
final class NativePanel implements Panel {
    private static final int BLOCK = 32;
    private static final int ALIGNMENT = 64;

    private final NativeKernels kernels;

    private final Grown q = new Grown();
    private final Grown d = new Grown();
    private final Grown z = new Grown();

    private PackedType type = PackedType.Q4_0;
    private int cols;
    private int tokens;

    /// Blocks of a row, with those that fill the last unit; of floats: columns.
    private int blocks;

    NativePanel(NativeKernels kernels) {
        this.kernels = kernels;
    }

    @Override
    public void reset(PackedType type, int cols, int tokens) {
        this.type = type;
        this.cols = cols;
        this.tokens = tokens;
        blocks = blocks(type);
        long values = (long) tokens * blocks;
        if (type.floatActivations()) {
            q.atLeast(4 * values);
        } else {
            q.atLeast(BLOCK * values);
            d.atLeast(4 * values);
            z.atLeast(4 * values * perBlock());
        }
    }

    @Override
    public void set(int first, int count, int slot, float[] x, int at) {
        NativeCall call = NativeCall.get();
        MemorySegment row = call.floats(cols);
        MemorySegment.copy(x, at, row, ValueLayout.JAVA_FLOAT, 0, cols);
        setRow(call, first, count, slot);
        call.set(0, row.address());
        call.set(1, cols);
        kernels.fill(type.floatActivations() ? Fill.SPREAD : Fill.QUANTISE, call);
    }

    @Override
    public void copy(int first, int count, int slot, Panel from, int token) {
        NativePanel source = (NativePanel) from;
        Objects.checkIndex(token, source.tokens);
        NativeCall call = NativeCall.get();
        setRow(call, first, count, slot);
        if (type.floatActivations()) {
            call.set(0, source.q.address() + 4L * token * blocks);
            call.set(1, blocks);
            kernels.fill(Fill.SPREAD, call);
        } else {
            call.set(9, source.q.address() + (long) BLOCK * token * blocks);
            call.set(10, source.d.address() + 4L * token * blocks);
            kernels.fill(Fill.COPY, call);
        }
    }

    @Override
    public void close() {
        q.close();
        d.close();
        z.close();
    }

    /// Puts a tile into the argument of a product.
    void setTile(NativeCall call, int first, int count) {
        Objects.checkFromIndexSize(first, count, tokens);
        long values = (long) first * blocks;
        call.set(4, q.address() + (type.floatActivations() ? 4 : BLOCK) * values);
        call.set(5, d.address() + 4 * values);
        call.set(6, z.address() + 4 * values * perBlock());
        call.set(7, count);
    }

    /// Puts the place of a token into the argument of a function that fills it.
    private void setRow(NativeCall call, int first, int count, int slot) {
        Objects.checkFromIndexSize(first, count, tokens);
        Objects.checkIndex(slot, count);
        long values = (long) first * blocks;
        call.set(2, blocks);
        call.set(3, count);
        if (type.floatActivations()) {
            call.set(4, q.address() + 4 * (values + slot));
        } else {
            call.set(4, q.address() + BLOCK * (values + slot));
            call.set(5, d.address() + 4 * (values + slot));
            call.set(6, z.address() + 4 * (values * perBlock() + slot));
            call.set(7, correction());
            call.set(8, type.offset());
        }
    }

    private int blocks(PackedType type) {
        return type.floatActivations() ? type.paddedCols(cols) : type.paddedCols(cols) / BLOCK;
    }

    /// As the native code numbers them.
    private int correction() {
        return switch (type.correction()) {
            case OFFSET -> 0;
            case OFFSET_OF_HALVES -> 1;
            case MINIMA -> 2;
            case FLOATS -> throw new IllegalStateException();
        };
    }

    /// Values of `z` for each block and token.
    private int perBlock() {
        return type.correction() == Correction.OFFSET_OF_HALVES ? 2 : 1;
    }

    /// Memory that grows, losing its contents.
    private static final class Grown {
        private MemorySegment memory = MemorySegment.NULL;
        private @Nullable Arena arena;

        long address() {
            return memory.address();
        }

        // The arena is closed when memory grows, or with the panel.
        @SuppressWarnings("MustBeClosedChecker")
        void atLeast(long bytes) {
            if (memory.byteSize() < bytes) {
                close();
                Arena larger = Arena.ofShared();
                arena = larger;
                memory = larger.allocate(bytes, ALIGNMENT);
            }
        }

        void close() {
            memory = MemorySegment.NULL;
            if (arena != null) {
                arena.close();
                arena = null;
            }
        }
    }
}

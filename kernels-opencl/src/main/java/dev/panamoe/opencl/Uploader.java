package dev.panamoe.opencl;

import dev.panamoe.PanamoeException;
import dev.panamoe.ffm.MemoryAdvice;
import dev.panamoe.spi.DeviceLostException;
import dev.panamoe.tensor.TensorView;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lwjgl.PointerBuffer;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// Brings weights from the mapped file to the device: panel after panel through two staging buffers of page-locked
/// memory, so that the host fills one while the other travels; a kernel brings them into the packed layout there. The
/// pages of the file are given back as they are done with.
final class Uploader implements AutoCloseable {
    /// Work-items of a work-group.
    private static final int GROUP = 256;

    private static final long STAGING = 16L << 20;

    private final Memory memory;
    private final Kernels kernels;
    private final long queue;
    private final long context;
    private final long pieceBytes;
    private final @Nullable Stage[] stages = new Stage[2];
    private int turn;

    /// Staging memory, where it travels to, and the event of its latest journey (0 = none).
    private static final class Stage {
        final long pinned;
        final ByteBuffer host;
        final long raw;
        final long bytes;
        long event;

        Stage(long pinned, ByteBuffer host, long raw, long bytes) {
            this.pinned = pinned;
            this.host = host;
            this.raw = raw;
            this.bytes = bytes;
        }
    }

    Uploader(Memory memory, Kernels kernels, long context, long queue, long pieceBytes) {
        this.memory = memory;
        this.kernels = kernels;
        this.context = context;
        this.queue = queue;
        this.pieceBytes = pieceBytes;
    }

    /// Allocates and fills the packed form of a weight.
    ///
    /// @param factors a buffer of one factor a slice, or {@link OpenClWeight#NONE}
    OpenClWeight.Matrix upload(TensorView view, PackedFormat format, long factors) {
        long cols = view.shape().cols();
        int slices = Math.toIntExact(view.shape().slices());
        int perSlice = PackedFormat.panels(view.shape().rows());
        int panels = Math.multiplyExact(slices, perSlice);
        long panelBytes = format.panelWordBytes(cols);
        int perPiece = Math.clamp(pieceBytes / panelBytes, 1, panels);
        List<OpenClWeight.Piece> pieces = new ArrayList<>();
        for (int from = 0; from < panels; from += perPiece) {
            int to = Math.min(panels, from + perPiece);
            long words = memory.allocate((to - from) * panelBytes, view.name());
            long tails = format.tail() == 0
                    ? words
                    : memory.allocate((to - from) * format.panelTailBytes(cols), view.name());
            OpenClWeight.Piece piece = new OpenClWeight.Piece(from, to, words, tails);
            pieces.add(piece);
            try {
                fill(view, format, piece, perSlice);
            } catch (DeviceLostException e) {
                throw e;
            } catch (PanamoeException e) {
                // Drivers allocate late: the first launch may be what does not fit.
                throw new PanamoeException(
                        view.name() + ", " + (to - from) * panelBytes + " bytes: " + e.getMessage(), e);
            }
        }
        float firstFactor =
                view.sliceScales().isEmpty() ? 1 : view.sliceScales().getFirst();
        return new OpenClWeight.Matrix(view.name(), format, view.shape(), List.copyOf(pieces), factors, firstFactor);
    }

    /// Sends the rows of a piece, as many panels of a slice at a time as the staging memory holds.
    private void fill(TensorView view, PackedFormat format, OpenClWeight.Piece piece, int perSlice) {
        long rowBytes = view.rowBytes();
        int rows = Math.toIntExact(view.shape().rows());
        long panelBytes = Math.multiplyExact(rowBytes, (long) PackedFormat.PANEL);
        int atOnce = Math.clamp(STAGING / panelBytes, 1, perSlice);
        for (int panel = piece.from(); panel < piece.to(); ) {
            int slice = panel / perSlice;
            int inSlice = panel % perSlice;
            int count = Math.min(Math.min(atOnce, perSlice - inSlice), piece.to() - panel);
            int firstRow = inSlice * PackedFormat.PANEL;
            int rowCount = Math.min(rows - firstRow, count * PackedFormat.PANEL);
            MemorySegment bytes =
                    view.data().asSlice(view.sliceStart(slice) + firstRow * rowBytes, rowCount * rowBytes);
            Stage stage = stage(Math.max(STAGING, panelBytes));
            send(stage, bytes);
            pack(
                    stage,
                    format,
                    piece,
                    panel - piece.from(),
                    rowCount,
                    view.shape().cols());
            if (bytes.isMapped()) {
                MemoryAdvice.DONT_NEED.apply(bytes);
            }
            panel += count;
        }
    }

    private void send(Stage stage, MemorySegment bytes) {
        waitFor(stage);
        MemorySegment.ofBuffer(stage.host).asSlice(0, bytes.byteSize()).copyFrom(bytes);
        try (MemoryStack stack = MemoryStack.stackPush()) {
            PointerBuffer event = stack.mallocPointer(1);
            ByteBuffer part = stage.host.slice(0, Math.toIntExact(bytes.byteSize()));
            Cl.check(CL10.clEnqueueWriteBuffer(queue, stage.raw, false, 0, part, null, event), "clEnqueueWriteBuffer");
            stage.event = event.get(0);
        }
        Cl.check(CL10.clFlush(queue), "clFlush");
    }

    /// @param firstPanel within the piece
    private void pack(Stage stage, PackedFormat format, OpenClWeight.Piece piece, int firstPanel, int rows, long cols) {
        int blocks = format.blocks(cols);
        long blocksOfAll = (long) PackedFormat.panels(rows) * PackedFormat.PANEL * blocks;
        kernels.get("pack", "pack.inc", null, format.options())
                .buffer(piece.words())
                .buffer(piece.tails())
                .buffer(stage.raw)
                .value(Math.toIntExact(format.type().rowBytes(cols)))
                .value(rows)
                .value(0)
                .value(firstPanel)
                .value(blocks)
                .launch(queue, GROUP, Math.ceilDiv(blocksOfAll, GROUP), 1, 1);
    }

    /// The stage whose turn it is, which may still travel.
    private Stage stage(long bytes) {
        int i = turn;
        turn = 1 - turn;
        Stage has = stages[i];
        if (has != null && has.bytes >= bytes) {
            return has;
        }
        if (has != null) {
            stages[i] = null;
            release(has);
        }
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer error = stack.mallocInt(1);
            long pinned =
                    CL10.clCreateBuffer(context, CL10.CL_MEM_READ_ONLY | CL10.CL_MEM_ALLOC_HOST_PTR, bytes, error);
            Cl.check(error.get(0), "clCreateBuffer of staging memory");
            ByteBuffer host =
                    CL10.clEnqueueMapBuffer(queue, pinned, true, CL10.CL_MAP_WRITE, 0, bytes, null, null, error, null);
            Cl.check(error.get(0), "clEnqueueMapBuffer");
            Stage made =
                    new Stage(pinned, Objects.requireNonNull(host), memory.allocate(bytes, "staging memory"), bytes);
            stages[i] = made;
            return made;
        }
    }

    private static void waitFor(Stage stage) {
        if (stage.event != 0) {
            Cl.check(CL10.clWaitForEvents(stage.event), "clWaitForEvents");
            CL10.clReleaseEvent(stage.event);
            stage.event = 0;
        }
    }

    // Of a device that is lost, too: what fails here is not checked.
    private void release(Stage stage) {
        CL10.clFinish(queue);
        if (stage.event != 0) {
            CL10.clReleaseEvent(stage.event);
            stage.event = 0;
        }
        CL10.clEnqueueUnmapMemObject(queue, stage.pinned, stage.host, null, null);
        CL10.clFinish(queue);
        CL10.clReleaseMemObject(stage.pinned);
        memory.free(stage.raw);
    }

    /// Gives the staging memory back; the next upload makes it anew.
    @Override
    public void close() {
        for (int i = 0; i < stages.length; i++) {
            if (stages[i] != null) {
                release(stages[i]);
                stages[i] = null;
            }
        }
    }
}

package dev.panamoe.cpu;

import dev.panamoe.cpu.NativeKernels.Fill;
import dev.panamoe.cpu.PackedType.Correction;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// One call of a native function: its argument and what memory holds before and, by [PackedOracle], after it.
final class NativeCase {
    /// Fields of the largest argument.
    static final int FIELDS = 12;

    /// Filled into what is to be written, and found where it must not be.
    private static final byte UNTOUCHED = 0x5a;

    private final String name;
    private final int entry;
    private final long[] fields;
    private final List<Buffer> buffers;

    private NativeCase(String name, int entry, long[] fields, List<Buffer> buffers) {
        this.name = name;
        this.entry = entry;
        this.fields = fields;
        this.buffers = buffers;
    }

    @Override
    public String toString() {
        return name;
    }

    /// Place in the image's table.
    int entry() {
        return entry;
    }

    /// A field of the argument; those of buffers are set by who makes the call.
    long field(int index) {
        return fields[index];
    }

    List<Buffer> buffers() {
        return buffers;
    }

    /// Memory that a field of the argument points to.
    static final class Buffer {
        private final int field;
        private final boolean floats;
        private final byte[] before;
        private final byte[] after;

        private Buffer(int field, boolean floats, byte[] before, byte[] after) {
            this.field = field;
            this.floats = floats;
            this.before = before;
            this.after = after;
        }

        int field() {
            return field;
        }

        /// Whether it holds floats, all NaN of which are alike.
        boolean floats() {
            return floats;
        }

        byte[] before() {
            return before;
        }

        byte[] after() {
            return after;
        }

        static Buffer constant(int field, byte[] bytes) {
            return new Buffer(field, false, bytes, bytes);
        }

        static Buffer result(int field, boolean floats, byte[] after) {
            byte[] before = new byte[after.length];
            Arrays.fill(before, UNTOUCHED);
            return new Buffer(field, floats, before, after);
        }
    }

    /// A tile of tokens as the contract wants it.
    private static final class TileData {
        private final byte[] q;
        private final byte[] d;
        private final byte[] z;
        private final byte[] x;

        private TileData(byte[] q, byte[] d, byte[] z, byte[] x) {
            this.q = q;
            this.d = d;
            this.z = z;
            this.x = x;
        }
    }

    /// Every function, products with every number of tokens.
    static List<NativeCase> all() {
        Random random = new Random(5);
        List<NativeCase> cases = new ArrayList<>();
        for (PackedType type : PackedType.values()) {
            for (int tokens = 1; tokens <= Panel.TILE; tokens++) {
                boolean wild = tokens % 3 == 2;
                int cols = type.unitCols() * (type.unitCols() < 64 ? 67 : 1 + tokens % 2);
                cases.add(product(type, cols, 1 + tokens % 4, tokens, wild, random));
            }
            int cols = type.paddedCols(1) * 2 - 3;
            for (int tokens : new int[] {1, 3, 16}) {
                for (int slot : new int[] {0, tokens - 1}) {
                    cases.addAll(fills(type, cols, tokens, slot, random));
                }
            }
        }
        for (int turns : new int[] {0, 1, 7, 6000}) {
            cases.add(peak(turns));
        }
        return cases;
    }

    /// With more turns than a sum of 32 bits counts.
    private static NativeCase peak(int turns) {
        ByteBuffer out = bytes(4 * PackedType.ROWS);
        for (int row = 0; row < PackedType.ROWS; row++) {
            out.putInt(-turns * 192 * 15 * 127);
        }
        long[] fields = new long[FIELDS];
        fields[0] = turns;
        int entry = PackedType.values().length + Fill.values().length;
        return new NativeCase(
                "peak of " + turns + " turns", entry, fields, List.of(Buffer.result(1, false, contents(out))));
    }

    private static NativeCase product(PackedType type, int cols, int groups, int tokens, boolean wild, Random random) {
        try (Arena arena = Arena.ofConfined()) {
            int rows = groups * PackedType.ROWS;
            PackedWeight w = PackedData.weight(arena, type, cols, rows, 1, wild, random);
            float[] x = PackedData.activations(tokens * cols, wild, random);
            TileData tile = tile(type, cols, tokens, x);
            int stride = rows + 3;
            // The last token's results end where the memory does.
            ByteBuffer out = bytes(4 * ((tokens - 1) * stride + rows));
            for (int i = 0; i < out.capacity(); i++) {
                out.put(i, UNTOUCHED);
            }
            for (int t = 0; t < tokens; t++) {
                for (int row = 0; row < rows; row++) {
                    out.putFloat(4 * (t * stride + row), PackedOracle.product(w, 0, row, x, t * cols));
                }
            }
            byte[] data =
                    w.data().asSlice(0, w.groups() * type.groupBytes(cols)).toArray(ValueLayout.JAVA_BYTE);
            List<Buffer> buffers = new ArrayList<>();
            buffers.add(Buffer.constant(0, data));
            if (type.floatActivations()) {
                buffers.add(Buffer.constant(4, tile.x));
            } else {
                buffers.add(Buffer.constant(4, tile.q));
                buffers.add(Buffer.constant(5, tile.d));
                buffers.add(Buffer.constant(6, tile.z));
            }
            buffers.add(Buffer.result(8, true, contents(out)));
            long[] fields = new long[FIELDS];
            fields[1] = groups;
            fields[2] = type.groupBytes(cols);
            fields[3] = type.units(cols);
            fields[7] = tokens;
            fields[9] = stride;
            String name = type + " (" + rows + ", " + cols + "), " + tokens + " tokens";
            return new NativeCase(name, entry(type), fields, buffers);
        }
    }

    /// One token of a tile: quantised, corrected, copied; or spread.
    private static List<NativeCase> fills(PackedType type, int cols, int tokens, int slot, Random random) {
        float[] x = PackedData.activations(cols, true, random);
        String name = type + " row of " + cols + ", slot " + slot + " of " + tokens + ": ";
        TileData alone = tile(type, cols, 1, x);
        TileData placed = place(alone, tokens, slot);
        ByteBuffer from = bytes(4 * cols);
        from.asFloatBuffer().put(x);
        long[] fields = new long[FIELDS];
        fields[1] = cols;
        fields[2] = type.floatActivations() ? type.paddedCols(cols) : type.paddedCols(cols) / 32;
        fields[3] = tokens;
        fields[7] = switch (type.correction()) {
            case OFFSET -> 0;
            case OFFSET_OF_HALVES -> 1;
            case MINIMA -> 2;
            case FLOATS -> 3;
        };
        fields[8] = type.offset();
        if (type.floatActivations()) {
            List<Buffer> buffers =
                    List.of(Buffer.constant(0, contents(from)), Buffer.result(4, true, tail(placed.x, 4 * slot)));
            return List.of(new NativeCase(name + "spread", entry(Fill.SPREAD), fields, buffers));
        }
        byte[] q = tail(placed.q, 32 * slot);
        byte[] d = tail(placed.d, 4 * slot);
        byte[] z = tail(placed.z, 4 * slot);
        boolean floats = type.correction() == Correction.MINIMA;
        return List.of(
                new NativeCase(
                        name + "quantise",
                        entry(Fill.QUANTISE),
                        fields,
                        List.of(
                                Buffer.constant(0, contents(from)),
                                Buffer.result(4, false, q),
                                Buffer.result(5, true, d),
                                Buffer.result(6, floats, z))),
                new NativeCase(
                        name + "copy",
                        entry(Fill.COPY),
                        fields,
                        List.of(
                                Buffer.constant(9, alone.q),
                                Buffer.constant(10, alone.d),
                                Buffer.result(4, false, q),
                                Buffer.result(5, true, d),
                                Buffer.result(6, floats, z))));
    }

    private static int entry(PackedType type) {
        return List.of(PackedType.values()).indexOf(type);
    }

    private static int entry(Fill fill) {
        return PackedType.values().length + List.of(Fill.values()).indexOf(fill);
    }

    private static byte[] tail(byte[] bytes, int from) {
        return Arrays.copyOfRange(bytes, from, bytes.length);
    }

    /// The tile as `docs/packed-weights.md` describes it.
    private static TileData tile(PackedType type, int cols, int tokens, float[] x) {
        int padded = type.paddedCols(cols);
        if (type.floatActivations()) {
            ByteBuffer values = bytes(4 * padded * tokens);
            for (int t = 0; t < tokens; t++) {
                for (int k = 0; k < cols; k++) {
                    values.putFloat(4 * (k * tokens + t), x[t * cols + k]);
                }
            }
            return new TileData(new byte[0], new byte[0], new byte[0], contents(values));
        }
        int blocks = padded / 32;
        boolean halves = type.correction() == Correction.OFFSET_OF_HALVES;
        ByteBuffer q = bytes(32 * blocks * tokens);
        ByteBuffer d = bytes(4 * blocks * tokens);
        ByteBuffer z = bytes((halves ? 8 : 4) * blocks * tokens);
        int[] a = new int[32];
        for (int b = 0; b < blocks; b++) {
            for (int t = 0; t < tokens; t++) {
                int count = Math.clamp(cols - 32 * b, 0, 32);
                Arrays.fill(a, 0);
                float scale = PackedOracle.quantize(x, t * cols + 32 * b, count, a);
                int low = 0;
                int high = 0;
                for (int k = 0; k < 32; k++) {
                    q.put(32 * (b * tokens + t) + k, (byte) a[k]);
                    if (k < 16) {
                        low += a[k];
                    } else {
                        high += a[k];
                    }
                }
                d.putFloat(4 * (b * tokens + t), scale);
                switch (type.correction()) {
                    case OFFSET -> z.putInt(4 * (b * tokens + t), -type.offset() * (low + high));
                    case MINIMA -> z.putFloat(4 * (b * tokens + t), scale * (low + high));
                    default -> {
                        z.putInt(4 * (2 * b * tokens + t), -type.offset() * low);
                        z.putInt(4 * ((2 * b + 1) * tokens + t), -type.offset() * high);
                    }
                }
            }
        }
        return new TileData(contents(q), contents(d), contents(z), new byte[0]);
    }

    /// What a tile holds when only one of its tokens was written; it ends with that token.
    private static TileData place(TileData alone, int tokens, int slot) {
        return new TileData(
                place(alone.q, 32, tokens, slot),
                place(alone.d, 4, tokens, slot),
                place(alone.z, 4, tokens, slot),
                place(alone.x, 4, tokens, slot));
    }

    private static byte[] place(byte[] alone, int size, int tokens, int slot) {
        int count = alone.length / size;
        byte[] placed = new byte[count == 0 ? 0 : size * ((count - 1) * tokens + slot + 1)];
        Arrays.fill(placed, UNTOUCHED);
        for (int i = 0; i < count; i++) {
            System.arraycopy(alone, i * size, placed, size * (i * tokens + slot), size);
        }
        return placed;
    }

    private static byte[] contents(ByteBuffer buffer) {
        byte[] contents = new byte[buffer.capacity()];
        buffer.get(0, contents);
        return contents;
    }

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// As `check_image.c` reads it.
    byte[] encoded() {
        int size = 8 * (2 + FIELDS);
        for (Buffer b : buffers) {
            size += 24 + 2 * b.before.length;
        }
        ByteBuffer to = bytes(size).putLong(entry).putLong(buffers.size());
        for (long field : fields) {
            to.putLong(field);
        }
        for (Buffer b : buffers) {
            to.putLong(b.field)
                    .putLong(b.floats ? 1 : 0)
                    .putLong(b.before.length)
                    .put(b.before)
                    .put(b.after);
        }
        return contents(to);
    }
}

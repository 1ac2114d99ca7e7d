package dev.panamoe.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Damages files the way that finds faults in readers: bits, cuts, splices, and above all numbers where lengths stand.
public final class Mutator {
    private static final long[] EXTREMES = {
        0,
        1,
        -1,
        2,
        7,
        8,
        31,
        32,
        33,
        63,
        64,
        65,
        127,
        128,
        255,
        256,
        0xffff,
        0x10000,
        1 << 20,
        (1 << 20) + 1,
        1 << 22,
        (1 << 22) + 1,
        1 << 24,
        (1 << 24) + 1,
        1L << 30,
        (1L << 30) + 1,
        Integer.MAX_VALUE,
        1L << 31,
        0xffff_ffffL,
        1L << 32,
        1L << 40,
        1L << 60,
        1L << 61,
        1L << 62,
        Long.MAX_VALUE,
        Long.MAX_VALUE - 31,
        Long.MIN_VALUE,
        Long.MIN_VALUE + 1,
        -32
    };

    private final RandomGenerator random;
    private final List<byte[]> seeds;

    /// @param seeds sound files, which splices take their pieces from
    public Mutator(RandomGenerator random, List<byte[]> seeds) {
        this.random = random;
        this.seeds = seeds;
    }

    /// A damaged copy of `file`, whose interesting part (the header) ends at `header`.
    public byte[] mutate(byte[] file, int header) {
        byte[] out = file.clone();
        int end = Math.min(header, out.length);
        for (int n = 1 + random.nextInt(3); n > 0 && out.length > 0; n--) {
            end = Math.min(end, out.length);
            out = mutateOnce(out, Math.max(1, end));
        }
        return out;
    }

    private byte[] mutateOnce(byte[] file, int end) {
        int at = random.nextInt(end);
        switch (random.nextInt(8)) {
            case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> file[at] = (byte) random.nextInt();
            case 2 -> put(file, at, random.nextBoolean() ? 4 : 8, number(file, at));
            case 3, 4 -> {
                int length = lengthNear(file, at, end);
                put(file, length, 8, number(file, length));
            }
            case 5 -> {
                return Arrays.copyOf(file, random.nextInt(4) == 0 ? random.nextInt(file.length) : at);
            }
            case 6 -> {
                int size = 1 + random.nextInt(Math.min(64, file.length - at));
                byte[] rest = Arrays.copyOfRange(file, at + size, file.length);
                return GgufWriter.concat(Arrays.copyOf(file, at), rest);
            }
            default -> {
                byte[] other = seeds.get(random.nextInt(seeds.size()));
                int from = random.nextInt(Math.min(other.length, 4096));
                byte[] piece = Arrays.copyOfRange(other, from, Math.min(other.length, from + 1 + random.nextInt(96)));
                return GgufWriter.concat(Arrays.copyOf(file, at), piece, Arrays.copyOfRange(file, at, file.length));
            }
        }
        return file;
    }

    /// An extreme, or a number close to what is there or to the sizes around.
    private long number(byte[] file, int at) {
        return switch (random.nextInt(4)) {
            case 0 -> file.length - at + random.nextInt(-9, 10);
            case 1 -> random.nextLong() >>> random.nextInt(64);
            default -> EXTREMES[random.nextInt(EXTREMES.length)];
        };
    }

    /// The next place after `at` that looks like a small 64-bit number, as most lengths and counts do.
    private static int lengthNear(byte[] file, int at, int end) {
        for (int i = at; i < Math.min(end, at + 4096) - 8; i++) {
            if (file[i] != 0 && file[i + 3] == 0 && file[i + 4] == 0 && file[i + 5] == 0 && file[i + 7] == 0) {
                return i;
            }
        }
        return at;
    }

    private static void put(byte[] file, int at, int size, long value) {
        byte[] bytes = GgufWriter.le(size, value);
        System.arraycopy(bytes, 0, file, at, Math.min(size, file.length - at));
    }
}

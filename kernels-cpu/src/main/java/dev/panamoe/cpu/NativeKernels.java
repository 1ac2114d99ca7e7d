package dev.panamoe.cpu;

import dev.panamoe.cpu.KernelSets.Candidate;
import dev.panamoe.ffm.CallResult;
import dev.panamoe.ffm.CpuInfo;
import dev.panamoe.ffm.MachineCode;
import dev.panamoe.ffm.Os;
import dev.panamoe.tensor.LittleEndian;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Kernels that were compiled ahead from `src/main/native`, an image for each instruction set.
final class NativeKernels implements KernelSet {
    /// Instruction sets that there are images for, the fastest first.
    enum Target {
        AVX512_VNNI("avx512-vnni", "amd64", "avx512_vnni|avx512vnni avx512f avx512bw avx512vl avx2 fma f16c"),
        AVX_VNNI("avx-vnni", "amd64", "avx_vnni|avxvnni avx2 fma f16c"),
        AVX2("avx2", "amd64", "avx2 fma f16c"),
        NEON_DOTPROD("neon-dotprod", "aarch64", "asimddp|feat_dotprod");

        private final String label;
        private final String architecture;
        private final String flags;

        /// @param flags all are needed; where systems differ in a name, all its names
        Target(String label, String architecture, String flags) {
            this.label = label;
            this.architecture = architecture;
            this.flags = flags;
        }

        /// As `--cpu-kernels` names it.
        String label() {
            return label;
        }

        /// Why the processor cannot run the image; empty when it can.
        Optional<String> lacking(String here, Set<String> flagsHere) {
            // The JVM of macOS says x86_64 where others say amd64.
            String there = here.equals("x86_64") ? "amd64" : here;
            if (!architecture.equals(there)) {
                return Optional.of("for " + architecture + ", this is " + here);
            }
            List<String> missing = Stream.of(flags.split(" "))
                    .map(names -> List.of(names.split("\\|")))
                    .filter(names -> names.stream().noneMatch(flagsHere::contains))
                    .map(List::getFirst)
                    .toList();
            return missing.isEmpty()
                    ? Optional.empty()
                    : Optional.of("the processor lacks " + String.join(", ", missing));
        }
    }

    /// Functions of an image that fill panels, in the order of its table, behind those of the types.
    enum Fill {
        QUANTISE,
        COPY,
        SPREAD
    }

    private static final int LAYOUT_VERSION = 1;
    private static final byte[] MAGIC = {'P', 'A', 'N', 'A', 'M', 'O', 'E', '\n'};
    private static final int PEAK = PackedType.values().length + Fill.values().length;
    private static final int ENTRIES = PEAK + 1;
    private static final int TABLE = MAGIC.length + 8;

    /// Some 30 µs to 500 µs.
    private static final int PEAK_TURNS = 4000;

    /// Of a turn.
    private static final int PEAK_COLUMNS = 192;

    /// Images are loaded once and stay.
    private static final Map<Target, Candidate> LOADED = new ConcurrentHashMap<>();

    private final Target target;
    private final MemorySegment[] entries = new MemorySegment[ENTRIES];
    private final Map<PackedType, Integer> products = new EnumMap<>(PackedType.class);
    private final Map<Fill, Integer> fills = new EnumMap<>(Fill.class);

    /// Takes the addresses out of the image's table; on x86 those of the Microsoft convention follow, which no system
    /// uses that this project runs on.
    private NativeKernels(Target target, MemorySegment code) {
        if (code.asSlice(0, MAGIC.length).mismatch(MemorySegment.ofArray(MAGIC)) >= 0
                || code.get(LittleEndian.I32, MAGIC.length) != LAYOUT_VERSION
                || code.get(LittleEndian.I32, MAGIC.length + 4) != ENTRIES) {
            throw new IllegalStateException("the image of " + target.label() + " is not of this version");
        }
        this.target = target;
        for (int i = 0; i < ENTRIES; i++) {
            entries[i] = code.asSlice(code.get(LittleEndian.I32, TABLE + 4L * i));
        }
        int entry = 0;
        for (PackedType type : PackedType.values()) {
            products.put(type, entry++);
        }
        for (Fill fill : Fill.values()) {
            fills.put(fill, entry++);
        }
    }

    /// All native sets, the fastest first, each with what keeps it from being used on this machine.
    static List<Candidate> candidates(CpuInfo cpu) {
        List<Candidate> all = new ArrayList<>();
        for (Target target : Target.values()) {
            all.add(target.lacking(Os.architecture(), cpu.flags())
                    .map(lack -> new Candidate(target.label(), Optional.empty(), lack))
                    .orElseGet(() -> LOADED.computeIfAbsent(target, NativeKernels::load)));
        }
        return List.copyOf(all);
    }

    private static Candidate load(Target target) {
        if (Link.REFUSED.isPresent()) {
            return new Candidate(target.label(), Optional.empty(), Link.REFUSED.get());
        }
        return switch (MachineCode.load(image(target))) {
            case MachineCode.Refused(CallResult why) -> new Candidate(target.label(), Optional.empty(), why.reason());
            case MachineCode.Loaded(MemorySegment code) ->
                new Candidate(target.label(), Optional.of(new NativeKernels(target, code)), "");
        };
    }

    /// The committed image of a target.
    static byte[] image(Target target) {
        String name = target.label() + ".bin";
        try (InputStream in = NativeKernels.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from " + NativeKernels.class.getModule());
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    @Override
    public String name() {
        return target.label();
    }

    @Override
    public Panel newPanel() {
        return new NativePanel(this);
    }

    @Override
    public void matmul(
            PackedWeight w,
            int slice,
            int group,
            int groups,
            Panel x,
            int first,
            int tokens,
            float[] y,
            int[] yAt,
            int yFirst,
            Scratch scratch) {
        NativePanel panel = (NativePanel) x;
        PackedType type = w.packed();
        int row = PackedType.ROWS * group;
        int stride = PackedType.ROWS * groups;
        NativeCall call = NativeCall.get();
        MemorySegment out = call.floats(tokens * stride);
        // Native code checks nothing: what it reads must be there, and alive.
        long offset = w.offset(slice, group);
        Objects.checkFromIndexSize(
                offset, groups * type.groupBytes(w.cols()), w.data().byteSize());
        if (!w.data().scope().isAlive()) {
            throw new IllegalStateException(w.name() + ": the device is closed");
        }
        try {
            call.set(0, w.data().address() + offset);
            call.set(1, groups);
            call.set(2, type.groupBytes(w.cols()));
            call.set(3, type.units(w.cols()));
            panel.setTile(call, first, tokens);
            call.set(8, out.address());
            call.set(9, stride);
            call(Objects.requireNonNull(products.get(type)), call);
        } finally {
            Reference.reachabilityFence(w);
        }
        int rows = Math.min(stride, w.rows() - row);
        for (int t = 0; t < tokens; t++) {
            MemorySegment.copy(out, ValueLayout.JAVA_FLOAT, 4L * t * stride, y, yAt[yFirst + t] + row, rows);
        }
    }

    @Override
    public OptionalLong multiplyAdd() {
        NativeCall call = NativeCall.get();
        MemorySegment out = call.floats(PackedType.ROWS);
        call.set(0, PEAK_TURNS);
        call.set(1, out.address());
        call(PEAK, call);
        for (int row = 0; row < PackedType.ROWS; row++) {
            int sum = out.getAtIndex(ValueLayout.JAVA_INT, row);
            if (sum != peakSum(PEAK_TURNS)) {
                throw new IllegalStateException(name() + ": sum " + sum + " instead of " + peakSum(PEAK_TURNS));
            }
        }
        return OptionalLong.of((long) PEAK_TURNS * PEAK_COLUMNS * PackedType.ROWS);
    }

    /// What the peak leaves for each row: weights of 15, activations of -127.
    private static int peakSum(int turns) {
        return turns * PEAK_COLUMNS * 15 * -127;
    }

    /// Calls a function that fills panels with the argument at hand.
    void fill(Fill what, NativeCall call) {
        call(Objects.requireNonNull(fills.get(what)), call);
    }

    /// Calls the function at a place of the image's table.
    void call(int entry, NativeCall call) {
        try {
            Objects.requireNonNull(Link.CALL).invokeExact(entries[entry], call.address());
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            // A method handle declares it; native code throws nothing.
            throw new IllegalStateException(t);
        }
    }

    /// How native code is called. A class of its own: a Java that does not let native code be linked can still list the
    /// sets, and use the Vector API.
    private static final class Link {
        static final @Nullable MethodHandle CALL;

        /// Why native code cannot be called.
        static final Optional<String> REFUSED;

        static {
            MethodHandle call = null;
            String refused = null;
            try {
                call = link();
            } catch (IllegalCallerException | UnsupportedOperationException e) {
                refused = "this Java does not call native code: " + e.getMessage();
            }
            CALL = call;
            REFUSED = Optional.ofNullable(refused);
        }

        // Linking native code is what this class is for; the launcher enables native access. Such a call neither blocks
        // nor calls back.
        @SuppressWarnings("restricted")
        private static MethodHandle link() {
            return Linker.nativeLinker()
                    .downcallHandle(FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), Linker.Option.critical(false));
        }
    }
}

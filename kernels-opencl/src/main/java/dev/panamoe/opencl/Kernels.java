package dev.panamoe.opencl;

import dev.panamoe.spi.KernelSource;
import dev.panamoe.tensor.QuantType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.IntBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lwjgl.opencl.CL10;
import org.lwjgl.system.MemoryStack;

/// The kernels of a device, each built when it is first wanted, for what it is specialised to.
final class Kernels {
    /// Source files, whose last one names the program, and the constants they are compiled with.
    ///
    /// @param type of the weights: the constant `TYPE_…` and those of its {@link PackedFormat}; null for kernels that
    /// read none, or any
    /// @param options for the compiler
    record Program(String files, @Nullable QuantType type, String options) {}

    /// What a kernel is found by. One of them is filled again for each question, as objects made for every launch would
    /// be garbage by the thousand; those in the map are copies that do not change.
    private static final class Key {
        private String kernel = "";
        private String files = "";
        private @Nullable QuantType type;
        private String options = "";
        private long instance;

        Key fill(String kernel, String files, @Nullable QuantType type, String options, long instance) {
            this.kernel = kernel;
            this.files = files;
            this.type = type;
            this.options = options;
            this.instance = instance;
            return this;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key k
                    && instance == k.instance
                    && type == k.type
                    && kernel.equals(k.kernel)
                    && files.equals(k.files)
                    && options.equals(k.options);
        }

        /// Instances and names differ most.
        @Override
        public int hashCode() {
            return 31 * Long.hashCode(instance) + kernel.hashCode() + options.hashCode();
        }
    }

    private final ProgramCache cache;
    private final Memory memory;
    private final Launches launches = new Launches();
    private final Map<Program, Long> programs = new HashMap<>();
    private final Map<Key, Kernel> kernels = new HashMap<>();
    private final Key wanted = new Key();

    Kernels(ProgramCache cache, Memory memory) {
        this.cache = cache;
        this.memory = memory;
    }

    /// A kernel of a program of `prelude.cl` and `files`.
    ///
    /// @param files separated by blanks; `*.inc` are shared with other backends
    Kernel get(String kernel, String files, @Nullable QuantType type, String options) {
        return get(kernel, files, type, options, 0);
    }

    /// The same with arguments of its own: those of one weight, `instance`, seldom change.
    Kernel get(String kernel, String files, @Nullable QuantType type, String options, long instance) {
        Kernel found = kernels.get(wanted.fill(kernel, files, type, options, instance));
        if (found == null) {
            found = create(kernel, new Program(files, type, options));
            kernels.put(new Key().fill(kernel, files, type, options, instance), found);
        }
        return found.begin();
    }

    /// Of all kernels, since the device was opened.
    Launches launches() {
        return launches;
    }

    private Kernel create(String name, Program source) {
        long program = programs.computeIfAbsent(source, this::build);
        try (MemoryStack stack = MemoryStack.stackPush()) {
            IntBuffer error = stack.mallocInt(1);
            long kernel = CL10.clCreateKernel(program, name, error);
            Cl.check(error.get(0), () -> "clCreateKernel " + name);
            return new Kernel(name, kernel, memory, launches);
        }
    }

    private long build(Program program) {
        String last = program.files().substring(program.files().lastIndexOf(' ') + 1);
        String name = last.substring(0, last.indexOf('.'));
        // Some drivers print warnings on the user's terminal (-w: none).
        String options = "-w " + (program.type() == null ? "" : constants(program.type()) + " ") + program.options();
        return cache.get(program.type() == null ? name : name + "-" + program.type(), source(program.files()), options);
    }

    /// The source of a program of `prelude.cl` and `files`.
    static String source(String files) {
        StringBuilder source = new StringBuilder(KernelSource.shared("prelude.cl"));
        for (String file : files.split(" ")) {
            source.append(file.endsWith(".inc") ? KernelSource.shared(file) : own(file));
        }
        return source.toString();
    }

    private static String constants(QuantType type) {
        return "-D TYPE_" + type + " " + PackedFormat.of(type).orElseThrow().options();
    }

    private static String own(String resource) {
        try (InputStream in = Kernels.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no resource " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(resource, e);
        }
    }

    void release() {
        kernels.values().forEach(Kernel::release);
        programs.values().forEach(CL10::clReleaseProgram);
        kernels.clear();
        programs.clear();
    }
}

package dev.panamoe.ffm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryCallsTest {
    @TempDir
    Path folder;

    @BeforeEach
    void needsThePosixCalls() {
        assumeTrue(Os.isLinux() || Os.isMac());
    }

    @ParameterizedTest
    @EnumSource
    void adviceOnAMappedFileNeverChangesItsContents(MemoryAdvice advice) throws IOException {
        byte[] bytes = new byte[5 * (int) LibC.pageSize() + 17];
        new Random(7).nextBytes(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mapped = map(bytes, arena);
            for (long[] range : new long[][] {{0, bytes.length}, {1, bytes.length - 1}, {3, 40}, {0, 0}}) {
                CallResult result = advice.apply(mapped.asSlice(range[0], range[1]));
                if (advice == MemoryAdvice.HUGE_PAGES) {
                    // Kernels without huge pages for files refuse it, macOS has no such advice.
                    assertThat(result.reason()).isNotBlank();
                } else {
                    assertThat(result).as("%s of %s", advice, range).isEqualTo(CallResult.done());
                }
            }
            assertThat(mapped.toArray(JAVA_BYTE)).isEqualTo(bytes);
        }
    }

    @Test
    void dontNeedIsRefusedWhereItWouldDestroyTheContents() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment allocated = arena.allocate(4 * LibC.pageSize(), LibC.pageSize());
            allocated.fill((byte) 42);
            assertThat(MemoryAdvice.DONT_NEED.apply(allocated)).isInstanceOf(CallResult.Failed.class);
            assertThat(allocated.toArray(JAVA_BYTE)).containsOnly(42);
        }
    }

    @Test
    void javaArraysAreRefused() {
        MemorySegment array = MemorySegment.ofArray(new byte[10_000]);
        assertThat(MemoryAdvice.WILL_NEED.apply(array).reason()).contains("Java array");
        assertThat(PageLock.lock(array).reason()).contains("Java array");
    }

    @Test
    void theSystemsRefusalIsAValueWithItsWords() {
        // Nothing is mapped at the first page of the address space, so the system must refuse.
        MemorySegment nothing = at(0, LibC.pageSize());
        assertThat(MemoryAdvice.WILL_NEED.apply(nothing)).isInstanceOfSatisfying(CallResult.Failed.class, failed -> {
            assertThat(failed.errno()).isPositive();
            assertThat(failed.reason())
                    .startsWith("madvise WILL_NEED of " + LibC.pageSize() + " bytes: ")
                    .doesNotContain("error " + failed.errno());
        });
        assertThat(PageLock.lock(nothing))
                .isInstanceOfSatisfying(
                        CallResult.Failed.class,
                        failed -> assertThat(failed.reason()).startsWith("mlock of "));
    }

    @Test
    void pagesCoverOrLieInsideTheSegment() {
        long page = LibC.pageSize();
        MemorySegment segment = at(10 * page + 1, 3 * page);
        assertThat(Pages.covering(segment)).isEqualTo(new Pages(MemorySegment.ofAddress(10 * page), 4 * page));
        assertThat(Pages.inside(segment)).isEqualTo(new Pages(MemorySegment.ofAddress(11 * page), 2 * page));
        MemorySegment small = at(10 * page + 1, 5);
        assertThat(Pages.covering(small).bytes()).isEqualTo(page);
        assertThat(Pages.inside(small).bytes()).isZero();
    }

    @Test
    void locksAndUnlocksAPage() throws IOException {
        assumeTrue(PageLock.limit().orElse(Long.MAX_VALUE) >= 4 * LibC.pageSize());
        try (Arena arena = Arena.ofConfined()) {
            long before = status("VmLck");
            MemorySegment allocated = arena.allocate(2 * LibC.pageSize(), LibC.pageSize());
            assertThat(PageLock.lock(allocated)).isEqualTo(CallResult.done());
            if (Os.isLinux()) {
                assertThat(status("VmLck") - before).isEqualTo(2 * LibC.pageSize());
            }
            assertThat(PageLock.unlock(allocated)).isEqualTo(CallResult.done());
            assertThat(status("VmLck")).isEqualTo(before);
        }
    }

    @Test
    void largeMemoryIsZeroAndGoesWithItsArena() {
        assumeTrue(Os.isLinux());
        long large = 1L << 30;
        long before = status("VmSize");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = LargeMemory.allocate(large, arena);
            assertThat(memory.byteSize()).isEqualTo(large);
            assertThat(memory.get(JAVA_BYTE, large - 1)).isZero();
            memory.set(JAVA_BYTE, large - 1, (byte) 42);
            assertThat(status("VmSize") - before).isGreaterThan(large / 2);
        }
        assertThat(status("VmSize") - before).isLessThan(large / 2);
    }

    // The tests need ranges at addresses of their choice; they never touch the bytes.
    @SuppressWarnings("restricted")
    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /// Bytes that this process has of a kind, on Linux.
    private static long status(String field) {
        return LinuxFiles.lines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(field + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .sum();
    }

    private MemorySegment map(byte[] bytes, Arena arena) throws IOException {
        Path file = Files.write(folder.resolve("bytes"), bytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, arena);
        }
    }
}

package dev.panamoe.ffm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.BitSet;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

class ThreadAffinityTest {
    @Test
    void pinsTheCallingThreadOnly() throws Exception {
        assumeTrue(Os.isLinux());
        BitSet all = ThreadAffinity.current().orElseThrow();
        assertThat(all.cardinality()).isPositive();
        BitSet last = new BitSet();
        last.set(all.length() - 1);
        BitSet seen = on(Thread.ofPlatform(), () -> {
            assertThat(ThreadAffinity.pin(last)).isEqualTo(CallResult.done());
            return ThreadAffinity.current().orElseThrow();
        });
        assertThat(seen).isEqualTo(last);
        assertThat(ThreadAffinity.current()).contains(all);
    }

    @Test
    void refusesWhatCannotBe() throws Exception {
        assumeTrue(Os.isLinux());
        BitSet absent = new BitSet();
        absent.set(65_000);
        assertThat(ThreadAffinity.pin(absent)).isInstanceOf(CallResult.Failed.class);
        assertThat(ThreadAffinity.pin(new BitSet())).isInstanceOf(CallResult.Failed.class);
        BitSet tooFar = new BitSet();
        tooFar.set(1_000_000);
        assertThat(ThreadAffinity.pin(tooFar).reason()).contains("1000000");
        BitSet all = ThreadAffinity.current().orElseThrow();
        assertThat(on(Thread.ofVirtual(), () -> ThreadAffinity.pin(all)).reason())
                .contains("virtual thread");
    }

    @Test
    void elsewhereItSaysSo() {
        assumeTrue(!Os.isLinux());
        assertThat(ThreadAffinity.current()).isEmpty();
        assertThat(ThreadAffinity.pin(new BitSet())).isInstanceOf(CallResult.Unsupported.class);
    }

    private static <T> T on(Thread.Builder builder, Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        builder.start(task);
        return task.get();
    }
}

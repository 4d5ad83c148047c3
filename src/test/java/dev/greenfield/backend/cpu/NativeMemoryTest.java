package dev.greenfield.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Blocks are kept for reuse, but never beyond what the backend may hold. */
class NativeMemoryTest {
    private static final int FLOATS = 1 << 20;

    private NativeMemory memory;
    private long before;

    @BeforeEach
    void start() {
        OpenBlasGemm.load();
        memory = new NativeMemory();
        before = Pointer.totalBytes();
    }

    private long held() {
        return (Pointer.totalBytes() - before) / 4;
    }

    @Test
    void aBlockGivenBackServesTheNextRequestOfItsSize() {
        CpuMemory.Block first = memory.allocate(FLOATS);
        first.free();
        assertThat(held()).isEqualTo(FLOATS);
        CpuMemory.Block again = memory.allocate(FLOATS - 1000);
        assertThat(again).isSameAs(first);
        again.free();
        memory.close();
        assertThat(held()).isZero();
    }

    @Test
    void whatIsKeptAndWhatIsLentStayWithinTheLimitTogether() {
        memory.keepWithin(4L * 3 * FLOATS);
        CpuMemory.Block a = memory.allocate(FLOATS);
        CpuMemory.Block b = memory.allocate(FLOATS);
        a.free();
        b.free();
        assertThat(held()).as("both are kept").isEqualTo(2 * FLOATS);
        CpuMemory.Block large = memory.allocate(2 * FLOATS);
        assertThat(held()).as("one was freed to make room").isEqualTo(3 * FLOATS);
        memory.keepWithin(4L * FLOATS);
        large.free();
        assertThat(held()).as("nothing is kept beyond the new limit").isZero();
        memory.close();
    }

    @Test
    void blocksThatComeBackAfterTheEndAreFreed() {
        CpuMemory.Block block = memory.allocate(FLOATS);
        memory.close();
        block.free();
        assertThat(held()).isZero();
    }
}

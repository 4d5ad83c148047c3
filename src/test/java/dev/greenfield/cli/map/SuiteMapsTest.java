package dev.greenfield.cli.map;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.safetensors.DType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The maps of a suite are held on the heap, which is checked first. */
class SuiteMapsTest {
    @Test
    void mapsThatDoNotFitTheHeapAreRefused() {
        SuitePrompt prompt = new SuitePrompt(1, null, new int[1000], List.of());
        SuiteMaps maps = new SuiteMaps(List.of(prompt), false, 13, true, DType.F32);
        assertThatThrownBy(() -> maps.requireHeap(1L << 30))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("-Xmx");
        maps.requireHeap(16L << 30);
    }
}

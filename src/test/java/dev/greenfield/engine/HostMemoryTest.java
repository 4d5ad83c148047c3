package dev.greenfield.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.MemoryBudgetException;
import org.junit.jupiter.api.Test;

/** Sizes are multiplied out in 64 bits and asked of the heap before anything is made. */
class HostMemoryTest {
    @Test
    void productsDoNotWrapAround() {
        assertThat(HostMemory.doubles("it", 3, 4)).hasSize(12);
        assertThat(HostMemory.doubles("it", 0, Long.MAX_VALUE)).isEmpty();
        assertThatThrownBy(() -> HostMemory.doubles("it", 65536, 65536, 3))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContaining("65536 x 65536 x 3");
        assertThatThrownBy(() -> HostMemory.elements("it", Long.MAX_VALUE, Long.MAX_VALUE))
                .isInstanceOf(MemoryBudgetException.class);
    }

    @Test
    void theHeapIsAskedFirst() {
        long more = Runtime.getRuntime().maxMemory() + 1;
        assertThatThrownBy(() -> HostMemory.require("the map", more))
                .isInstanceOf(MemoryBudgetException.class)
                .hasMessageContainingAll("the map would take", "-Xmx");
    }
}

package dev.greenfield.benchmarks;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;

/** One test of each outcome, for {@link DeviceTestsTest}; its name keeps it out of the build's own runs. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PlantedOutcomes {
    @Test
    @Order(1)
    void passes(TestReporter reporter) {
        reporter.publishEntry("errors", "1e-7\nof 1e-6");
    }

    @Test
    @Order(2)
    void fails() {
        fail("found 2,\nexpected 3");
    }

    /** As a kernel that does not end: no interrupt helps. */
    @Test
    @Order(3)
    @SuppressWarnings("InfiniteLoopStatement")
    void hangs() {
        while (true) {
            Thread.onSpinWait();
        }
    }

    @Test
    @Order(4)
    void doesNotApply() {
        assumeTrue(false, "no such device");
    }

    @Test
    @Order(5)
    void passesToo() {}
}

package dev.greenfield.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The team of threads: every task once, whoever sleeps, and nobody busy who has nothing to do. */
@Timeout(60)
class WorkersTest {
    @Test
    void everyTaskIsDoneOnceWhetherHelpersSleepOrNot() {
        try (Workers workers = new Workers(4)) {
            for (int loop = 0; loop < 3000; loop++) {
                int tasks = loop % 11;
                AtomicIntegerArray done = new AtomicIntegerArray(11);
                workers.run(tasks, done::incrementAndGet);
                for (int i = 0; i < 11; i++) {
                    assertThat(done.get(i)).isEqualTo(i < tasks ? 1 : 0);
                }
                if (loop % 10 == 0) { // long enough to fall asleep, and at times just about
                    LockSupport.parkNanos(1000L * (loop % 97));
                }
            }
        }
    }

    @Test
    void idleHelpersTakeNoProcessorTime() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            workers.run(100, i -> {});
            Thread.sleep(20);
            long before = helpersTime();
            Thread.sleep(300);
            assertThat(helpersTime() - before).isLessThan(5_000_000);
        }
    }

    @Test
    void aCallerThatWaitsForAHelperSleeps() throws InterruptedException {
        try (Workers workers = new Workers(2)) {
            CountDownLatch bothBegun = new CountDownLatch(2);
            Thread caller = Thread.currentThread();
            long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            workers.run(2, i -> {
                meet(bothBegun);
                if (Thread.currentThread() != caller) {
                    LockSupport.parkNanos(200_000_000);
                }
            });
            long taken = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before;
            assertThat(taken).isLessThan(100_000_000);
        }
    }

    @Test
    void anInterruptIsKeptUntilTheTasksAreDone() {
        try (Workers workers = new Workers(2)) {
            CountDownLatch bothBegun = new CountDownLatch(2);
            Thread caller = Thread.currentThread();
            AtomicIntegerArray done = new AtomicIntegerArray(2);
            workers.run(2, i -> {
                meet(bothBegun);
                if (Thread.currentThread() != caller) {
                    caller.interrupt();
                    LockSupport.parkNanos(20_000_000);
                }
                done.incrementAndGet(i);
            });
            assertThat(done.get(0) + done.get(1)).isEqualTo(2);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void theFailureOfAHelperIsTheCallers() {
        try (Workers workers = new Workers(2)) {
            assertThatThrownBy(() -> workers.run(50, i -> {
                        if (i == 33) {
                            throw new IllegalArgumentException("task 33");
                        }
                    }))
                    .hasMessage("task 33");
            AtomicIntegerArray done = new AtomicIntegerArray(1);
            workers.run(50, i -> done.incrementAndGet(0));
            assertThat(done.get(0)).isEqualTo(50);
        }
    }

    private static void meet(CountDownLatch all) {
        all.countDown();
        try {
            all.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Nanoseconds that the helpers of all teams here have had. */
    private static long helpersTime() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("greenfield-cpu-"))
                .mapToLong(thread ->
                        Math.max(0, ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.getId())))
                .sum();
    }
}

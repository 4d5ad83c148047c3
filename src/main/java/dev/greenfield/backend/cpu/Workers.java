package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/**
 * A fixed team of threads that run the tasks 0..n-1 of one loop together with the caller. An idle helper spins for some
 * microseconds before it sleeps, since the next loop of a sweep follows at once and waking a thread costs as much as a small
 * loop. A caller that finds the team taken runs its loop alone.
 */
final class Workers implements AutoCloseable {
    private static final int SPINS = 20_000;
    private static final long NAP_NANOS = 10_000;

    private final Thread[] helpers;
    private final ReentrantLock taken = new ReentrantLock();
    private volatile Loop current;
    private volatile boolean closed;

    private static final class Loop {
        final IntConsumer task;
        final int tasks;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger done = new AtomicInteger();
        volatile Throwable failure;

        Loop(int tasks, IntConsumer task) {
            this.tasks = tasks;
            this.task = task;
        }

        /** Does what is left to do; only the thread that asked for the loop is one that can be told to give it up. */
        void work(boolean asker) {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                try {
                    if (asker) {
                        Cancellation.check();
                    }
                    if (failure == null) {
                        task.accept(i);
                    }
                } catch (RuntimeException | Error e) {
                    failure = e;
                } finally {
                    done.incrementAndGet();
                }
            }
        }
    }

    Workers(int threads) {
        helpers = new Thread[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Thread(this::help, "greenfield-cpu-" + (i + 1));
            helpers[i].setDaemon(true);
            helpers[i].start();
        }
    }

    /** How many threads work on a loop, the caller's included. */
    int threads() {
        return helpers.length + 1;
    }

    /**
     * Runs task(0) to task(tasks - 1), in any order and on any of the threads; returns when all are done.
     *
     * @throws dev.greenfield.failure.CancelledException if the caller was interrupted or cancelled; some tasks are then not done
     */
    void run(int tasks, IntConsumer task) {
        if (tasks <= 1 || helpers.length == 0 || !taken.tryLock()) {
            for (int i = 0; i < tasks; i++) {
                Cancellation.check();
                task.accept(i);
            }
            return;
        }
        try {
            if (taken.getHoldCount() > 1) {
                throw new IllegalStateException("a loop of the team started another one");
            }
            Loop loop = new Loop(tasks, task);
            current = loop;
            for (Thread helper : helpers) {
                LockSupport.unpark(helper);
            }
            loop.work(true);
            for (int spins = 0; loop.done.get() < tasks; spins++) {
                if (spins < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, NAP_NANOS);
                }
            }
            current = null;
            rethrow(loop.failure);
        } finally {
            taken.unlock();
        }
    }

    /** Splits 0..count-1 into ranges of at least {@code least} for the threads: about four a thread, to even out. */
    void ranges(int count, int least, Range range) {
        int pieces = Math.max(1, Math.min(count / Math.max(least, 1), 4 * threads()));
        run(pieces, i -> range.accept((int) ((long) count * i / pieces), (int) ((long) count * (i + 1) / pieces)));
    }

    /** Work on the indices from (inclusive) to (exclusive). */
    interface Range {
        void accept(int from, int to);
    }

    private static void rethrow(Throwable failure) {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    private void help() {
        Loop last = null;
        int spins = 0;
        while (!closed) {
            Loop loop = current;
            if (loop != null && loop != last) {
                loop.work(false);
                last = loop;
                spins = 0;
            } else if (spins++ < SPINS) {
                Thread.onSpinWait();
            } else {
                last = null;
                LockSupport.park(this);
                spins = 0;
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread helper : helpers) {
            LockSupport.unpark(helper);
        }
    }

    /** Rows that keep a thread busy for some ten microseconds. */
    static int rowsWorthATask(Matrix x) {
        return rows(32_768, x);
    }

    /** Likewise where each element goes through an activation, which takes as long as eight plain ones. */
    static int activatedRowsWorthATask(Matrix x) {
        return rows(4096, x);
    }

    private static int rows(int elements, Matrix x) {
        return Math.max(1, elements / Math.max(x.columns(), 1));
    }
}

package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;

/**
 * A fixed team of threads that run the tasks 0..n-1 of one loop together with the caller. Tasks are claimed one by one, so a helper
 * that has not begun holds nobody up. Who waits spins for some microseconds, since the next loop of a sweep follows at once, and
 * sleeps then: a waiting thread that keeps its core takes it from whoever it waits for where others work beside us, and the quota of
 * a container is spent by it. A caller that finds the team taken runs its loop alone.
 */
final class Workers implements AutoCloseable {
    /** How long a thread waits awake: about what waking it would cost. Measured, see docs/benchmarks.md. */
    private static final long SPIN_NANOS = 20_000;

    private final Helper[] helpers;
    private final ReentrantLock taken = new ReentrantLock();
    private volatile Loop current;
    private volatile boolean closed;

    private static final class Loop {
        final IntConsumer task;
        final int tasks;
        final AtomicInteger next = new AtomicInteger();
        final AtomicInteger done = new AtomicInteger();
        volatile Throwable failure;
        volatile Thread sleeper; // the asker, when it sleeps until the last task is done

        Loop(int tasks, IntConsumer task) {
            this.tasks = tasks;
            this.task = task;
        }

        /** Whether there are tasks that nobody has claimed. */
        boolean isOpen() {
            return next.get() < tasks;
        }

        boolean isDone() {
            return done.get() == tasks;
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
                    if (done.incrementAndGet() == tasks) {
                        LockSupport.unpark(sleeper);
                    }
                }
            }
        }

        /** Returns when all tasks are done; called by the asker, when none is left to claim. */
        void await() {
            if (spun(this::isDone)) {
                return;
            }
            // An interrupted thread cannot sleep. It is told of it again when the tasks, which cannot be left, are
            // done.
            boolean interrupted = Thread.interrupted();
            sleeper = Thread.currentThread();
            while (!isDone()) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** One thread of the team. */
    private final class Helper implements Runnable {
        final Thread thread;
        volatile boolean asleep;

        Helper(int number) {
            thread = new Thread(this, "greenfield-cpu-" + number);
            thread.setDaemon(true);
        }

        @Override
        public void run() {
            while (!closed) {
                if (!workedOnALoop() && !spun(this::isWanted)) {
                    // Whoever begins a loop looks for sleepers after that, so one of the two sees the other.
                    asleep = true;
                    while (!isWanted()) {
                        LockSupport.park(Workers.this);
                    }
                    asleep = false;
                }
            }
        }

        /** In a method of its own, so that a sleeping thread keeps nothing of a loop from the collector. */
        private boolean workedOnALoop() {
            Loop loop = current;
            if (loop == null || !loop.isOpen()) {
                return false;
            }
            loop.work(false);
            return true;
        }

        private boolean isWanted() {
            Loop loop = current;
            return closed || (loop != null && loop.isOpen());
        }

        void wake() {
            if (asleep) {
                LockSupport.unpark(thread);
            }
        }
    }

    Workers(int threads) {
        helpers = new Helper[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Helper(i + 1);
        }
        for (Helper helper : helpers) {
            helper.thread.start();
        }
    }

    /** How many threads work on a loop, the caller's included. */
    int threads() {
        return helpers.length + 1;
    }

    /** Whether something came true while this thread waited for it awake. */
    private static boolean spun(BooleanSupplier condition) {
        long from = System.nanoTime();
        do {
            if (condition.getAsBoolean()) {
                return true;
            }
            Thread.onSpinWait();
        } while (System.nanoTime() - from < SPIN_NANOS);
        return condition.getAsBoolean();
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
            int wanted = Math.min(tasks - 1, helpers.length);
            for (int i = 0; i < wanted; i++) {
                helpers[i].wake();
            }
            loop.work(true);
            loop.await();
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

    @Override
    public void close() {
        closed = true;
        for (Helper helper : helpers) {
            helper.wake();
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

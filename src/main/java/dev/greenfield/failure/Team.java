package dev.greenfield.failure;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;

/**
 * Items that several workers do side by side, each worker in a thread of its own, and whose results are taken in the order of the
 * items: so sums of them do not depend on who did what. A worker takes the next item when it is done with one, and waits where too many
 * results are waiting to be taken. Workers stop when the team is closed, and what they work on is then cancelled.
 *
 * @param <I> what is worked on
 * @param <O> what comes of it
 */
public final class Team<I, O> implements AutoCloseable {
    /** How long the taker waits before it looks for a cancellation of its own. */
    private static final long LOOK_MILLIS = 50;

    /** Results a worker that may wait to be taken. */
    private static final int AHEAD = 2;

    private final Cancellation stop = Cancellation.create();
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Slot<I, O>> waiting = new ArrayDeque<>(); // not begun, in order
    private final Deque<Slot<I, O>> untaken = new ArrayDeque<>(); // in order
    private final int mostAhead;
    private int done; // of those that are not taken
    private boolean closed;

    /**
     * One who works on items, one at a time and always in the same thread.
     *
     * @param <I> what is worked on
     * @param <O> what comes of it
     */
    public interface Worker<I, O> {
        O work(I item);
    }

    private static final class Slot<I, O> {
        final I item;
        O result;
        Throwable failure;
        boolean complete;

        Slot(I item) {
            this.item = item;
        }
    }

    /**
     * Begins to work.
     *
     * @param name of the threads
     * @param workers at least one
     * @param items in the order in which their results are taken
     */
    public Team(String name, List<? extends Worker<I, O>> workers, List<I> items) {
        this.mostAhead = AHEAD * workers.size();
        for (I item : items) {
            Slot<I, O> slot = new Slot<>(item);
            waiting.add(slot);
            untaken.add(slot);
        }
        for (Worker<I, O> worker : workers) {
            Thread thread = new Thread(() -> work(worker), name + "-" + threads.size());
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    /** The item whose result comes next; null when all are taken. */
    public synchronized I head() {
        return untaken.isEmpty() ? null : untaken.peek().item;
    }

    /**
     * The next result, when it is there.
     *
     * @throws CancelledException if the caller was interrupted or cancelled
     * @throws IllegalStateException if all are taken
     * @throws RuntimeException what the worker failed with
     */
    public synchronized O next() {
        if (untaken.isEmpty()) {
            throw new IllegalStateException("all results are taken");
        }
        Slot<I, O> slot = untaken.peek();
        while (!slot.complete) {
            Cancellation.check();
            sleep();
        }
        untaken.remove();
        done--;
        notifyAll();
        if (slot.failure instanceof RuntimeException failure) {
            throw failure;
        }
        if (slot.failure instanceof Error failure) {
            throw failure;
        }
        return slot.result;
    }

    @SuppressWarnings("WaitNotInLoop") // whoever calls it does so in a loop
    private void sleep() {
        try {
            wait(LOOK_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work(Worker<I, O> worker) {
        for (Slot<I, O> slot = claim(); slot != null; slot = claim()) {
            O result = null;
            Throwable failure = null;
            try {
                I item = slot.item;
                result = stop.call(() -> worker.work(item));
            } catch (RuntimeException | Error e) {
                failure = e;
            }
            complete(slot, result, failure);
        }
    }

    private synchronized Slot<I, O> claim() {
        while (!closed && done >= mostAhead && !waiting.isEmpty()) {
            sleep();
        }
        return closed ? null : waiting.poll();
    }

    private synchronized void complete(Slot<I, O> slot, O result, Throwable failure) {
        slot.result = result;
        slot.failure = failure;
        slot.complete = true;
        done++;
        notifyAll();
    }

    /** Gives up what is not done, and returns when nobody works any more. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        stop.cancel();
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

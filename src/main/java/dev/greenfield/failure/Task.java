package dev.greenfield.failure;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A piece of work that says how far it is, for whoever listens: what long calls are made of. The outermost task is what a {@link
 * Progress.Listener} hears. A task within a {@linkplain #call(double, Cancellation.Work) part} of another one moves that one on by its
 * share; any other inner task only gives the listener of the outer one its turn. Used by the thread that began it. Every step looks
 * for a cancellation.
 */
public final class Task {
    /** What each thread works within, the innermost first; null where nobody listens. */
    private static final ThreadLocal<Frame> WITHIN = new ThreadLocal<>();

    /** Where nobody listens, tasks count nothing. */
    private static final Task SILENT = new Task("", "", 0, List.of(), null);

    /** A task, or a listener that has heard of no task yet; the other is null. */
    private record Frame(Task task, Ear ear, Frame outer) {}

    private final String what;
    private final String unit;
    private final double total;
    private final List<Ear> ears;
    private final Task outer;
    private final long start = System.nanoTime();
    private double base; // units of the parts that are complete
    private double shown; // with what is done of the part under way; never falls
    private double kept;
    private double part; // units of the part under way
    private Task inner; // that moves this part on; null before there is one

    private Task(String what, String unit, double total, List<Ear> ears, Task outer) {
        this.what = what;
        this.unit = unit;
        this.total = total;
        this.ears = ears;
        this.outer = outer;
    }

    /** A listener, and when it was told last. */
    private static final class Ear {
        private final Progress.Listener listener;
        private final double everyNanos;
        private long told;

        Ear(Progress.Listener listener) {
            this.listener = listener;
            this.everyNanos = 1e9 * listener.everySeconds();
        }
    }

    /**
     * Work that says how far it is.
     *
     * @param <T> what it gives
     * @param <E> what it may fail with besides unchecked exceptions
     */
    public interface Body<T, E extends Exception> {
        T in(Task task) throws E;
    }

    /** Likewise work that gives nothing. */
    public interface Steps<E extends Exception> {
        void in(Task task) throws E;
    }

    static <T, E extends Exception> T watched(Progress.Listener listener, Cancellation.Work<T, E> work) throws E {
        return within(new Frame(null, new Ear(listener), WITHIN.get()), work);
    }

    private static <T, E extends Exception> T within(Frame frame, Cancellation.Work<T, E> work) throws E {
        WITHIN.set(frame);
        try {
            return work.get();
        } finally {
            if (frame.outer() == null) {
                WITHIN.remove();
            } else {
                WITHIN.set(frame.outer());
            }
        }
    }

    /**
     * Does a task.
     *
     * @param what it is, in a word or two
     * @param unit what is counted, in the plural
     * @param total how many units there are, or the most that there may be
     * @return what the body gives
     */
    public static <T, E extends Exception> T call(String what, String unit, double total, Body<T, E> body) throws E {
        Cancellation.check();
        Frame within = WITHIN.get();
        if (within == null) {
            return body.in(SILENT);
        }
        List<Ear> ears = new ArrayList<>();
        Frame outer = within;
        for (; outer != null && outer.task() == null; outer = outer.outer()) {
            ears.add(outer.ear());
        }
        Collections.reverse(ears);
        Task task = new Task(what, unit, total, ears, outer == null ? null : outer.task());
        ears.forEach(ear -> ear.told = task.start);
        task.enter();
        T result = within(new Frame(task, null, within), () -> body.in(task));
        task.complete();
        return result;
    }

    /** Likewise a task that gives nothing. */
    public static <E extends Exception> void run(String what, String unit, double total, Steps<E> body) throws E {
        Task.<Void, E>call(what, unit, total, task -> {
            body.in(task);
            return null;
        });
    }

    /** A task that is one part: the task within moves it on. */
    public static <T, E extends Exception> T whole(String what, String unit, double total, Cancellation.Work<T, E> work)
            throws E {
        return call(what, unit, total, task -> task.call(total, work));
    }

    /** Tells listeners a line for people. */
    public static void note(String line) {
        for (Frame frame = WITHIN.get(); frame != null; frame = frame.outer()) {
            if (frame.ear() != null) {
                frame.ear().listener.note(line);
            }
        }
    }

    /**
     * Does a part of this task. The first task within it moves this one on by its share; when the part is done, all of it counts. A
     * part that fails counts nothing and may be done again. A listener may throw when the part is done: what the work gives must need
     * no closing.
     *
     * @param units how much of this task it is
     * @return what the work gives
     */
    public <T, E extends Exception> T call(double units, Cancellation.Work<T, E> work) throws E {
        Cancellation.check();
        if (this == SILENT) {
            return work.get();
        }
        part = units;
        inner = null;
        T result;
        try {
            result = work.get();
        } finally {
            part = 0;
            inner = null;
        }
        to(base + units);
        return result;
    }

    /** Likewise a part that gives nothing. */
    public void run(double units, Runnable work) {
        call(units, () -> {
            work.run();
            return null;
        });
    }

    /** So many units are done in all. */
    public void to(double units) {
        Cancellation.check();
        if (this != SILENT) {
            base = Math.max(base, Math.min(units, total));
            show(base);
        }
    }

    /** Likewise within a part that is not complete, and may have to be done again: nothing is built on it. */
    public void seen(double units) {
        Cancellation.check();
        if (this != SILENT) {
            show(Math.min(units, total));
        }
    }

    /** So many units are done in all, and some more of them than before were there already. */
    public void kept(double more, double units) {
        if (this != SILENT) {
            kept += more;
        }
        to(units);
    }

    private void enter() {
        if (outer != null && outer.part > 0 && outer.inner == null) {
            outer.inner = this;
        }
    }

    private void complete() {
        base = total;
        shown = total;
        tell(true);
        if (outer != null) {
            outer.moved(this, 1);
        }
    }

    private void show(double units) {
        shown = Math.max(shown, units);
        tell(false);
        if (outer != null) {
            outer.moved(this, total > 0 ? shown / total : 1);
        }
    }

    /** An inner task has come to a fraction of itself. */
    private void moved(Task from, double fraction) {
        show(from == inner ? Math.min(total, base + part * fraction) : shown);
    }

    private void tell(boolean end) {
        if (ears.isEmpty()) {
            return;
        }
        long now = System.nanoTime();
        for (Ear ear : ears) {
            if (end || now - ear.told >= ear.everyNanos) {
                ear.told = now;
                ear.listener.at(new Progress(what, shown, kept, total, unit, (now - start) / 1e9));
            }
        }
    }
}

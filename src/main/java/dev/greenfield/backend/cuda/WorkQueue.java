package dev.greenfield.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUstream;

/**
 * Launches, products and copies on their way to the stream. They gather until there are {@link #MOST} or somebody waits for the device,
 * and then go together: as a CUDA graph where the same ones, with the same shapes and addresses, have gone before, else one by one.
 * Where products are so large that the device has its hands full, nothing gathers until somebody waits. A call of the driver or of cuBLAS takes the host 5 to 20 us, longer than a kernel of a short prompt runs; a graph of 64 takes it 6 us.
 * Not safe for several threads: the backend's lock guards it.
 */
final class WorkQueue {
    /** Set to {@code off} so that everything goes to the stream one by one, when it is asked for. */
    static final String PROPERTY = "greenfield.cuda.graphs";

    /** Few enough that the device does not wait for the host to gather them. */
    private static final int MOST = 64;

    /** The first after a wait are fewer: the device has nothing to do meanwhile. */
    private static final int FIRST = 16;

    /** Above so many flops a call the device is busy longer than the host takes to queue it, and a graph brings nothing. */
    private static final double SMALL = 2e9;

    /** One call: a launch, a product or a copy. */
    interface Work {
        /** Calls the driver or cuBLAS. */
        void issue();

        /** Adds what tells this call from every other: shapes, addresses, numbers. */
        void identify(WorkWords words);

        /** Flops of a product; 0, as here, for other work. */
        default double flops() {
            return 0;
        }
    }

    private final GraphCache graphs;
    private final boolean gathers;
    private final List<Work> waiting = new ArrayList<>(MOST);
    private final WorkWords words = new WorkWords();
    private int most = FIRST;
    private double flops;
    private boolean direct;
    private boolean busy; // since somebody last waited, the device got more than the host can keep from it
    private RuntimeException lost; // why work that nobody has waited for was not done

    WorkQueue(CUstream stream) {
        graphs = new GraphCache(stream);
        // Where every block is an allocation of its own, addresses do not come again.
        gathers = DeviceMemory.cached() && !"off".equals(System.getProperty(PROPERTY)) && !DebugMode.asked();
        direct = !gathers;
    }

    /** Whether work goes to the stream when it is asked for, from now on: whoever measures calls, or queues some of their own, wants that. */
    void direct(boolean now) {
        flush();
        direct = now || !gathers;
    }

    /** Whether work gathers, unless it is measured. */
    boolean gathers() {
        return gathers;
    }

    /** Does the work after all that was asked for before. */
    void add(Work work) {
        if (direct || busy) {
            work.issue();
            return;
        }
        waiting.add(work);
        work.identify(words);
        flops += work.flops();
        if (waiting.size() == most) {
            flush();
            most = MOST;
        }
    }

    /** The device has done all that was on the stream. */
    void waited() {
        busy = false;
        most = FIRST;
    }

    /**
     * Everything asked for is on the stream afterwards.
     *
     * @throws RuntimeException when the driver refused some of it, now or when memory was given back
     */
    void flush() {
        if (lost != null) {
            RuntimeException before = lost;
            lost = null;
            throw before;
        }
        if (waiting.isEmpty()) {
            return;
        }
        try {
            busy = flops > SMALL * waiting.size();
            if (busy || !graphs.run(words, this::issue)) {
                issue();
            } else {
                Cuda.queued(waiting.size() + " launches in a graph, from " + waiting.get(0) + " to "
                        + waiting.get(waiting.size() - 1));
            }
        } finally {
            waiting.clear();
            words.clear();
            flops = 0;
        }
    }

    private void issue() {
        for (Work work : waiting) {
            work.issue();
        }
    }

    /** Memory is about to be given back to the driver, perhaps on the way out of a failure: what fails now is told by the next flush. */
    void beforeFreeing() {
        try {
            flush();
        } catch (RuntimeException e) {
            lost = e;
        }
        graphs.clear();
    }

    /** How often a graph stood for work. */
    long replays() {
        return graphs.replays();
    }

    void close() {
        graphs.clear();
    }
}

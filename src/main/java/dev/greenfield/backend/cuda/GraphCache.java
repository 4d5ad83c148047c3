package dev.greenfield.backend.cuda;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * CUDA graphs of work that came before. Making one takes the host about as long as queueing its work once, so that only work which came
 * {@link #needed} times gets one. Graphs hold addresses: they go when memory is given back to the driver.
 */
final class GraphCache {
    /** Graphs that are kept: what a sweep of a short prompt needs many times over. */
    private static final int KEPT = 128;

    /** Hashes of work that are remembered. */
    private static final int REMEMBERED = 4096;

    /** So often must work have come where graphs were made in vain. */
    private static final int MOST_NEEDED = 64;

    private final CUstream stream;
    private final Map<Long, Graph> graphs = new LinkedHashMap<>(16, 0.75f, true); // least recently used first
    private final Map<Long, Integer> seen = new LinkedHashMap<>(16, 0.75f, true);
    private int needed = 2;
    private boolean refused; // the driver or cuBLAS would not have its calls captured
    private long replays;

    private static final class Graph {
        private final CUgraphExec executable;
        private final long[] words;
        private boolean used;

        Graph(CUgraphExec executable, long[] words) {
            this.executable = executable;
            this.words = words;
        }
    }

    GraphCache(CUstream stream) {
        this.stream = stream;
    }

    /**
     * Does work as a graph, if there is one or it is time to make one. Returns whether it did.
     *
     * @param words what identifies the work
     * @param issue calls the driver for each part of it
     */
    boolean run(WorkWords words, Runnable issue) {
        if (refused) {
            return false;
        }
        long hash = words.hash();
        Graph graph = graphs.get(hash);
        if (graph != null && words.equal(graph.words)) {
            graph.used = true;
        } else if (seen.merge(hash, 1, Integer::sum) < needed) {
            forgetOldest(seen, REMEMBERED);
            return false;
        } else {
            graph = make(words, issue);
            if (graph == null) {
                return false;
            }
            Graph before = graphs.put(hash, graph);
            if (before != null) {
                destroy(before);
            }
            limit();
        }
        Cuda.check(JCudaDriver.cuGraphLaunch(graph.executable, stream), "launching a graph of work that came before");
        replays++;
        return true;
    }

    /** Graphs that are made and then crowded out by others, before they came again, are a loss: fewer are made from then on. */
    private void limit() {
        Iterator<Graph> oldest = graphs.values().iterator();
        while (graphs.size() > KEPT) {
            Graph graph = oldest.next();
            oldest.remove();
            if (!graph.used) {
                needed = Math.min(MOST_NEEDED, 2 * needed);
            }
            destroy(graph);
        }
    }

    private static void forgetOldest(Map<Long, Integer> map, int most) {
        if (map.size() > most) {
            Iterator<Long> oldest = map.keySet().iterator();
            oldest.next();
            oldest.remove();
        }
    }

    /** A graph of what {@code issue} asks for, which is not done by that; null where it cannot be had, now and for ever. */
    private Graph make(WorkWords words, Runnable issue) {
        // Other threads may allocate and wait meanwhile, on streams of their own.
        int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED;
        if (JCudaDriver.cuStreamBeginCapture(stream, mode) != 0) {
            refused = true;
            return null;
        }
        CUgraph graph = new CUgraph();
        CUgraphExec executable = new CUgraphExec();
        RuntimeException failure = null;
        try {
            issue.run();
        } catch (RuntimeException e) {
            failure = e;
        }
        int ended = JCudaDriver.cuStreamEndCapture(stream, graph);
        refused = failure != null || ended != 0 || JCudaDriver.cuGraphInstantiate(executable, graph, 0) != 0;
        if (ended == 0) {
            JCudaDriver.cuGraphDestroy(graph);
        }
        return refused ? null : new Graph(executable, words.copy());
    }

    /** How often a graph was launched. */
    long replays() {
        return replays;
    }

    /** Forgets all graphs. Those that the device works on are done first. */
    void clear() {
        graphs.values().forEach(GraphCache::destroy);
        graphs.clear();
    }

    private static void destroy(Graph graph) {
        JCudaDriver.cuGraphExecDestroy(graph.executable);
    }
}

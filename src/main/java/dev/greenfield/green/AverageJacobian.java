package dev.greenfield.green;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.ModelConfig;
import java.util.Arrays;

/**
 * The averaged Jacobian to a depth M, mostly the last, as the Jacobian lens transports a residual with it: for each depth l the matrix [D, D]
 *
 * <pre>{@code J_l = mean over prompts of  mean over source tokens t of  sum over target tokens t' >= t of  dR[M][t'] / dR[l][t]}</pre>
 *
 * <p>The first {@link #skip()} tokens of each prompt and its last {@link #skipLast()} are neither sources nor targets; each prompt weighs
 * the same, however long. J_M is the identity. Prompts may have any lengths. They are added one after another, or side by side in
 * {@linkplain #turn() turns}; what is held is one array [M+1, D, D] and what one sweep of each prompt under way finds. The published lens skips the first {@value #PUBLISHED_SKIP} and the last
 * {@value #PUBLISHED_SKIP_LAST}, to the last depth.
 *
 * <p>One sweep gives all depths and tokens at once: for each output i, the unit cotangent e_i is seeded at every target token
 * together. Causality then makes row t of what arrives at depth l the sum over t' >= t of dR[M][t']_i / dR[l][t].
 *
 * <p>Definition: Gurnee, Sofroniew, Lindsey et al., Verbalizable Representations Form a Global Workspace in Language Models, 2026.
 */
public final class AverageJacobian {
    /** How many tokens at the start of a prompt the published lens skips. */
    public static final int PUBLISHED_SKIP = 16;

    /** How many at its end. */
    public static final int PUBLISHED_SKIP_LAST = 1;

    /** How long a prompt waits for the one before it until it looks for a cancellation. */
    private static final long LOOK_MILLIS = 50;

    private final int layers;
    private final int width;
    private final int skip;
    private final int skipLast;
    private final int toDepth;
    private final double[] sums; // [M+1, D, D], over prompts
    private int prompts;
    private long positions;
    private boolean broken;
    private Turn last; // of those given out; null before the first

    /**
     * An average of no prompts yet, to the last depth and with the last token of each prompt.
     *
     * @param config of the model whose runs will be added
     * @param skip how many tokens at the start of each prompt are left out, at least 0
     * @throws InputException if {@code skip} is negative
     * @throws MemoryBudgetException if one array cannot hold the matrices
     */
    public AverageJacobian(ModelConfig config, int skip) {
        this(config, skip, 0, config.layers());
    }

    /**
     * An average of no prompts yet.
     *
     * @param config of the model whose runs will be added
     * @param skip how many tokens at the start of each prompt are neither sources nor targets, at least 0
     * @param skipLast how many at its end, at least 0
     * @param toDepth M, the depth of the targets, 0 to L
     * @throws InputException if a number is not in its range
     * @throws MemoryBudgetException if one array cannot hold the matrices
     */
    public AverageJacobian(ModelConfig config, int skip, int skipLast, int toDepth) {
        if (skip < 0 || skipLast < 0) {
            throw new InputException(
                    "skip " + (skip < 0 ? skip : skipLast) + ": expected a number of tokens, at least 0");
        }
        if (toDepth < 0 || toDepth > config.layers()) {
            throw new InputException("target depth " + toDepth + ": expected 0 to " + config.layers());
        }
        this.skipLast = skipLast;
        this.toDepth = toDepth;
        this.layers = config.layers();
        this.width = config.width();
        this.skip = skip;
        long elements = (toDepth + 1L) * width * width;
        if (elements > Integer.MAX_VALUE - 8) {
            throw new MemoryBudgetException("averaged Jacobians of " + (toDepth + 1) + " depths and width " + width
                    + " have " + elements + " numbers, one array holds " + (Integer.MAX_VALUE - 8)
                    + ": use a smaller model");
        }
        this.sums = new double[(int) elements];
    }

    /**
     * Adds a prompt's run. If its sweeps fail half way, nothing more can be had of this average.
     *
     * @param scope the run, of a model of the same depth and width
     * @throws InputException if the prompt has no token after those that are skipped, or is of another model
     * @throws MemoryBudgetException if the sweep of a single cotangent does not fit; the average is as it was
     */
    public void add(Scope scope) {
        check(scope);
        turn().sum(scope);
    }

    /**
     * The next place in the order in which prompts are added. Prompts with places of their own may be added side by side, from several
     * threads and devices: what each finds goes into the sums when all before it have found as much, so that the sums are those of
     * one prompt after another, to the bit. A place holds up the later ones until it is used or closed.
     */
    public synchronized Turn turn() {
        requireSound();
        last = new Turn(last);
        return last;
    }

    private synchronized void check(Scope scope) {
        Linearization run = scope.run();
        requireSound();
        if (run.model().config().layers() != layers || run.model().config().width() != width) {
            throw new InputException("found a run of " + run.model().config().layers() + " layers and width "
                    + run.model().config().width() + ", expected " + layers + " layers and width " + width
                    + ", as of the runs before: average one model's runs");
        }
        requireSources(run.length(), skip, skipLast);
        // One row more than the cotangent has: its sum.
        scope.requireSweep(run.length() - skip - skipLast + 1);
    }

    /** The place of one prompt among those that are added. Closed before one is added, it ends the average: nothing more can be had of it. */
    public final class Turn implements AutoCloseable {
        private Turn before; // null when it is known to be complete
        private int added; // outputs
        private boolean complete;

        private Turn(Turn before) {
            this.before = before;
        }

        /**
         * Adds a prompt's run here, and waits for those at earlier places that are under way. If its sweeps fail half way, nothing more
         * can be had of the average.
         *
         * @param scope the run, of a model of the same depth and width
         * @throws InputException if the prompt has no token after those that are skipped, or is of another model
         * @throws MemoryBudgetException if the sweep of a single cotangent does not fit; the average is as it was
         * @throws IllegalStateException if an earlier prompt failed half way
         */
        public void add(Scope scope) {
            check(scope);
            sum(scope);
        }

        private void sum(Scope scope) {
            int sources = scope.length() - skip - skipLast;
            int[] rows = new int[width];
            Arrays.fill(rows, sources + 1);
            try (this) {
                Task.run(
                        "averaged Jacobian",
                        "outputs",
                        width,
                        task -> task.run(
                                width,
                                () -> scope.inBatches(rows, range -> add(range, found(scope.run(), range), sources))));
                end(sources);
            }
        }

        /** Sums over source tokens [M, outputs of the range, D]; of a sweep that is broken off, nothing. */
        private double[] found(Linearization run, Batches.Range range) {
            try (TokenSums part = new TokenSums(run, skip, run.length() - skip - skipLast, toDepth, range)) {
                new Sweep(run).cotangents(part.seeds(), HalfDepth.ofDepth(0), skip, part);
                return part.found();
            }
        }

        /** Adds this prompt's means over source tokens to the sums over prompts. */
        private void add(Batches.Range range, double[] found, int sources) {
            await(range.to());
            // Nobody else is at these outputs: earlier prompts are past them, later ones wait for this one.
            int outputs = range.to() - range.from();
            for (int l = 0; l < toDepth; l++) {
                int to = (l * width + range.from()) * width;
                int from = l * outputs * width;
                for (int i = 0; i < outputs * width; i++) {
                    sums[to + i] += found[from + i] / sources;
                }
            }
            reach(range.to());
        }

        /** Waits until the prompt before has added so many outputs, and thereby all before it. */
        private void await(int outputs) {
            synchronized (AverageJacobian.this) {
                while (before != null && before.added < outputs) {
                    requireSound();
                    Cancellation.check();
                    try {
                        AverageJacobian.this.wait(LOOK_MILLIS);
                    } catch (InterruptedException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                }
                requireSound();
            }
        }

        private void reach(int outputs) {
            synchronized (AverageJacobian.this) {
                added = outputs;
                AverageJacobian.this.notifyAll();
            }
        }

        private void end(int sources) {
            synchronized (AverageJacobian.this) {
                complete = true;
                before = null;
                for (int i = 0; i < width; i++) {
                    sums[(toDepth * width + i) * width + i] += 1;
                }
                prompts++;
                positions += sources;
            }
        }

        @Override
        public void close() {
            synchronized (AverageJacobian.this) {
                if (!complete) {
                    broken = true;
                    AverageJacobian.this.notifyAll();
                }
            }
        }
    }

    /**
     * Checks that a prompt has a source.
     *
     * @throws InputException if all of its tokens are skipped
     */
    public static void requireSources(int tokens, int skip, int skipLast) {
        if (tokens <= (long) skip + skipLast) {
            throw new InputException("a prompt of " + tokens + (tokens == 1 ? " token" : " tokens")
                    + " has no source beside the first " + skip + " and the last " + skipLast
                    + " that are skipped: skip fewer, or use longer prompts");
        }
    }

    private void requireSound() {
        if (broken) {
            throw new IllegalStateException(
                    "a prompt was not added, or in part only, since its sweep failed: start again");
        }
    }

    /** How many tokens at the start of each prompt are left out. */
    public int skip() {
        return skip;
    }

    /** How many tokens at the end of each prompt are left out. */
    public int skipLast() {
        return skipLast;
    }

    /** M, the depth of the targets. */
    public int toDepth() {
        return toDepth;
    }

    /** Number of prompts added. */
    public synchronized int prompts() {
        return prompts;
    }

    /** Number of source tokens of all prompts added. */
    public synchronized long positions() {
        return positions;
    }

    /**
     * The averages, [M+1, D, D]: [l, i, j] is the averaged dR[M]_i / dR[l]_j. The last of them is the identity.
     *
     * @throws IllegalStateException if no prompt was added
     */
    public synchronized double[] mean() {
        requireSound();
        if (prompts == 0) {
            throw new IllegalStateException("no prompt was added: an average needs at least one");
        }
        double[] mean = sums.clone();
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= prompts;
        }
        return mean;
    }

    /**
     * The leading singular values and vectors of the average of a depth; the sign convention is {@link LowRank}'s.
     *
     * @param depth 0 to M
     * @param rank how many, 1 to D
     * @throws InputException if there is no such depth, or the rank is not in its range
     * @throws IllegalStateException if no prompt was added
     */
    public synchronized LowRank leading(int depth, int rank) {
        if (depth < 0 || depth > toDepth) {
            throw new InputException("found depth " + depth + ", expected 0 to " + toDepth);
        }
        if (rank < 1 || rank > width) {
            throw new InputException("found rank " + rank + ", expected 1 to " + width);
        }
        requireSound();
        if (prompts == 0) {
            throw new IllegalStateException("no prompt was added: an average needs at least one");
        }
        double[][] rows = new double[width][width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                rows[i][j] = sums[(depth * width + i) * width + j] / prompts;
            }
        }
        return RandomizedSvd.compute(new HostMatrix(rows), rank, 0);
    }
}

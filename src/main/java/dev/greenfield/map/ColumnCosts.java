package dev.greenfield.map;

import dev.greenfield.checkpoint.CheckpointPlan;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.HalfBlockFlops;
import dev.greenfield.engine.KeptTokens;
import dev.greenfield.engine.TokenState;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What the columns of a map cost, when they are pushed in given batches, one after the other. */
final class ColumnCosts {
    private final DeviceModel model;
    private final MapLayout layout;
    private final HalfDepth far;
    private final int edge;
    private final KeptTokens kept;

    /**
     * Costs of one way through all columns.
     *
     * @param far the level that they are pushed to
     * @param edge the last token that tangents reach, the first that cotangents do
     */
    ColumnCosts(DeviceModel model, MapLayout layout, HalfDepth far, int edge) {
        this(model, layout, far, edge, KeptTokens.none());
    }

    private ColumnCosts(DeviceModel model, MapLayout layout, HalfDepth far, int edge, KeptTokens kept) {
        this.model = model;
        this.layout = layout;
        this.far = far;
        this.edge = edge;
        this.kept = kept;
    }

    /** Costs of the same columns where the batches keep maps of tokens. */
    ColumnCosts keeping(KeptTokens tokens) {
        return new ColumnCosts(model, layout, far, edge, tokens);
    }

    /** Flops of all columns. */
    double flops(List<Batches.Range> batches) {
        return flopsBefore(batches)[layout.columns()];
    }

    /**
     * Per column the flops of all columns before it, and last those of all, [columns + 1]. The rows of a token share the cost of
     * their batch's products there evenly; a map that is kept is paid for by the first batch that has need of it.
     */
    double[] flopsBefore(List<Batches.Range> batches) {
        double[] before = new double[layout.columns() + 1];
        Forming forming = new Forming();
        for (Batches.Range batch : batches) {
            double[][] prices = prices(batch, forming);
            forEachSite(batch, (site, from, to) -> {
                double price = price(site, to - from, prices, forming);
                for (int c = from; c < to; c++) {
                    before[c + 1] = before[c] + price;
                }
            });
        }
        return before;
    }

    /** Which of the kept maps have been formed. */
    private final class Forming {
        private final Set<Long> formed = new HashSet<>();

        /** Flops of forming the map of the half block after a level that a batch needs at a token. */
        double flops(HalfDepth level, int token) {
            int block = HalfBlockFlops.block(level, layout.forward());
            double flops = kept.has(block, token) ? HalfBlockFlops.toForm(model, level, layout.forward()) : 0;
            if (flops == 0) { // not kept, or no MLP
                return 0;
            }
            return formed.add((long) block << Integer.SIZE | token) ? flops : 0;
        }
    }

    /** How many half blocks are left from a level on. */
    private int step(HalfDepth level) {
        return far.stepsTo(level);
    }

    /** How many tokens there are from a token to the edge. */
    private int distance(int token) {
        return Math.abs(edge - token);
    }

    /** Takes a site with its columns within a batch, from (inclusive) to (exclusive). */
    private interface SiteColumns {
        void take(Site site, int from, int to);
    }

    private void forEachSite(Batches.Range batch, SiteColumns work) {
        int c = batch.from();
        for (int s = layout.site(c); c < batch.to(); s++) {
            int to = Math.min(layout.firstColumn(s + 1), batch.to());
            work.take(layout.sites().get(s), c, to);
            c = to;
        }
    }

    /** The flops of a site's column: as a newborn, and from where the batch has it on. */
    private double price(Site site, int together, double[][] prices, Forming forming) {
        int distance = distance(site.token());
        int left = step(site.halfDepth());
        HalfDepth level = site.halfDepth();
        double price = 0;
        for (int alone = stepsAlone(site); alone > 0 && left > 0; alone--) {
            boolean has = kept.has(HalfBlockFlops.block(level, true), site.token());
            price += HalfBlockFlops.ofNewborn(model, level, distance + 1, together, has)
                    + forming.flops(level, site.token()) / together;
            level = level.above();
            left--;
        }
        return price + prices[left][distance];
    }

    private int stepsAlone(Site site) {
        return HalfBlockFlops.stepsAsNewborn(model, site.halfDepth(), layout.forward(), distance(site.token()) + 1);
    }

    /** The token at so many tokens from the edge. */
    private int token(int distance) {
        return layout.forward() ? edge - distance : edge + distance;
    }

    /** The rows of all columns at the tokens of each block's MLP, [L, T]; without those of newborn ones. */
    long[][] rowsOfTokens() {
        long[][] alive = alive(entering(new Batches.Range(0, layout.columns())));
        int distances = alive[0].length - 1;
        long[][] rows = new long[model.config().layers()][Math.max(token(0), token(distances)) + 1];
        HalfDepth level = far;
        for (int s = 1; s < alive.length; s++) {
            level = layout.forward() ? level.below() : level.above();
            if (HalfBlockFlops.toForm(model, level, layout.forward()) > 0) {
                for (int d = 0; d <= distances; d++) {
                    rows[HalfBlockFlops.block(level, layout.forward())][token(d)] = alive[s][d];
                }
            }
        }
        return rows;
    }

    /** Columns that a batch gets, [half blocks left, tokens to the edge]. */
    private long[][] entering(Batches.Range batch) {
        int[] most = new int[2];
        forEachSite(batch, (site, from, to) -> {
            most[0] = Math.max(most[0], step(site.halfDepth()));
            most[1] = Math.max(most[1], distance(site.token()));
        });
        long[][] entering = new long[most[0] + 1][most[1] + 1];
        forEachSite(batch, (site, from, to) -> {
            int left = step(site.halfDepth()) - stepsAlone(site);
            if (left >= 0) { // others get to the far level alone
                entering[left][distance(site.token())] += to - from;
            }
        });
        return entering;
    }

    /** The rows of columns that enter a batch, [half blocks left, tokens to the edge]. */
    private static long[][] alive(long[][] entering) {
        int steps = entering.length - 1;
        int distances = entering[0].length - 1;
        // A column has a row at every token from its own to the edge, in every half block from its own to the far one.
        long[][] alive = new long[steps + 1][distances + 1];
        for (int s = steps; s >= 0; s--) {
            for (int d = distances; d >= 0; d--) {
                alive[s][d] = entering[s][d]
                        + (d < distances ? alive[s][d + 1] : 0)
                        + (s < steps ? alive[s + 1][d] : 0)
                        - (s < steps && d < distances ? alive[s + 1][d + 1] : 0);
            }
        }
        return alive;
    }

    /**
     * How near to the edge a batch's rows are zero, per number of half blocks left: nearer than this. Cotangents have rows at earlier
     * tokens before attention brings them there; those before the first of all are left out until then.
     */
    private int[] nonzero(long[][] entering) {
        int[] nonzero = new int[entering.length];
        if (layout.forward()) {
            return nonzero;
        }
        int least = Integer.MAX_VALUE;
        HalfDepth[] levels = new HalfDepth[entering.length];
        levels[0] = far;
        for (int s = 1; s < levels.length; s++) {
            levels[s] = levels[s - 1].above();
        }
        for (int s = entering.length - 1; s > 0; s--) {
            for (int d = 0; d < entering[s].length; d++) {
                if (entering[s][d] > 0) {
                    least = Math.min(least, d);
                }
            }
            nonzero[s] = least;
            if (Causality.mixesTokens(levels[s].below())) {
                break; // and zero from here on
            }
        }
        return nonzero;
    }

    /** The flops of a column that a batch has, [half blocks left, tokens to the edge]. */
    private double[][] prices(Batches.Range batch, Forming forming) {
        boolean forward = layout.forward();
        long[][] entering = entering(batch);
        long[][] alive = alive(entering);
        int[] nonzero = nonzero(entering);
        double[][] prices = new double[alive.length][alive[0].length];
        HalfDepth level = far;
        for (int s = 1; s < alive.length; s++) {
            level = forward ? level.below() : level.above();
            int block = HalfBlockFlops.block(level, forward);
            double sum = 0;
            long rows = Arrays.stream(alive[s]).sum();
            for (int d = 0; d < alive[s].length; d++) {
                if (alive[s][d] > 0) {
                    TokenState state = new TokenState(kept.has(block, token(d)), d < nonzero[s]);
                    double flops = HalfBlockFlops.ofToken(model, level, forward, alive[s][d], edge + 1, rows, state)
                            + (state.zero() ? 0 : forming.flops(level, token(d)));
                    sum += flops / alive[s][d];
                }
                prices[s][d] = prices[s - 1][d] + sum;
            }
        }
        return prices;
    }

    /**
     * The whole, as people see it.
     *
     * @param rows per column how many rows it has
     * @param extraBytes beside those of a sweep
     */
    MapPlan plan(int[] rows, List<Batches.Range> batches, long extraBytes) {
        long total = 0;
        long most = 0;
        for (Batches.Range range : batches) {
            long sum = CheckpointPlan.rows(rows, range);
            total += sum;
            most = Math.max(most, Batches.bytes(model, sum));
        }
        long bytes = most + kept.bytes() + extraBytes;
        return new MapPlan(layout.forward(), rows.length, total, batches.size(), flops(batches), bytes, kept.count());
    }
}

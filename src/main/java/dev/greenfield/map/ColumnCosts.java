package dev.greenfield.map;

import dev.greenfield.checkpoint.CheckpointPlan;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.engine.HalfBlockFlops;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.List;

/** What the columns of a map cost, when they are pushed in given batches. */
final class ColumnCosts {
    private final DeviceModel model;
    private final MapLayout layout;
    private final HalfDepth far;
    private final int edge;

    /**
     * Costs of one way through all columns.
     *
     * @param far the level that they are pushed to
     * @param edge the last token that tangents reach, the first that cotangents do
     */
    ColumnCosts(DeviceModel model, MapLayout layout, HalfDepth far, int edge) {
        this.model = model;
        this.layout = layout;
        this.far = far;
        this.edge = edge;
    }

    /**
     * Per column the flops of all columns before it, and last those of all, [columns + 1]. The rows of a token share the cost of
     * their batch's products there evenly.
     */
    double[] flopsBefore(List<Batches.Range> batches) {
        double[] before = new double[layout.columns() + 1];
        for (Batches.Range batch : batches) {
            double[][] prices = prices(batch);
            forEachSite(batch, (site, from, to) -> {
                double price = price(site, to - from, prices);
                for (int c = from; c < to; c++) {
                    before[c + 1] = before[c] + price;
                }
            });
        }
        return before;
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
    private double price(Site site, int together, double[][] prices) {
        int distance = distance(site.token());
        int left = step(site.halfDepth());
        HalfDepth level = site.halfDepth();
        double price = 0;
        for (int alone = stepsAlone(site); alone > 0 && left > 0; alone--) {
            price += HalfBlockFlops.ofNewborn(model, level, distance + 1, together);
            level = level.above();
            left--;
        }
        return price + prices[left][distance];
    }

    private int stepsAlone(Site site) {
        return HalfBlockFlops.stepsAsNewborn(model, site.halfDepth(), layout.forward(), distance(site.token()) + 1);
    }

    /** The flops of a column that a batch has, [half blocks left, tokens to the edge]. */
    private double[][] prices(Batches.Range batch) {
        int[] most = new int[2];
        forEachSite(batch, (site, from, to) -> {
            most[0] = Math.max(most[0], step(site.halfDepth()));
            most[1] = Math.max(most[1], distance(site.token()));
        });
        int steps = most[0];
        int distances = most[1];
        long[][] entering = new long[steps + 1][distances + 1];
        forEachSite(batch, (site, from, to) -> {
            int left = step(site.halfDepth()) - stepsAlone(site);
            if (left >= 0) { // others get to the far level alone
                entering[left][distance(site.token())] += to - from;
            }
        });
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
        double[][] prices = new double[steps + 1][distances + 1];
        HalfDepth level = far;
        for (int s = 1; s <= steps; s++) {
            level = layout.forward() ? level.below() : level.above();
            double sum = 0;
            long rows = Arrays.stream(alive[s]).sum();
            for (int d = 0; d <= distances; d++) {
                if (alive[s][d] > 0) {
                    sum += HalfBlockFlops.ofToken(model, level, layout.forward(), alive[s][d], edge + 1, rows)
                            / alive[s][d];
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
        double flops = flopsBefore(batches)[rows.length];
        return new MapPlan(layout.forward(), rows.length, total, batches.size(), flops, most + extraBytes);
    }
}

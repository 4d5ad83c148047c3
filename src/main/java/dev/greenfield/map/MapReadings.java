package dev.greenfield.map;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SiteVectors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * The vectors at targets that a map projects responses on, numbered at each target: those that were asked for, and after them its
 * sensitivity, where the gain was asked for.
 */
final class MapReadings {
    private final SiteVectors vectors;
    private final boolean gain;
    private final List<Site> having = new ArrayList<>(); // targets
    private final int count;

    /**
     * @param projections vectors that were asked for, or null
     * @param sensitivity one vector a site, or null
     * @param targets those of the map; vectors elsewhere are left out
     */
    MapReadings(SiteVectors projections, SiteVectors sensitivity, Collection<Site> targets) {
        SiteVectors all = projections == null ? null : projections.at(targets);
        this.gain = sensitivity != null;
        if (sensitivity != null) {
            SiteVectors through = sensitivity.at(targets);
            all = all == null ? through : all.and(through);
        }
        this.vectors = all;
        int sum = 0;
        if (all != null) {
            for (Site target : targets) {
                if (all.count(target) > 0) {
                    having.add(target);
                    sum = Math.addExact(sum, all.count(target));
                }
            }
        }
        this.count = sum;
    }

    /** Number of vectors at all targets. */
    int count() {
        return count;
    }

    /** Number of vectors at a target; 0 where there are none. */
    int count(Site target) {
        return vectors == null ? 0 : vectors.count(target);
    }

    /** Number of vectors that were asked for at a target, without its sensitivity. */
    int projections(Site target) {
        return gain ? Math.max(0, count(target) - 1) : count(target);
    }

    /** Vector {@code number} of a target, [D]; not to be changed. */
    double[] of(Site target, int number) {
        return vectors.of(target, number);
    }

    /** What they are, told apart by a digest: for example {@code 3 at 2 targets, 5f1d...}. */
    String describe() {
        return vectors == null ? "none" : (gain ? "with sensitivities, " : "") + vectors.describe();
    }

    /** Bytes on the backend that reading rows takes. */
    static long bytes(Backend backend, int tokens, int width) {
        return (long) backend.precision().bytes() * tokens * width;
    }

    /** Takes the inner product of a vector, by its token and its number there, with a column's row. */
    interface DotVisitor {
        void visit(int column, int token, int number, double dot);
    }

    /** Inner products of all vectors at a level with all rows there, taken where the rows are. */
    void read(Backend backend, HalfDepth level, RaggedRows rows, Matrix x, DotVisitor visitor) {
        List<Site> here =
                having.stream().filter(s -> s.halfDepth().equals(level)).toList();
        int most = here.stream().mapToInt(this::count).max().orElse(0);
        int width = x.columns();
        for (int i = 0; i < most; i++) {
            int number = i;
            List<Site> read = here.stream().filter(s -> count(s) > number).toList();
            int from = rows.start(read.stream().mapToInt(Site::token).min().orElseThrow());
            int to = rows.start(read.stream().mapToInt(Site::token).max().orElseThrow() + 1);
            if (to == from) {
                continue;
            }
            double[] targets =
                    HostMemory.doubles("the readings", rows.tokens(), width); // zero where a token has no such vector
            for (Site site : read) {
                System.arraycopy(of(site, i), 0, targets, site.token() * width, width);
            }
            double[] dots = new double[to - from];
            try (Buffer buffer = backend.allocate("target vectors", targets.length)) {
                backend.upload(targets, 0, buffer, 0, targets.length);
                backend.dots(x.rows(from, to - from), rows, from, Matrix.of(buffer, rows.tokens(), width), dots, 0);
            }
            for (Site site : read) {
                for (int c = 0; c < rows.count(site.token()); c++) {
                    visitor.visit(c, site.token(), i, dots[rows.row(site.token(), c) - from]);
                }
            }
        }
    }
}

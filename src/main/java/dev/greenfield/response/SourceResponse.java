package dev.greenfield.response;

import dev.greenfield.backend.Backend;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;

/** The response of the whole field to one source, downstream of its site: exact to first order, or measured. */
public final class SourceResponse {
    private SourceResponse() {}

    /** dR for the source J at a site, [L+1, T, D]: the tangent of the run along J; exactly zero outside the site's cone. */
    public static Field tangent(Scope scope, Site site, double[] source) {
        Linearization run = scope.run();
        HalfDepth top = run.model().top();
        Field response = zeros(run);
        double[] values = response.toArray();
        Seeds seeds = new Seeds();
        seeds.column(site.halfDepth(), site.token(), source);
        new Sweep(run).tangents(seeds, top, 0, run.length() - 1, collect(run, values));
        run.model().backend().await();
        return Field.wrap(response.depths(), response.tokens(), response.width(), values);
    }

    /** R with the source epsilon J added at a site minus R without it, [L+1, T, D]. */
    public static Field measured(Scope scope, Site site, double[] source, double epsilon) {
        Linearization run = scope.run();
        HalfDepth top = run.model().top();
        double[] scaled = source.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= epsilon;
        }
        Field own = run.field();
        double[] values = own.toArray();
        Seeds seeds = new Seeds();
        seeds.column(site.halfDepth(), site.token(), scaled);
        new Sweep(run).patchedRuns(seeds, false, top, 0, run.length() - 1, collect(run, values));
        run.model().backend().await();
        return Field.wrap(own.depths(), own.tokens(), own.width(), values).minus(own);
    }

    private static Field zeros(Linearization run) {
        return new Field(
                run.model().config().layers() + 1,
                run.length(),
                run.model().config().width());
    }

    /** Writes the single column's rows at whole depths where they belong in [L+1, T, D]. */
    private static Visitor collect(Linearization run, double[] values) {
        Backend backend = run.model().backend();
        int width = run.model().config().width();
        return (level, rows, columns, x) -> {
            if (!level.isMiddle()) {
                int at = (level.block() * run.length() + rows.first(0)) * width;
                backend.downloadLater(x.buffer(), x.offset(), values, at, rows.rows() * width);
            }
        };
    }
}

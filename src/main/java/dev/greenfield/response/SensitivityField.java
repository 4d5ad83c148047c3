package dev.greenfield.response;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.SeedVector;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Sweep;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.SiteGrid;
import dev.greenfield.lattice.Source;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * The sensitivity of an observable F to every site, S[l][t] = dF/dR[l][t], from one adjoint sweep: the first-order change of
 * F under a source J at a site is the inner product of S there with J. It is exactly zero at tokens after F's position.
 */
public final class SensitivityField {
    private final double value;
    private final Field whole;
    private final Field middle;

    /** Of sensitivities that were found elsewhere: S at whole depths [L+1, T, D] and in the middles [L, T, D]. */
    public SensitivityField(double value, Field whole, Field middle) {
        this.value = value;
        this.whole = whole;
        this.middle = middle;
    }

    /** One adjoint sweep from the final residual at F's position down to depth 0. */
    public static SensitivityField compute(Scope scope, Observable observable) {
        Linearization run = scope.run();
        Readout.Resolved f = scope.resolve(observable);
        Readout readout = new Readout(run.model());
        Backend backend = run.model().backend();
        int layers = run.model().config().layers();
        int width = run.model().config().width();
        int tokens = run.length();
        double[] whole = HostMemory.doubles("the sensitivity", layers + 1, tokens, width);
        double[] middle = HostMemory.doubles("the sensitivity", layers, tokens, width);
        try (Buffer gradient = backend.allocate("observable gradient", width)) {
            Matrix row = Matrix.of(gradient, 1, width);
            readout.gradient(run, f, row);
            Seeds seeds = new Seeds();
            seeds.column(run.model().top(), f.position(), new SeedVector.Resident(row));
            Task.run(
                    "sensitivity",
                    "half blocks",
                    2 * layers,
                    task -> task.run(
                            2 * layers,
                            () -> new Sweep(run)
                                    .cotangents(seeds, HalfDepth.ofDepth(0), 0, (level, rows, columns, x) -> {
                                        double[] into = level.isMiddle() ? middle : whole;
                                        // One column from token 0 on: its rows are the tokens in order.
                                        int at = level.block()
                                                * tokens
                                                * width; // within an array's length, as `into` is
                                        backend.downloadLater(x.buffer(), x.offset(), into, at, rows.rows() * width);
                                    })));
        }
        double value = readout.value(run, f);
        backend.await();
        return new SensitivityField(
                value, Field.wrap(layers + 1, tokens, width, whole), Field.wrap(layers, tokens, width, middle));
    }

    /** F of the run itself. */
    public double value() {
        return value;
    }

    /** S at whole depths, [L+1, T, D]. */
    public Field field() {
        return whole;
    }

    /** S in the middle of each block, [L, T, D]. */
    public Field middleField() {
        return middle;
    }

    /** S at a site, [D]. */
    public double[] at(Site site) {
        return (site.middle() ? middle : whole).vector(site.depth(), site.token());
    }

    /** |S| at a site. */
    public double norm(Site site) {
        return (site.middle() ? middle : whole).norm(site.depth(), site.token());
    }

    /** |S| at whole depths, [L+1][T]. */
    public double[][] norms() {
        return whole.norms();
    }

    /** The first-order prediction of what a source J [D] at a site does to F: the inner product of S and J. */
    public double predict(Site site, double[] source) {
        double[] s = at(site);
        if (source.length != s.length) {
            throw new InputException("a source has " + source.length + " components, expected " + s.length
                    + ", the width of the stream");
        }
        double sum = 0;
        for (int i = 0; i < s.length; i++) {
            sum += s[i] * source[i];
        }
        return sum;
    }

    /** The first-order prediction of what a source does to F: the sum over its sites. */
    public double predict(Source source) {
        double sum = 0;
        for (Map.Entry<Site, double[]> at : source.vectors().entrySet()) {
            sum += predict(at.getKey(), at.getValue());
        }
        return sum;
    }

    /** The lengths of S at whole depths as a table in HTML, for notebooks. */
    public String toHtml() {
        return toHtml(List.of());
    }

    /** Likewise with what the tokens read, such as {@code run.tokenText()}. */
    public String toHtml(List<String> tokens) {
        Objects.requireNonNull(tokens, "tokens");
        return grid().html(summary(), tokens);
    }

    private SiteGrid grid() {
        return new SiteGrid("|dF/dR|", norms(), false);
    }

    /** What it is, and its lengths. */
    @Override
    public String toString() {
        return summary() + "\n" + grid().text();
    }

    private String summary() {
        Site largest = Site.of(0, 0);
        for (int l = 0; l < whole.depths(); l++) {
            for (int t = 0; t < whole.tokens(); t++) {
                largest = whole.norm(l, t) > norm(largest) ? Site.of(l, t) : largest;
            }
        }
        return String.format(
                Locale.ROOT,
                "sensitivity of F = %.4g, %d depths and %d tokens, largest %.4g at %s",
                value,
                whole.depths(),
                whole.tokens(),
                norm(largest),
                largest);
    }
}

package dev.greenfield.engine;

import static dev.greenfield.testing.Vectors.concat;
import static dev.greenfield.testing.Vectors.dot;
import static dev.greenfield.testing.Vectors.minus;
import static dev.greenfield.testing.Vectors.norm;
import static dev.greenfield.testing.Vectors.normal;
import static dev.greenfield.testing.Vectors.plus;

import dev.greenfield.Run;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.PatchSweep;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.testing.Errors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The identities that hold between responses, Green operators, sensitivities and patches of any run. Each has two
 * sides that would be equal in exact arithmetic.
 */
final class Identities {
    private final Run run;
    private final Run donor;
    private final int layers;
    private final int tokens;
    private final int width;
    private final int middle;
    private final Observable f = Observable.logitDifference(3, 1);

    Identities(Run run, Run donor) {
        this.run = run;
        this.donor = donor;
        this.layers = run.field().depths() - 1;
        this.tokens = run.field().tokens();
        this.width = run.field().width();
        this.middle = (tokens - 1) / 2;
    }

    /**
     * Two sides that an identity says are equal, in units of their size.
     *
     * @param left one side
     * @param right the other side
     */
    record Sides(double[] left, double[] right) {
        double defect() {
            return norm(minus(left, right));
        }

        private static Sides relative(double[] left, double[] right, double size) {
            return new Sides(plus(left, 1 / size - 1, left), plus(right, 1 / size - 1, right));
        }

        private static Sides all(List<Sides> parts) {
            return new Sides(
                    concat(parts.stream().map(Sides::left).toArray(double[][]::new)),
                    concat(parts.stream().map(Sides::right).toArray(double[][]::new)));
        }
    }

    /** The identities by name. */
    Map<String, Sides> sides() {
        Map<String, Sides> sides = new LinkedHashMap<>();
        sides.put("adjoint", Sides.all(siteSets().stream().map(this::adjoint).toList()));
        sides.put("composition", overHalfDepths(this::composition));
        sides.put("transport", overHalfDepths(this::transport));
        sides.put("prediction", prediction());
        sides.put("response is the Green operator's column", response());
        sides.put("sources add up", superposition());
        return sides;
    }

    private Sides overHalfDepths(IntFunction<Sides> identity) {
        return Sides.all(IntStream.rangeClosed(0, 2 * layers).mapToObj(identity).toList());
    }

    private Site at(int halfDepth, int token) {
        return halfDepth % 2 == 0 ? Site.of(halfDepth / 2, token) : ModelCase.middle(run, halfDepth / 2, token);
    }

    private Site[] all(int halfDepth) {
        return IntStream.range(0, tokens).mapToObj(t -> at(halfDepth, t)).toArray(Site[]::new);
    }

    /** Sources and targets at whole and half depths, early and late, several at once, and unordered. */
    private List<Site[][]> siteSets() {
        int last = tokens - 1;
        int top = 2 * layers;
        List<Site[][]> sets = new ArrayList<>();
        sets.add(new Site[][] {{at(0, 0)}, all(top)});
        sets.add(new Site[][] {{at(1, middle)}, all(top - 1)});
        sets.add(new Site[][] {all(2), {at(top, last)}});
        sets.add(new Site[][] {all(1), all(3)});
        sets.add(new Site[][] {{at(top - 1, last), at(0, middle)}, {at(top, last), at(2, middle), at(1, last)}});
        // The highest target is later than a lower one that the same attention feeds.
        sets.add(new Site[][] {{at(0, 0)}, {at(3, middle), at(4, last)}});
        sets.add(new Site[][] {{at(0, middle)}, {at(4, last), at(3, middle), at(2, middle)}});
        sets.add(new Site[][] {{at(2, middle)}, {at(2, middle)}});
        return sets;
    }

    /** u, v: v'(G u) = (G'v)'u. */
    private Sides adjoint(Site[][] sets) {
        GreenOperator g = run.green(sets[0]).to(sets[1]);
        double[] u = normal(1, g.inputs());
        double[] v = normal(2, g.outputs());
        double[] forward = g.apply(u);
        double[] left = {dot(v, forward)};
        double[] right = {dot(g.adjoint(v), u)};
        return Sides.relative(left, right, norm(v) * norm(forward));
    }

    /** G(top <- 0) = sum over t of G(top <- h, t) G(h, t <- 0). */
    private Sides composition(int halfDepth) {
        double[] u = normal(3, width);
        Site from = at(0, middle);
        double[] between = run.green(from).to(all(halfDepth)).apply(u);
        double[] composed = run.green(all(halfDepth)).to(all(2 * layers)).apply(between);
        double[] direct = run.green(from).to(all(2 * layers)).apply(u);
        return Sides.relative(composed, direct, norm(direct));
    }

    /** S[site] = sum over t of G(h, t <- site)' S[h][t], for the first site that is still below and one at h itself. */
    private Sides transport(int halfDepth) {
        SensitivityField s = run.sensitivity(f);
        double[][] parts = new double[tokens][];
        for (int t = 0; t < tokens; t++) {
            parts[t] = s.at(at(halfDepth, t));
        }
        List<Sides> sides = new ArrayList<>();
        for (int from : new int[] {0, halfDepth / 2, halfDepth}) {
            double[] carried = run.green(at(from, middle)).to(all(halfDepth)).adjoint(concat(parts));
            double[] direct = s.at(at(from, middle));
            double size = Math.max(norm(direct), 1e-3 * norm(concat(parts)));
            sides.add(Sides.relative(carried, direct, size));
        }
        return Sides.all(sides);
    }

    /** patch.predicted is the inner product of sensitivity and displacement. */
    private Sides prediction() {
        PatchSweep sweep = run.patchSweep(donor, f);
        double[] expected =
                Errors.flat(run.sensitivity(f).field().dots(donor.field().minus(run.field())));
        return Sides.relative(Errors.flat(sweep.predicted()), expected, norm(expected));
    }

    private Sides response() {
        double[] source = normal(4, width);
        Site from = at(1, middle);
        double[] whole = run.response(from, source).toArray();
        double[] top = IntStream.range(whole.length - tokens * width, whole.length)
                .mapToDouble(i -> whole[i])
                .toArray();
        double[] column = run.green(from).to(layers).apply(source);
        return Sides.relative(top, column, norm(column));
    }

    /** Two sources at once are the sum of each alone, at different depths and tokens. */
    private Sides superposition() {
        Site one = at(0, middle);
        Site two = at(3, tokens - 1);
        double[] u = normal(5, width);
        double[] v = normal(6, width);
        double[] both = run.green(one, two).to(layers).apply(concat(u, v));
        double[] first = run.green(one).to(layers).apply(u);
        double[] second = run.green(two).to(layers).apply(v);
        return Sides.relative(both, plus(first, 1, second), norm(both));
    }
}

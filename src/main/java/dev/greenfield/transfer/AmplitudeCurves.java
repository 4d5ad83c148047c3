package dev.greenfield.transfer;

import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import dev.greenfield.transfer.DisplacementTransfer.Ranking;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The fraction of the full change of F that parts of a displacement achieve, over amplitudes alpha: (F(alpha) - F(own)) / (F(donor) -
 * F(own)), with the part's sites replaced by own + alpha (donor - own). Immutable.
 *
 * <p>All tokens of a depth at alpha = 1 are the donor's run from there on and achieve exactly 1, up to rounding; what such a depth shows is the
 * way between. Likewise the column of F's own token, whose last site is what F is read from. Leading sites are therefore those above depth 0 and
 * below the last depth: {@link DisplacementTransfer#inner}.
 */
public final class AmplitudeCurves {
    private final double[] alphas;
    private final double value;
    private final double fullChange;
    private final double[][][] sites; // [alpha][L+1][T]
    private final double[][] slices; // [alpha][L+1]
    private final double[][] columns; // [alpha][T]
    private final Map<Ranking, List<Site>> leading = new EnumMap<>(Ranking.class);
    private final Map<Ranking, double[][]> top = new EnumMap<>(Ranking.class); // [alpha][n]

    private AmplitudeCurves(DisplacementTransfer transfer, double[] alphas, int depths, int tokens) {
        this.alphas = alphas.clone();
        this.value = transfer.value();
        this.fullChange = transfer.fullChange();
        this.sites = new double[alphas.length][depths][tokens];
        this.slices = new double[alphas.length][depths];
        this.columns = new double[alphas.length][tokens];
    }

    static AmplitudeCurves compute(DisplacementTransfer transfer, double[] alphas, int most) {
        if (alphas.length == 0) {
            throw new InputException("no amplitude: expected one at least");
        }
        if (most < 1) {
            throw new InputException("the " + most + " leading sites: expected 1 or more");
        }
        int depths = transfer.displacement().depths();
        int tokens = transfer.displacement().tokens();
        AmplitudeCurves curves = new AmplitudeCurves(transfer, alphas, depths, tokens);
        List<List<Site>> slices = new ArrayList<>();
        for (int l = 0; l < depths; l++) {
            slices.add(transfer.slice(l));
        }
        List<List<Site>> columns = new ArrayList<>();
        for (int t = 0; t <= transfer.position(); t++) {
            columns.add(transfer.column(t));
        }
        for (Ranking by : Ranking.values()) {
            List<Site> ranked = transfer.inner(transfer.ranked(by));
            curves.leading.put(by, List.copyOf(ranked.subList(0, Math.min(most, ranked.size()))));
            curves.top.put(by, new double[alphas.length][]);
        }
        Task.run("amplitude curves", "amplitudes", alphas.length, task -> {
            for (int a = 0; a < alphas.length; a++) {
                curves.measure(transfer, a, slices, columns, task);
                task.to(a + 1);
            }
        });
        return curves;
    }

    /** Fills in what is asked at one amplitude: single sites take half of the work, the rest goes by sets of sites. */
    private void measure(
            DisplacementTransfer transfer, int a, List<List<Site>> slices, List<List<Site>> columns, Task task) {
        double[][] single = task.call(0.5, () -> transfer.single(alphas[a]));
        for (int l = 0; l < single.length; l++) {
            sites[a][l] = achieved(transfer, single[l]);
        }
        double share = 0.5 / (2 + Ranking.values().length);
        this.slices[a] = achieved(transfer, task.call(share, () -> transfer.effects(slices, alphas[a])));
        double[] ofColumns = achieved(transfer, task.call(share, () -> transfer.effects(columns, alphas[a])));
        System.arraycopy(ofColumns, 0, this.columns[a], 0, ofColumns.length);
        for (Ranking by : Ranking.values()) {
            List<List<Site>> parts = cumulative(leading.get(by));
            top.get(by)[a] = achieved(transfer, task.call(share, () -> transfer.effects(parts, alphas[a])));
        }
    }

    private static double[] achieved(DisplacementTransfer transfer, double[] effects) {
        double[] fractions = new double[effects.length];
        for (int i = 0; i < effects.length; i++) {
            fractions[i] = transfer.achieved(effects[i]);
        }
        return fractions;
    }

    /** The first one, the first two, and so on. */
    static List<List<Site>> cumulative(List<Site> sites) {
        List<List<Site>> parts = new ArrayList<>();
        for (int n = 1; n <= sites.size(); n++) {
            parts.add(sites.subList(0, n));
        }
        return parts;
    }

    /** The amplitudes, as given. */
    public double[] alphas() {
        return alphas.clone();
    }

    /** The index of the amplitude nearest to 1. */
    public int nearestToOne() {
        int nearest = 0;
        for (int a = 1; a < alphas.length; a++) {
            if (Math.abs(alphas[a] - 1) < Math.abs(alphas[nearest] - 1)) {
                nearest = a;
            }
        }
        return nearest;
    }

    /** Of each site alone, [alpha][L+1][T]; exactly 0 where it can have no effect. */
    public double[][][] sites() {
        double[][][] copy = new double[sites.length][][];
        for (int a = 0; a < copy.length; a++) {
            copy[a] = copy(sites[a]);
        }
        return copy;
    }

    /** Of all tokens of a depth, [alpha][L+1]. */
    public double[][] slices() {
        return copy(slices);
    }

    /** Of a token at all depths at once, [alpha][T]. */
    public double[][] columns() {
        return copy(columns);
    }

    /** Of the first n leading sites at once, [alpha][n], n = 1, 2, ... */
    public double[][] top(Ranking by) {
        return copy(top.get(by));
    }

    /** The leading sites themselves, in order; none in a model of one layer. */
    public List<Site> leading(Ranking by) {
        return leading.get(by);
    }

    /** Whether F has the other sign when this fraction of the full change is achieved. */
    public boolean flips(double achieved) {
        return value * (value + achieved * fullChange) < 0;
    }

    private static double[][] copy(double[][] values) {
        double[][] copy = new double[values.length][];
        for (int i = 0; i < values.length; i++) {
            copy[i] = values[i].clone();
        }
        return copy;
    }
}

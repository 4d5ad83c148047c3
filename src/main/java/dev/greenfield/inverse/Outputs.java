package dev.greenfield.inverse;

import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Readout;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SensitivityField;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongSupplier;

/** The numbers of a run that a wish speaks of, [m], and how sources move them to first order. */
sealed interface Outputs {
    /** The numbers as they are in a run, [m]. */
    double[] values(Linearization run);

    /** Their derivative around a run with respect to the stream at sites. */
    Tangent tangent(Linearization run, List<Site> sites);

    /** Whether a source at a site can move any of them. */
    boolean see(Site site);

    /** The highest level that is read: only sources below it need the run to carry them there. */
    HalfDepth highest();

    /** Observables, one number each. */
    record Observables(List<Readout.Resolved> list, int layers) implements Outputs {
        @Override
        public double[] values(Linearization run) {
            Readout readout = new Readout(run.model());
            return list.stream().mapToDouble(f -> readout.value(run, f)).toArray();
        }

        @Override
        public Tangent tangent(Linearization run, List<Site> sites) {
            int width = run.model().config().width();
            double[][] rows = new double[list.size()][sites.size() * width];
            for (int k = 0; k < rows.length; k++) {
                SensitivityField s = SensitivityField.compute(run, list.get(k));
                for (int i = 0; i < sites.size(); i++) {
                    System.arraycopy(s.at(sites.get(i)), 0, rows[k], i * width, width);
                }
            }
            return new Tangent.Rows(sites, rows);
        }

        @Override
        public boolean see(Site site) {
            return list.stream().anyMatch(f -> Causality.reaches(site, Site.of(layers, f.position())));
        }

        @Override
        public HalfDepth highest() {
            return HalfDepth.ofDepth(layers);
        }
    }

    /** The stream at target sites, D numbers each. */
    record Stream(List<Site> targets, LongSupplier budget) implements Outputs {
        @Override
        public double[] values(Linearization run) {
            int width = run.model().config().width();
            Field whole = run.field();
            Field middle = run.middleField();
            double[] values = new double[targets.size() * width];
            for (int i = 0; i < targets.size(); i++) {
                Site site = targets.get(i);
                double[] at = (site.middle() ? middle : whole).vector(site.depth(), site.token());
                System.arraycopy(at, 0, values, i * width, width);
            }
            return values;
        }

        @Override
        public Tangent tangent(Linearization run, List<Site> sites) {
            return new Tangent.Green(new GreenOperator(run, sites, targets, budget));
        }

        @Override
        public boolean see(Site site) {
            return targets.stream().anyMatch(target -> Causality.reaches(site, target));
        }

        @Override
        public HalfDepth highest() {
            return targets.stream()
                    .map(Site::halfDepth)
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }
}

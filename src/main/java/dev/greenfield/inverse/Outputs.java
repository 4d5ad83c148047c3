package dev.greenfield.inverse;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SensitivityField;
import java.util.Comparator;
import java.util.List;

/** The numbers of a run that a wish speaks of, [m], and how sources move them to first order. */
sealed interface Outputs {
    /** The numbers as they are in a run, [m]. */
    double[] values(Scope scope);

    /** Their derivative around a run with respect to the stream at sites. */
    Tangent tangent(Scope scope, List<Site> sites);

    /** Whether a source at a site can move any of them. */
    boolean see(Site site);

    /** The highest level that is read: only sources below it need the run to carry them there. */
    HalfDepth highest();

    /**
     * Observables, one number each.
     *
     * @param positions where each is read
     * @param layers L
     */
    record Observables(List<Observable> list, List<Integer> positions, int layers) implements Outputs {
        static Observables of(Scope scope, List<Observable> list) {
            return new Observables(
                    list,
                    list.stream().map(scope::position).toList(),
                    scope.config().layers());
        }

        @Override
        public double[] values(Scope scope) {
            return list.stream().mapToDouble(scope::value).toArray();
        }

        @Override
        public Tangent tangent(Scope scope, List<Site> sites) {
            int width = scope.config().width();
            double[][] rows = new double[list.size()][sites.size() * width];
            for (int k = 0; k < rows.length; k++) {
                SensitivityField s = SensitivityField.compute(scope, list.get(k));
                for (int i = 0; i < sites.size(); i++) {
                    System.arraycopy(s.at(sites.get(i)), 0, rows[k], i * width, width);
                }
            }
            return new Tangent.Rows(sites, rows);
        }

        @Override
        public boolean see(Site site) {
            return positions.stream().anyMatch(position -> Causality.reaches(site, Site.of(layers, position)));
        }

        @Override
        public HalfDepth highest() {
            return HalfDepth.ofDepth(layers);
        }
    }

    /** The stream at target sites, D numbers each. */
    record Stream(List<Site> targets) implements Outputs {
        @Override
        public double[] values(Scope scope) {
            int width = scope.config().width();
            Field whole = scope.run().field();
            Field middle = scope.run().middleField();
            double[] values = HostMemory.doubles("the outputs", targets.size(), width);
            for (int i = 0; i < targets.size(); i++) {
                Site site = targets.get(i);
                double[] at = (site.middle() ? middle : whole).vector(site.depth(), site.token());
                System.arraycopy(at, 0, values, i * width, width);
            }
            return values;
        }

        @Override
        public Tangent tangent(Scope scope, List<Site> sites) {
            return new Tangent.Green(new GreenOperator(scope, sites, targets));
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

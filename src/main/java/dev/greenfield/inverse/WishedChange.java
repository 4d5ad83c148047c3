package dev.greenfield.inverse;

import dev.greenfield.lattice.Observable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * How well a wish about one observable was fulfilled.
 *
 * @param fraction of F that it was wanted to change by
 * @param wanted change of F
 * @param predicted by the first order of the run without the source
 * @param firstOrder the change that the first-order source achieved, without any refinement
 * @param achieved the change that the refined source achieved
 * @param linearizations that it took
 * @param norm length of the source
 */
public record WishedChange(
        double fraction,
        double wanted,
        double predicted,
        double firstOrder,
        double achieved,
        int linearizations,
        double norm) {

    /**
     * Changes of one run, each wished for alone.
     *
     * @param request makes a new request about the run, with sites and method as they shall be
     * @param f the observable
     * @param fractions of its value in the run to change it by
     */
    public static List<WishedChange> measure(Supplier<InferenceRequest> request, Observable f, double... fractions) {
        List<WishedChange> wishes = new ArrayList<>();
        for (double fraction : fractions) {
            Inference found = request.get().changeByFraction(f, fraction).solve();
            double wanted = found.wanted()[0];
            List<Inference.Step> steps = found.steps();
            wishes.add(new WishedChange(
                    fraction,
                    wanted,
                    found.predicted()[0],
                    steps.isEmpty() ? 0 : Math.signum(wanted) * steps.get(0).along(),
                    found.achieved()[0],
                    steps.size(),
                    found.source().norm()));
        }
        return wishes;
    }

    /** |achieved - wanted| / |wanted|. */
    public double error() {
        return Math.abs(achieved - wanted) / Math.abs(wanted);
    }

    /** The same of the first-order source. */
    public double firstOrderError() {
        return Math.abs(firstOrder - wanted) / Math.abs(wanted);
    }
}

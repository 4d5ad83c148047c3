package dev.greenfield.regime;

import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.Field;
import dev.greenfield.response.SensitivityField;

/**
 * How much rounding may move a measured change m of F: at most {@code floor + relative |m|}.
 *
 * <p>The floor is first order. If every component of the stream, at whole and half depths, is rounded once, the error of F is about
 * u sqrt(sum (S R)^2), with u half the distance of neighbouring numbers of size 1 and the sum over all components. Blocks round more
 * than their results. The relative part is of large sources: a run that they change altogether may be far more sensitive than the one
 * that S is of. Both factors cover what was measured against float64 on trained and random models, where the largest seen were 15
 * and 530.
 *
 * @param floor of the smallest changes, in units of F
 * @param relative part of the change itself
 */
record RoundingNoise(double floor, double relative) {
    private static final double FACTOR = 24;
    private static final double RELATIVE = 1024;

    /** What is measured exactly. */
    static final RoundingNoise NONE = new RoundingNoise(0, 0);

    /** Of a run and the sensitivity of F there. */
    static RoundingNoise of(Linearization run, SensitivityField sensitivity) {
        double sum = sum(sensitivity.field(), run.field()) + sum(sensitivity.middleField(), run.middleField());
        double unit = run.model().backend().precision().unitRoundoff();
        return new RoundingNoise(FACTOR * unit * Math.sqrt(sum), RELATIVE * unit);
    }

    /** How far a measured change may be from the true one. */
    double about(double change) {
        return floor + relative * Math.abs(change);
    }

    private static double sum(Field sensitivity, Field stream) {
        double sum = 0;
        for (int l = 0; l < stream.depths(); l++) {
            for (int t = 0; t < stream.tokens(); t++) {
                double[] s = sensitivity.vector(l, t);
                double[] r = stream.vector(l, t);
                for (int i = 0; i < s.length; i++) {
                    sum += s[i] * s[i] * r[i] * r[i];
                }
            }
        }
        return sum;
    }
}

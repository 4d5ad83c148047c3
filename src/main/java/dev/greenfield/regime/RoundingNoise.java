package dev.greenfield.regime;

import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.Field;
import dev.greenfield.response.SensitivityField;

/**
 * How much rounding may move F, to first order: if every component of the stream, at whole and half depths, is rounded once, the error
 * of F is about u sqrt(sum (S R)^2), with u half the distance of neighbouring numbers of size 1 and the sum over all components.
 * Blocks round more than their results; the factor below covers what was measured on trained and random models.
 */
final class RoundingNoise {
    private static final double FACTOR = 8;

    private RoundingNoise() {}

    /** The noise floor of changes of F. */
    static double of(Linearization run, SensitivityField sensitivity) {
        double sum = sum(sensitivity.field(), run.field()) + sum(sensitivity.middleField(), run.middleField());
        return FACTOR * run.model().backend().precision().unitRoundoff() * Math.sqrt(sum);
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

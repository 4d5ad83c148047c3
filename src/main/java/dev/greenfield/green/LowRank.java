package dev.greenfield.green;

import java.util.Locale;
import java.util.Objects;

/**
 * The leading part U S V' of an operator.
 *
 * @param u left singular vectors, row-major [m D, k]
 * @param s singular values, [k], falling
 * @param v right singular vectors, row-major [n D, k]; the largest component of each is positive
 * @param energy captured fraction of the squared Frobenius norm, the sum of s^2 over the whole
 * @param energyError one standard error of {@code energy}; 0 when the whole was summed exactly
 * @param squaredFrobenius the whole squared Frobenius norm that {@code energy} is a fraction of
 * @param settled whether the singular values stood still before the search for them ended; where not, they are lower bounds, whose
 *     last change was larger than rounding
 */
@SuppressWarnings("ArrayRecordComponent") // copied in and out; compared by identity, as results are
public record LowRank(
        double[] u,
        double[] s,
        double[] v,
        double energy,
        double energyError,
        double squaredFrobenius,
        boolean settled) {
    private static final int SHOWN = 8; // singular values of the text

    /** Copies. */
    public LowRank {
        u = u.clone();
        s = s.clone();
        v = v.clone();
    }

    /** Left singular vectors, row-major [m D, k]; a copy. */
    @Override
    public double[] u() {
        return u.clone();
    }

    /** Singular values, [k], falling; a copy. */
    @Override
    public double[] s() {
        return s.clone();
    }

    /** Right singular vectors, row-major [n D, k]; a copy. */
    @Override
    public double[] v() {
        return v.clone();
    }

    /**
     * Left singular vector number {@code i}, [m D].
     *
     * @throws IndexOutOfBoundsException if there is no such number
     */
    public double[] left(int i) {
        return column(u, i);
    }

    /**
     * Right singular vector number {@code i}, [n D].
     *
     * @throws IndexOutOfBoundsException if there is no such number
     */
    public double[] right(int i) {
        return column(v, i);
    }

    private double[] column(double[] matrix, int i) {
        Objects.checkIndex(i, s.length);
        double[] column = new double[matrix.length / s.length];
        for (int row = 0; row < column.length; row++) {
            column[row] = matrix[row * s.length + i];
        }
        return column;
    }

    /** Number of singular values k. */
    public int rank() {
        return s.length;
    }

    /** Captured fraction of the squared Frobenius norm by the first 1, 2, ..., k singular values. */
    public double[] energyCurve() {
        double[] curve = new double[s.length];
        double sum = 0;
        for (int i = 0; i < s.length; i++) {
            sum += s[i] * s[i];
            curve[i] = squaredFrobenius == 0 ? 1 : sum / squaredFrobenius;
        }
        return curve;
    }

    /** One standard error of each number of {@link #energyCurve}; 0 where the whole was summed exactly. */
    public double[] energyCurveErrors() {
        double[] errors = energyCurve();
        for (int i = 0; i < errors.length; i++) {
            errors[i] *= energy == 0 ? 0 : energyError / energy;
        }
        return errors;
    }

    /** The singular values with the fraction that they hold together, as a table in HTML, for notebooks. */
    public String toHtml() {
        StringBuilder html = new StringBuilder("<div><p>" + summary()
                + "</p><table><tr><th>number</th><th>singular value</th><th>energy so far</th></tr>");
        double[] curve = energyCurve();
        for (int i = 0; i < s.length; i++) {
            html.append(String.format(
                    Locale.ROOT, "<tr><td>%d</td><td>%.4g</td><td>%.4f</td></tr>", i + 1, s[i], curve[i]));
        }
        return html.append("</table></div>").toString();
    }

    /** What it is, and its first singular values with the fraction that they hold together. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(summary());
        double[] curve = energyCurve();
        for (int i = 0; i < Math.min(SHOWN, s.length); i++) {
            text.append(String.format(Locale.ROOT, "\n%4d  %10.4g  energy %.4f", i + 1, s[i], curve[i]));
        }
        return text.append(s.length > SHOWN ? "\n ..." : "").toString();
    }

    private String summary() {
        return String.format(
                Locale.ROOT,
                "rank %d of an operator [%d, %d], singular values %.4g to %.4g, energy %.4f%s",
                s.length,
                u.length / s.length,
                v.length / s.length,
                s[0],
                s[s.length - 1],
                energy,
                settled ? "" : ", not settled");
    }
}

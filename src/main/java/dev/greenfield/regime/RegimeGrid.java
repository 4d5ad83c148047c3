package dev.greenfield.regime;

import dev.greenfield.failure.InputException;
import java.util.Arrays;

/** The amplitudes at which a linear regime is measured, each with both signs, and the tolerances whose radii are asked for. Immutable. */
public final class RegimeGrid {
    private static final double[] USUAL_TOLERANCES = {0.01, 0.05, 0.1, 0.2};
    private static final int LOWEST_DECADE = -4;
    private static final int DECADES = 5;
    private static final int A_DECADE = 3;

    private final double[] amplitudes;
    private final double[] tolerances;

    private RegimeGrid(double[] amplitudes, double[] tolerances) {
        this.amplitudes = amplitudes;
        this.tolerances = tolerances;
    }

    /** Amplitudes from 1e-4 to 10, three a decade, and tolerances of 1, 5, 10 and 20 %. */
    public static RegimeGrid standard() {
        double[] amplitudes = new double[DECADES * A_DECADE + 1];
        for (int i = 0; i < amplitudes.length; i++) {
            amplitudes[i] = Math.pow(10, LOWEST_DECADE + (double) i / A_DECADE);
        }
        return of(amplitudes);
    }

    /**
     * Other amplitudes, with tolerances of 1, 5, 10 and 20 %.
     *
     * @param amplitudes in any order, repeated ones count once
     * @throws InputException if there are none, or one is not a finite number above 0
     */
    public static RegimeGrid of(double... amplitudes) {
        if (amplitudes.length == 0) {
            throw new InputException("no amplitudes: expected at least one number above 0");
        }
        for (double amplitude : amplitudes) {
            if (!(amplitude > 0) || Double.isInfinite(amplitude)) {
                throw new InputException("amplitude " + amplitude
                        + ": expected a finite number above 0; the opposite sign is measured with each");
            }
        }
        return new RegimeGrid(Arrays.stream(amplitudes).sorted().distinct().toArray(), USUAL_TOLERANCES);
    }

    /**
     * The same amplitudes with other tolerances.
     *
     * @throws InputException if there are none, or one is not between 0 and 1
     */
    public RegimeGrid tolerances(double... other) {
        if (other.length == 0 || Arrays.stream(other).anyMatch(q -> !(q > 0 && q < 1))) {
            throw new InputException(
                    "tolerances " + Arrays.toString(other) + ": expected numbers between 0 and 1, such as 0.1");
        }
        return new RegimeGrid(amplitudes, other.clone());
    }

    /** The amplitudes, ascending. */
    public double[] amplitudes() {
        return amplitudes.clone();
    }

    /** The tolerances, as given. */
    public double[] tolerances() {
        return tolerances.clone();
    }
}

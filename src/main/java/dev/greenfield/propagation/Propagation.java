package dev.greenfield.propagation;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import java.util.Optional;

/**
 * How the response to one source propagates: a number for every site, such as the norm of dR or of the Green operator, measured
 * along tokens at each level. Levels are depths 0 to L, or half depths.
 *
 * <p>A site is <em>reachable</em> if it is the source's own, one above it at its token, or one at a later token with an attention
 * in between. All others have a response of zero by structure and take no part in any measure.
 */
public final class Propagation {
    /** The fraction of the largest response that counts as reached, when nothing is said. */
    public static final double DEFAULT_FRONT = 0.01;

    private final double[][] norms; // [levels][T]
    private final int level;
    private final int token;
    private final boolean halfDepths;
    private final double front;

    private Propagation(double[][] norms, int level, int token, boolean halfDepths, double fraction) {
        this.norms = norms;
        this.level = level;
        this.token = token;
        this.halfDepths = halfDepths;
        double largest = 0;
        for (int to = level + 1; to < norms.length; to++) {
            for (int t = token; t < norms[to].length; t++) {
                // False for what was not asked for, which is NaN.
                largest = norms[to][t] > largest ? norms[to][t] : largest;
            }
        }
        this.front = fraction * largest;
    }

    /**
     * Measures the response to one source.
     *
     * @param norms the response, [levels][T], not negative; NaN where it is not known. Kept, not copied
     * @param source the source's site
     * @param halfDepths whether levels are half depths
     * @param frontFraction the fraction of the largest response off the source's site that counts as reached, above 0 and at
     *     most 1
     * @throws InputException if the source is not in the field or the fraction is out of range
     */
    public static Propagation of(double[][] norms, Site source, boolean halfDepths, double frontFraction) {
        if (!(frontFraction > 0 && frontFraction <= 1)) {
            throw new InputException(
                    "front fraction " + frontFraction + ": expected a number above 0 and at most 1, such as 0.01");
        }
        int level = source.halfDepth().number(halfDepths);
        if ((source.middle() && !halfDepths) || level >= norms.length || source.token() >= norms[0].length) {
            throw new InputException("source " + source + " is not in this response of " + norms.length + " levels and "
                    + norms[0].length + " tokens");
        }
        return new Propagation(norms, level, source.token(), halfDepths, frontFraction);
    }

    /** How many tokens of a level the source can reach, its own among them; those at and after its own. */
    public int reachable(int target) {
        if (target < level) {
            return 0;
        }
        return Causality.attentionBetween(halfDepth(level), halfDepth(target)) ? norms[target].length - token : 1;
    }

    private HalfDepth halfDepth(int number) {
        return HalfDepth.numbered(number, halfDepths);
    }

    /** The norms at the reachable tokens of a level, nearest first: [m], NaN where not known. */
    public double[] along(int target) {
        int reachable = reachable(target);
        return Arrays.copyOfRange(norms[target], token, token + reachable);
    }

    /** Whether the whole response at a level is known. */
    public boolean complete(int target) {
        return Arrays.stream(along(target)).noneMatch(Double::isNaN);
    }

    /**
     * How the response at a level is spread over its tokens; nothing where only one token can be reached, some norms are not known
     * or all are zero.
     */
    public Optional<Spread> spread(int target) {
        double[] along = along(target);
        if (along.length < Spread.LEAST
                || !complete(target)
                || Arrays.stream(along).allMatch(n -> n == 0)) {
            return Optional.empty();
        }
        return Optional.of(Spread.of(along, front));
    }

    /** How the response at a level falls off with the distance from the source's token. */
    public Decay decay(int target, double confidence) {
        return Decay.of(along(target), confidence);
    }

    /** The norm that counts as reached: the front fraction of the largest response off the source's own depth. */
    public double frontLevel() {
        return front;
    }
}

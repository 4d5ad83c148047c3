package dev.greenfield.map;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.Collection;
import java.util.function.ToIntFunction;

/**
 * The causal cone of a map's sites: which far sites each site reaches, and their places in a row of numbers that holds nothing else.
 * Looking up, the far sites are targets above a source and not before its token; looking down, sources below a target and not after
 * its token. A site's own place is left out, since G is the identity there, and so are other tokens where only an MLP lies between
 * ({@link Causality}).
 *
 * <p>A row goes level by level from below, and within a level by token. A far site may have several numbers in it, one for each vector
 * that is read there.
 */
final class Cone {
    private final boolean up;
    private final boolean halfDepths;
    private final int levels;
    private final int tokens;
    private final int[][] before; // [levels][T + 1]: numbers of a level's far sites at lower tokens
    private final int[][]
            below; // [levels + 1][T]: numbers of lower levels that the token sees, were all of them reached

    /**
     * @param up whether far sites are targets, seen from sources; otherwise sources, seen from targets
     * @param far the far sites, in any order, each once
     * @param numbers how many a far site has in a row
     * @throws MemoryBudgetException if a row has more than an array
     */
    Cone(boolean up, int levels, int tokens, boolean halfDepths, Collection<Site> far, ToIntFunction<Site> numbers) {
        this.up = up;
        this.halfDepths = halfDepths;
        this.levels = levels;
        this.tokens = tokens;
        this.before = new int[levels][tokens + 1];
        this.below = new int[levels + 1][tokens];
        for (Site site : far) {
            before[site.halfDepth().number(halfDepths)][site.token() + 1] = numbers.applyAsInt(site);
        }
        for (int level = 0; level < levels; level++) {
            for (int t = 0; t < tokens; t++) {
                before[level][t + 1] = sum(before[level][t + 1], before[level][t]);
            }
            for (int t = 0; t < tokens; t++) {
                int seen = up ? before[level][tokens] - before[level][t] : before[level][t + 1];
                below[level + 1][t] = sum(below[level][t], seen);
            }
        }
    }

    private static int sum(int one, int other) {
        return HostMemory.elements("a row of the map", (long) one + other);
    }

    int levels() {
        return levels;
    }

    int tokens() {
        return tokens;
    }

    /** Numbers of the row of a site. */
    int length(int level, int token) {
        if (up) {
            return level + 1 == levels ? 0 : offset(level, token, levels);
        }
        return level == 0 ? 0 : offset(level, token, level - 1) + seen(level, token, level - 1);
    }

    /** The first token of a far level that a site reaches; {@link #until} when it reaches none. */
    int from(int level, int token, int far) {
        return up || narrow(level, far) ? token : 0;
    }

    /** The token after the last that it reaches. */
    int until(int level, int token, int far) {
        if (up ? far <= level : far >= level) {
            return from(level, token, far);
        }
        return up && !narrow(level, far) ? tokens : token + 1;
    }

    /** How many numbers a far site has, whoever reaches it. */
    int numbers(int far, int token) {
        return before[far][token + 1] - before[far][token];
    }

    /** Whether a level has far sites at all. */
    boolean has(int far) {
        return before[far][tokens] > 0;
    }

    /** The place in a site's row of the first number of a far site; -1 where the site does not reach it or it has none. */
    int at(int level, int token, int far, int farToken) {
        int from = from(level, token, far);
        if (farToken < from || farToken >= until(level, token, far) || numbers(far, farToken) == 0) {
            return -1;
        }
        return offset(level, token, far) + before[far][farToken] - before[far][from];
    }

    /** Numbers of a far level that a site reaches. */
    private int seen(int level, int token, int far) {
        return before[far][until(level, token, far)] - before[far][from(level, token, far)];
    }

    /** Where a far level begins in a row. */
    private int offset(int level, int token, int far) {
        if (!up || far == level + 1) {
            return up ? 0 : below[far][token];
        }
        int next = seen(level, token, level + 1);
        return next + below[far][token] - below[level + 2][token];
    }

    /** Whether no attention lies between two levels, so that each token reaches itself alone. */
    private boolean narrow(int level, int far) {
        if (Math.abs(level - far) != 1) {
            return false;
        }
        HalfDepth lower = HalfDepth.numbered(Math.min(level, far), halfDepths);
        return !Causality.mixesTokens(lower);
    }
}

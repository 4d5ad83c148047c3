package dev.greenfield.lattice;

import dev.greenfield.failure.InputException;

/**
 * A place of the residual stream: a depth and a token. Depth l is the stream entering block l ({@code resid_pre}), depth L
 * the final residual before the last LayerNorm; half a depth further ({@link #mid}) is the stream between the attention and
 * the MLP of block l ({@code resid_mid}).
 *
 * @param depth l, from 0 to L
 * @param middle whether the site is at l + 1/2
 * @param token position in the sequence, from 0
 */
public record Site(int depth, boolean middle, int token) {
    public Site {
        if (depth < 0 || token < 0) {
            throw new InputException("site (depth " + depth + ", token " + token + "): both must be at least 0");
        }
    }

    /** The site at a whole depth. */
    public static Site of(int depth, int token) {
        return new Site(depth, false, token);
    }

    /** The site between attention and MLP of block {@code depth}. */
    public static Site mid(int depth, int token) {
        return new Site(depth, true, token);
    }

    /** The site of a token at a level. */
    public static Site at(HalfDepth level, int token) {
        return new Site(level.block(), level.isMiddle(), token);
    }

    /** The level of the stream that the site is in. */
    public HalfDepth halfDepth() {
        return middle ? HalfDepth.middleOf(depth) : HalfDepth.ofDepth(depth);
    }

    @Override
    public String toString() {
        return "(depth " + depth + (middle ? ".5" : "") + ", token " + token + ")";
    }
}

package dev.greenfield.lattice;

/**
 * Who can reach whom. A source at a site moves the stream at that site, at its token higher up, and at later tokens once an
 * attention lies in between; nothing else. What is not reached is zero by structure. Everything that leaves out rows, sites or
 * pairs for that reason asks here.
 */
public final class Causality {
    private Causality() {}

    /** Whether the half block that begins at a level carries numbers from token to token: attention does, an MLP does not. */
    public static boolean mixesTokens(HalfDepth from) {
        return !from.isMiddle();
    }

    /**
     * Where the last attention below a level begins: from there on up to the level each token goes its own way but for that one
     * attention. Depth 0 when there is none.
     */
    public static HalfDepth lastAttentionBelow(HalfDepth level) {
        for (HalfDepth from = level; from.index() > 0; ) {
            from = from.below();
            if (mixesTokens(from)) {
                return from;
            }
        }
        return level; // depth 0
    }

    /** Whether an attention lies between a level and a higher one; what enters at the first reaches later tokens at the second. */
    public static boolean attentionBetween(HalfDepth from, HalfDepth to) {
        return from.isBelow(to) && !lastAttentionBelow(to).isBelow(from);
    }

    /** Whether a source at one site can move the stream at another. A site reaches itself. */
    public static boolean reaches(Site source, Site target) {
        if (source.token() == target.token()) {
            return !target.halfDepth().isBelow(source.halfDepth());
        }
        return source.token() < target.token() && attentionBetween(source.halfDepth(), target.halfDepth());
    }
}

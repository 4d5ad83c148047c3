package dev.greenfield.lattice;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A level of the residual stream, counted in half blocks from the embeddings: depth l, where block l begins, or the middle of
 * block l, between its attention and its MLP. The step from depth l to the middle is block l's attention, the next one its MLP.
 *
 * @param index 2 l at depth l, 2 l + 1 in the middle of block l
 */
public record HalfDepth(int index) implements Comparable<HalfDepth> {
    public HalfDepth {
        if (index < 0) {
            throw new IllegalArgumentException("half depth number " + index + ": expected 0 or more");
        }
    }

    /** Depth l, the stream entering block l; depth L is the final residual. */
    public static HalfDepth ofDepth(int depth) {
        return new HalfDepth(2 * depth);
    }

    /** The middle of block l, after its attention. */
    public static HalfDepth middleOf(int block) {
        return new HalfDepth(2 * block + 1);
    }

    /**
     * The levels of a model from below up.
     *
     * @param layers L
     * @param halfDepths whether with the middles of blocks, 2 L + 1 in all; otherwise depths 0 to L only
     */
    public static List<HalfDepth> levels(int layers, boolean halfDepths) {
        return IntStream.rangeClosed(0, 2 * layers)
                .mapToObj(HalfDepth::new)
                .filter(level -> halfDepths || !level.isMiddle())
                .toList();
    }

    /** A level by its {@link #number}. */
    public static HalfDepth numbered(int number, boolean halfDepths) {
        return halfDepths ? new HalfDepth(number) : ofDepth(number);
    }

    /** This level's place among {@link #levels}; a middle has none where there are whole depths only, and gets its block's. */
    public int number(boolean halfDepths) {
        return halfDepths ? index : block();
    }

    /** The block l that begins here or whose middle this is; at depth L, which no block follows, L. */
    public int block() {
        return index / 2;
    }

    /** Whether this is the middle of a block. */
    public boolean isMiddle() {
        return index % 2 == 1;
    }

    /** The next level: one half block further up. */
    public HalfDepth above() {
        return new HalfDepth(index + 1);
    }

    /**
     * The level before this one: one half block further down.
     *
     * @throws IllegalArgumentException at depth 0
     */
    public HalfDepth below() {
        return new HalfDepth(index - 1);
    }

    /** Whether this level comes before another. */
    public boolean isBelow(HalfDepth other) {
        return index < other.index;
    }

    /** Whether this level comes after another. */
    public boolean isAbove(HalfDepth other) {
        return index > other.index;
    }

    /** How many half blocks lie between two levels, in either order. */
    public int stepsTo(HalfDepth other) {
        return Math.abs(index - other.index);
    }

    @Override
    public int compareTo(HalfDepth other) {
        return Integer.compare(index, other.index);
    }

    /** The depth as people write it, such as 3 or 3.5. */
    @Override
    public String toString() {
        return block() + (isMiddle() ? ".5" : "");
    }
}

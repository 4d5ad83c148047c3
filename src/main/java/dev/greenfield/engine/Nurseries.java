package dev.greenfield.engine;

import dev.greenfield.backend.Matrix;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;

/** The nurseries of a sweep: one for columns that are born at whole depths, one for those of the middles of blocks. */
final class Nurseries implements AutoCloseable {
    private final Nursery[] both = new Nursery[2]; // null where there are no births

    /**
     * Takes the memory of both.
     *
     * @param most how many columns are born at one whole depth, and in one middle
     * @param mostRows see {@link Nursery}
     */
    Nurseries(DeviceModel model, int tokens, int lastToken, int[] most, int mostRows) {
        try {
            for (int i = 0; i < 2; i++) {
                if (most[i] > 0) {
                    int width = model.config().width();
                    both[i] = new Nursery(model.backend(), width, tokens, lastToken, most[i], mostRows);
                }
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** That of columns born at a level, or null. */
    Nursery at(HalfDepth level) {
        return both[level.isMiddle() ? 1 : 0];
    }

    /** Shows all rows. */
    void visit(HalfDepth level, Visitor visitor) {
        for (Nursery nursery : both) {
            if (nursery != null) {
                nursery.visit(level, visitor);
            }
        }
    }

    /** Takes in what a part that mixes tokens adds to columns, and the columns' own rows after it. */
    interface Joining {
        /** Rows of a piece, as {@link BlockPart.NewbornRows} has them. */
        BlockPart.NewbornRows rowsOf(Nursery nursery, Nursery.Piece piece);

        /** The rows of all columns, which leave the nursery. */
        void join(Nursery nursery);
    }

    /** Takes the tangents of all columns through half a block; where that mixes tokens they leave. */
    void climb(HalfDepth level, BlockPart part, BlockPrimal primal, int fromToken, Workspace w, Joining joining) {
        boolean mixes = Causality.mixesTokens(level);
        for (Nursery nursery : both) {
            if (nursery == null || nursery.isEmpty()) {
                continue;
            }
            for (Nursery.Piece piece : mixes ? nursery.pieces() : nursery.wholes()) {
                Matrix own = nursery.x().rows(piece.from(), piece.rows().rows());
                if (mixes) {
                    part.tangentOfNewborn(own, piece, primal, fromToken, w, joining.rowsOf(nursery, piece));
                } else {
                    part.tangent(own, piece.rows(), primal, 0, w);
                }
            }
            if (mixes) {
                joining.join(nursery);
                nursery.clear();
            }
        }
    }

    @Override
    public void close() {
        for (Nursery nursery : both) {
            if (nursery != null) {
                nursery.close();
            }
        }
    }
}

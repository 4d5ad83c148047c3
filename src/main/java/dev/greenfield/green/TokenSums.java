package dev.greenfield.green;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.engine.Batches;
import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.SeedVector;
import dev.greenfield.engine.Seeds;
import dev.greenfield.engine.Visitor;
import dev.greenfield.lattice.HalfDepth;
import java.util.Arrays;

/** Outputs of one run for an averaged Jacobian: a visitor that sums rows over source tokens where they are. */
final class TokenSums implements Visitor, AutoCloseable {
    private final Batches.Range range;
    private final int sources;
    private final int width;
    private final int skip;
    private final int toDepth;
    private final int lastToken;
    private final Backend backend;
    private final double[] found; // [M, outputs of the range, D], sums over source tokens
    private final Buffer ones; // [source tokens]
    private final Buffer sum; // [outputs of the range, D]

    TokenSums(Linearization run, int skip, int sources, int toDepth, Batches.Range range) {
        this.width = run.model().config().width();
        this.skip = skip;
        this.sources = sources;
        this.toDepth = toDepth;
        this.range = range;
        this.lastToken = sources + skip - 1;
        this.backend = run.model().backend();
        int outputs = range.to() - range.from();
        this.found = HostMemory.doubles("the averaged Jacobians", toDepth, outputs, width);
        this.ones = backend.allocate("ones", sources);
        Buffer made = null;
        try {
            double[] host = new double[sources];
            Arrays.fill(host, 1);
            backend.upload(host, 0, ones, 0, sources);
            made = backend.allocate("sums over tokens", (long) outputs * width);
        } finally {
            if (made == null) {
                ones.close();
            }
        }
        this.sum = made;
    }

    /** [M, outputs of the range, D]: sums over source tokens, when the sweep is done. */
    double[] found() {
        return found;
    }

    Seeds seeds() {
        Seeds seeds = new Seeds();
        for (int i = range.from(); i < range.to(); i++) {
            SeedVector unit = new SeedVector.Unit(i);
            int column = seeds.column();
            for (int t = skip; t <= lastToken; t++) {
                seeds.add(column, HalfDepth.ofDepth(toDepth), t, unit);
            }
        }
        return seeds;
    }

    @Override
    public void visit(HalfDepth level, RaggedRows rows, int[] columns, Matrix x) {
        if (level.isMiddle() || level.block() == toDepth) {
            return; // at the targets' depth the response is the identity
        }
        // All columns live at all source tokens, token after token: as [source tokens, outputs D] a product sums
        // them.
        int together = columns.length * width;
        Matrix byToken = new Matrix(x.buffer(), x.offset(), sources, together, together);
        backend.multiply(1, Matrix.of(ones, 1, sources), false, byToken, false, 0, Matrix.of(sum, 1, together));
        double[] block = new double[together];
        backend.download(sum, 0, block, 0, together);
        for (int c = 0; c < columns.length; c++) {
            System.arraycopy(block, c * width, found, (level.block() * columns.length + columns[c]) * width, width);
        }
    }

    @Override
    public void close() {
        sum.close();
        ones.close();
    }
}

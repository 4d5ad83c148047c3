package dev.greenfield.backend.reference;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.Matrix;
import java.util.Arrays;

/** A buffer that is a Java array. */
final class ReferenceBuffer extends Buffer {
    private double[] values;

    ReferenceBuffer(String label, double[] values, BufferLedger ledger) {
        super(label, values.length, 8L * values.length, ledger);
        this.values = values;
        Arrays.fill(values, Double.NaN); // nobody may rely on what fresh memory holds
    }

    /** The elements of the buffer. */
    static double[] of(Buffer buffer) {
        ReferenceBuffer mine = (ReferenceBuffer) buffer;
        mine.requireOpen();
        return mine.values;
    }

    static double[] of(Matrix matrix) {
        return of(matrix.buffer());
    }

    @Override
    protected void release() {
        values = null;
    }
}

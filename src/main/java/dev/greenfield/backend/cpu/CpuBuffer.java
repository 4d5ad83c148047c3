package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.Matrix;
import java.nio.FloatBuffer;

/** A buffer in native memory, seen from Java as floats. */
final class CpuBuffer extends Buffer {
    private final CpuMemory.Block block;

    CpuBuffer(String label, int length, CpuMemory.Block block, BufferLedger ledger) {
        super(label, length, 4L * length, ledger);
        this.block = block;
    }

    static CpuBuffer of(Buffer buffer) {
        CpuBuffer mine = (CpuBuffer) buffer;
        mine.requireOpen();
        return mine;
    }

    /** The floats of a matrix's buffer; index them with {@link Matrix#at}. */
    static FloatBuffer floats(Matrix matrix) {
        return of(matrix.buffer()).block.view();
    }

    CpuMemory.Block block() {
        return block;
    }

    FloatBuffer view() {
        return block.view();
    }

    @Override
    protected void release() {
        block.free();
    }
}

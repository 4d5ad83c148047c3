package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.BufferLedger;
import dev.greenfield.backend.Matrix;

/** A buffer in native memory, seen from Java as floats. */
final class CpuBuffer extends Buffer {
    private final CpuMemory.Block block;

    CpuBuffer(String label, long length, CpuMemory.Block block, BufferLedger ledger) {
        super(label, length, Float.BYTES * length, ledger);
        this.block = block;
    }

    static CpuBuffer of(Buffer buffer) {
        CpuBuffer mine = (CpuBuffer) buffer;
        mine.requireOpen();
        return mine;
    }

    /** The floats of a matrix's buffer; index them with {@link Matrix#at}. */
    static Floats floats(Matrix matrix) {
        return of(matrix.buffer()).block.view();
    }

    CpuMemory.Block block() {
        return block;
    }

    Floats view() {
        return block.view();
    }

    @Override
    protected void release() {
        block.free();
    }
}

package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Precision;
import dev.greenfield.backend.RaggedRows;

/**
 * Launches the attention kernels of {@code cuda-kernels}: chooses the variant by precision and head width, and the grid as
 * {@code attention.cuh} states it.
 */
final class CudaAttention {
    private final Launcher launcher;
    private final BatchTables tables;
    private final DeviceMemory memory;
    private final String precision;

    CudaAttention(Launcher launcher, BatchTables tables, DeviceMemory memory, Precision precision) {
        this.launcher = launcher;
        this.tables = tables;
        this.memory = memory;
        this.precision = precision.label();
    }
}

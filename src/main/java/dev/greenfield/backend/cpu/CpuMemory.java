package dev.greenfield.backend.cpu;

import java.nio.FloatBuffer;

/** Where the CPU backend's numbers live. */
interface CpuMemory {
    /** A zero-filled block of floats. */
    Block allocate(int floats);

    /** One block of memory. */
    interface Block {
        /** The block's floats; used only with absolute indices, so that threads may share it. */
        FloatBuffer view();

        /** Gives the memory back; the view must not be touched afterwards. */
        void free();
    }
}

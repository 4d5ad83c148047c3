package dev.greenfield.backend.cpu;

/** Where the CPU backend's numbers live. */
interface CpuMemory extends AutoCloseable {
    /** A block of at least this many floats, with arbitrary contents. */
    Block allocate(long floats);

    /** Sets the most memory to hold, blocks kept for later use included. */
    default void keepWithin(long bytes) {}

    /** Frees what is kept for later use; blocks that are out are freed when they are given back. */
    @Override
    default void close() {}

    /** One block of memory. */
    interface Block {
        /** The block's floats. */
        Floats view();

        /** Gives the memory back; the view must not be touched afterwards. */
        void free();
    }
}

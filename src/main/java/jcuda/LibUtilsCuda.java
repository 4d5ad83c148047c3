package jcuda;

import dev.greenfield.natives.NativeExtraction;

/**
 * Takes the place of JCuda's own class of this name, which its static initializers call to load their native halves. JCuda's
 * extracts them to a fixed name in the temporary directory, where anyone could have put something else, and uses what it
 * finds there. This one hands the name to our own loader, which extracts to a private directory and verifies.
 */
public final class LibUtilsCuda {
    private LibUtilsCuda() {}

    /**
     * Loads a native half of JCuda.
     *
     * @param libraryName such as {@code JCudaDriver-12.6.0-linux-x86_64}
     * @param dependentLibraryNames ignored: what a library depends on was loaded before
     */
    public static void loadLibrary(String libraryName, String... dependentLibraryNames) {
        NativeExtraction.loadBinding(libraryName);
    }
}

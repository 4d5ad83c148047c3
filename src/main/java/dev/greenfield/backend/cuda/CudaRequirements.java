package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.OptionalLibrary;

/**
 * What must be so before any other class of this package is touched: they cannot even be loaded where JCuda, which is
 * optional for users of the library, is not on the class path.
 */
public final class CudaRequirements {
    private static final String SYSTEM = "Linux amd64";

    private CudaRequirements() {}

    /**
     * Checks them.
     *
     * @throws BackendException saying what is missing and how to get it
     */
    public static void check() {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!system.equals(SYSTEM)) {
            throw new BackendException(
                    "this build talks to GPUs on Linux x86-64 only, this is " + system, Remedy.USE_CPU.phrase());
        }
        if (!OptionalLibrary.CUDA.present()) {
            throw new BackendException("JCuda's classes are not here", OptionalLibrary.CUDA.remedy());
        }
    }
}

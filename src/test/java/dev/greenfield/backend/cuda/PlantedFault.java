package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Precision;

/**
 * Launches a kernel with a mistake, as the backend would launch it, and prints what came of it. After a mistake a device is of
 * no more use, so this is a program of its own. Arguments: the kernel and its integer arguments; a buffer of 64 floats comes before them, and there are 96
 * threads. A second launch without a mistake follows the first, as on a device where errors come out late.
 */
final class PlantedFault {
    static final int REPORTED = 3;

    /** The kernel that is launched second. */
    static final String INNOCENT = "planted_divergent_shuffle";

    private static final int FLOATS = 64;
    private static final int THREADS = 96;

    private PlantedFault() {}

    public static void main(String[] args) {
        CudaBackend backend = CudaBackend.open(Precision.FP32);
        try {
            CudaBackend.Internals cuda = backend.internals();
            cuda.work().direct(true);
            DeviceMemory.Block block = cuda.memory().allocate("64 floats", FLOATS * Float.BYTES);
            Launcher launcher = cuda.launcher();
            launcher.kernel(args[0]).address(block.address());
            for (int i = 1; i < args.length; i++) {
                launcher.number(Integer.parseInt(args[i]));
            }
            launcher.launch(1, 1, 1, THREADS, 0);
            launcher.kernel(INNOCENT).address(block.address()).number(2 * 32);
            launcher.launch(1, 1, 1, THREADS, 0);
            cuda.transfers().synchronize("waiting");
            backend.close();
            System.out.println("nothing was reported");
        } catch (BackendException e) {
            System.out.println(e.getMessage());
            sayAgain(backend);
            System.exit(REPORTED);
        }
    }

    /** What a call after the fault says of it. */
    private static void sayAgain(CudaBackend backend) {
        try {
            backend.close();
        } catch (BackendException e) {
            System.out.println(e.getMessage());
        }
    }
}

package dev.greenfield.backend.cuda;

import dev.greenfield.backend.BackendException;
import dev.greenfield.backend.Precision;

/**
 * Launches a kernel with a mistake, as the backend would launch it, and prints what came of it. After a mistake a device is of
 * no more use, so this is a program of its own. Arguments: the kernel and its integer arguments; a buffer of 64 floats comes before them, and there are 96
 * threads.
 */
final class PlantedFault {
    static final int REPORTED = 3;
    private static final int FLOATS = 64;
    private static final int THREADS = 96;

    private PlantedFault() {}

    public static void main(String[] args) {
        try {
            CudaBackend backend = CudaBackend.open(Precision.FP32);
            CudaBackend.Internals cuda = backend.internals();
            DeviceMemory.Block block = cuda.memory().allocate("64 floats", FLOATS * Float.BYTES);
            Launcher launcher = cuda.launcher();
            launcher.kernel(args[0]).address(block.address());
            for (int i = 1; i < args.length; i++) {
                launcher.number(Integer.parseInt(args[i]));
            }
            launcher.launch(1, 1, 1, THREADS, 0);
            cuda.transfers().synchronize("waiting");
            backend.close();
            System.out.println("nothing was reported");
        } catch (BackendException e) {
            System.out.println(e.getMessage());
            System.exit(REPORTED);
        }
    }
}

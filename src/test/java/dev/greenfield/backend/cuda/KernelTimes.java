package dev.greenfield.backend.cuda;

import java.util.LinkedHashMap;
import java.util.Map;

/** What each kernel of a piece of work takes, for benchmarks of operations that launch several. Use it and the backend from one thread. */
public final class KernelTimes {
    private KernelTimes() {}

    /**
     * The mean time of a launch of each kernel and class of products, in seconds. Until it is done the backend's own profile, if
     * there is one, sees nothing.
     *
     * @param times how often the work is done
     */
    public static Map<String, Double> ofALaunch(CudaBackend backend, int times, Runnable work) {
        CudaBackend.Internals cuda = backend.internals();
        KernelProfile profile = new KernelProfile(cuda.stream());
        KernelProfile before = backend.profile(profile);
        try {
            for (int i = 0; i < times; i++) {
                work.run();
            }
            Map<String, Double> seconds = new LinkedHashMap<>();
            profile.totals().forEach((kernel, total) -> seconds.put(kernel, total.seconds() / total.launches()));
            return seconds;
        } finally {
            backend.profile(before);
            profile.close();
        }
    }
}

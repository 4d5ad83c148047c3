package dev.greenfield.backend.cuda;

import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * What {@code -Dgreenfield.cuda.debug} asks for. A kernel's fault comes out when the host next waits, long after the launch, and
 * the device then refuses everything. With {@code true} the host waits after each launch and product, so that the error names the
 * one that caused it; with {@code trace} each is also named on standard error before it begins, for those that never end.
 */
final class DebugMode {
    /** {@code true}, {@code trace}, or anything else for no debugging. */
    static final String PROPERTY = "greenfield.cuda.debug";

    private final CUstream stream;
    private final boolean trace;
    private final boolean on;

    /** As the property says now, for work on this stream. */
    DebugMode(CUstream stream) {
        this.stream = stream;
        trace = "trace".equals(System.getProperty(PROPERTY));
        on = asked();
    }

    /** Whether debugging is asked for. */
    static boolean asked() {
        String value = System.getProperty(PROPERTY);
        return "trace".equals(value) || "true".equals(value);
    }

    /** Something is about to be queued; {@code work} says what when it is printed. */
    void begins(Object work) {
        if (trace) {
            System.err.println("cuda: " + work);
        }
    }

    /** It was queued. */
    void queued(Object work) {
        Cuda.queued(work);
        if (!on) {
            return;
        }
        int result = JCudaDriver.cuStreamSynchronize(stream);
        if (result != 0) {
            Cuda.failedIn(work.toString());
            Cuda.check(result, work.toString());
        }
    }
}

package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.model.Precision;
import java.util.ArrayList;
import java.util.List;

/** What {@code doctor} says of CUDA on this machine. */
public final class CudaSurvey {
    private CudaSurvey() {}

    /** What was found: the GPU, the kernels and each library with why it was taken or refused. */
    public static List<String> lines() {
        List<String> lines = new ArrayList<>();
        try {
            CudaRequirements.check();
        } catch (BackendException e) {
            return List.of("no, " + e.getMessage());
        }
        try (CudaBackend backend = CudaBackend.open(Precision.FP32)) {
            lines.add("yes, float32, tf32 or bf16, " + backend.device());
            lines.add("driver for CUDA " + CudaDevice.driverVersion());
            List<String> all = CudaDevice.all();
            if (all.size() > 1) {
                lines.add(all.size() + " GPUs by number: " + String.join("; ", all));
            }
        } catch (BackendException | DeviceMemoryException e) {
            lines.add("no, " + e.getMessage());
        }
        if (KernelImage.inJar()) {
            try {
                KernelImage image = KernelImage.read();
                lines.add("kernels by " + image.compiler() + " for " + image.architectures() + ", sha256 "
                        + image.sha256());
            } catch (BackendException e) {
                lines.add(e.getMessage());
            }
        }
        lines.addAll(CudaLibraries.considered());
        return lines;
    }

    /**
     * The sizes and choices that a backend opened now would work with, one line a system property.
     *
     * @throws BackendException for a property with a value that cannot be used
     */
    public static List<String> tuning() {
        return CudaTuning.fromProperties().lines();
    }
}

package dev.greenfield.backend;

import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.backend.reference.Arithmetic;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.model.Precision;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * The backends that every test of operations runs on: the oracle and those of the CPU or, with
 * {@code -Dgreenfield.test.backends=cuda}, that of the GPU: tests run once for each, the second time on the host stand-in or
 * on a device. What only concerns the oracle is not tested a second time.
 */
public enum Backends {
    REFERENCE(ReferenceBackend::new),
    CPU(() -> CpuBackend.open(2)),
    CPU_ONE_THREAD(() -> CpuBackend.open(1)),
    CPU_WITHOUT_LIBRARIES(() -> CpuBackend.withoutLibraries(2)),
    CUDA(() -> openCuda(Precision.FP32)),
    CUDA_TF32(() -> openCuda(Precision.TF32));

    private static final AtomicBoolean SAID = new AtomicBoolean();

    private final Supplier<Backend> opener;

    Backends(Supplier<Backend> opener) {
        this.opener = opener;
    }

    /** A new backend of this kind. */
    public Backend open() {
        return opener.get();
    }

    /** The backends of this test run, the oracle first where it is one of them. */
    public static List<Backends> here() {
        return onCuda() ? List.of(CUDA) : List.of(REFERENCE, CPU, CPU_ONE_THREAD, CPU_WITHOUT_LIBRARIES);
    }

    /** All but the oracle. */
    public static List<Backends> tested() {
        return here().stream().filter(kind -> kind != REFERENCE).toList();
    }

    /** Those of this run that compute in a precision; operations are compared in each, the engine only in float32. */
    public static List<Backends> tested(Precision precision) {
        if (precision == Precision.TF32) {
            return onCuda() ? List.of(CUDA_TF32) : List.of();
        }
        return tested();
    }

    /** Whether this test run is that of the GPU's backend. */
    public static boolean onCuda() {
        return "cuda".equals(System.getProperty("greenfield.test.backends"));
    }

    /** The oracle's loops, each operation rounded to float32: its error is the yardstick for float32 backends. */
    public static Backend single() {
        return rounding(Arithmetic.SINGLE);
    }

    /** The oracle's loops in the terms of another arithmetic. */
    static Backend rounding(Arithmetic arithmetic) {
        return new ReferenceBackend(arithmetic);
    }

    private static boolean hasCublas(String folder) {
        return Files.exists(Path.of(folder, "libcublas.so.13"));
    }

    /** Skips the test where kernels or stand-in were not built; when both are there, whatever else is wrong is a failure. */
    private static Backend openCuda(Precision precision) {
        String missing = null;
        if (CudaBackend.class.getResource("kernels.fatbin") == null) {
            missing = "no nvcc built the kernels";
        }
        String folder = System.getProperty("greenfield.cuda.libs");
        if (folder != null && Stream.of(folder.split(File.pathSeparator)).noneMatch(Backends::hasCublas)) {
            missing = "found no libcublas.so.13 in " + folder + ", where g++ builds the host stand-in";
        }
        if (missing != null && !SAID.getAndSet(true)) {
            System.out.println("tests of the cuda backend are skipped: " + missing);
        }
        Assumptions.assumeTrue(missing == null, missing);
        return CudaBackend.open(precision);
    }
}

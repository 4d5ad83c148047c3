package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.natives.ExtractionException;
import dev.greenfield.natives.NativeExtraction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * Finds CUDA's libraries and loads them, once a process: the driver (libcuda), cuBLAS, and JCuda's bindings to both. JCuda 12.6
 * asks for cuBLAS by the name of CUDA 12. Where only that of CUDA 13 is found, our forwarding library (folder
 * {@code native/cublas-shim}) answers to the old name and hands every call on. Each library that was considered is remembered
 * with why it was taken or refused.
 */
public final class CudaLibraries {
    private static final String SHIM = "/dev/greenfield/jcuda/libcublas.so.12";

    /** What tells that NVIDIA's driver runs: on Linux itself, and on the Linux of Windows. */
    private static final List<Path> DRIVER_RUNS =
            List.of(Path.of("/dev/nvidiactl"), Path.of("/proc/driver/nvidia/version"), Path.of("/dev/dxg"));

    /** What a {@link BackendException} said, to say it again. */
    private record Problem(String found, String remedy) {}

    private static boolean tried;
    private static Problem problem;
    private static final List<String> CONSIDERED = new ArrayList<>();

    private CudaLibraries() {}

    /**
     * Loads everything if that has not been done.
     *
     * @throws BackendException saying what is missing and how to get it
     */
    static synchronized void load() {
        if (!tried) {
            tried = true;
            problem = new Problem("loading CUDA's libraries was broken off", "start again");
            try {
                loadAll();
                problem = null;
            } catch (BackendException e) {
                problem = new Problem(e.found(), e.remedy());
            }
        }
        if (problem != null) {
            throw new BackendException(problem.found, problem.remedy);
        }
    }

    /** Every library that was considered with why it was taken or refused, one line each. */
    static synchronized List<String> considered() {
        return List.copyOf(CONSIDERED);
    }

    private static void loadAll() {
        if (!KernelImage.inJar()) {
            throw new BackendException(
                    "this jar was built without nvcc and has no CUDA kernels",
                    "install the CUDA toolkit 13 and build again, or " + Remedy.USE_CPU);
        }
        for (Path folder : LibraryFolders.named()) {
            if (!Files.isDirectory(folder)) {
                CONSIDERED.add(folder + " (-D" + LibraryFolders.PROPERTY + "): refused, there is no such folder");
            }
        }
        loadDriver();
        loadCublas();
    }

    private static void loadDriver() {
        if (LibraryFolders.named().isEmpty() && DRIVER_RUNS.stream().noneMatch(Files::exists)) {
            throw new BackendException(
                    "no NVIDIA driver is running (no " + DRIVER_RUNS.get(0) + ")",
                    "install one, give the container its GPUs, or " + Remedy.USE_CPU);
        }
        for (Map.Entry<Path, String> folder : LibraryFolders.ofSystem().entrySet()) {
            Path file = folder.getKey().resolve("libcuda.so.1");
            if (Files.exists(file) && load(file, folder.getValue())) {
                break;
            }
        }
        // Where no folder had it, the system's own search path may.
        String refused = bind(() -> JCudaDriver.setExceptionsEnabled(false), "JCuda's binding to the driver");
        if (refused != null) {
            throw new BackendException(
                    "the NVIDIA driver's libcuda.so.1 could not be used, " + refused,
                    "install the driver, or name the library's folder with -D" + LibraryFolders.PROPERTY + "=DIR");
        }
    }

    private static void loadCublas() {
        List<Supplier<Map<Path, String>>> places =
                List.of(LibraryFolders::ofSystem, LibraryFolders::ofPython, LibraryFolders::ofPythonItself);
        boolean found = places.stream()
                .anyMatch(place -> place.get().entrySet().stream().anyMatch(CudaLibraries::loadCublas));
        // Where no folder had it, the system's own search path may.
        String refused = bind(
                () -> JCublas2.setExceptionsEnabled(false),
                found ? "JCuda's binding to cuBLAS" : "libcublas.so.12 by the system's search path");
        if (refused != null) {
            throw new BackendException(
                    "no cuBLAS could be used (libcublas.so.12 or libcublas.so.13), " + refused,
                    "install the CUDA toolkit or Python's nvidia-cublas, or name its folder with -D"
                            + LibraryFolders.PROPERTY + "=DIR; " + Remedy.SURVEY_BACKENDS);
        }
    }

    /** Loads cuBLAS 12 from a folder, or 13 and what answers for it to the name of 12. */
    private static boolean loadCublas(Map.Entry<Path, String> folder) {
        return loadCublas(folder, "12") || (loadCublas(folder, "13") && load(shim(), "forwards cuBLAS 12 to 13"));
    }

    private static Path shim() {
        try {
            return NativeExtraction.extract(SHIM);
        } catch (ExtractionException e) {
            throw new BackendException(e.found(), e.remedy());
        }
    }

    /** libcublasLt comes first, since libcublas needs it; one that is loaded stays, even when its libcublas is refused. */
    private static boolean loadCublas(Map.Entry<Path, String> folder, String version) {
        Path cublas = folder.getKey().resolve("libcublas.so." + version);
        Path light = folder.getKey().resolve("libcublasLt.so." + version);
        return Files.exists(cublas)
                && (!Files.exists(light) || load(light, folder.getValue()))
                && load(cublas, folder.getValue());
    }

    private static boolean load(Path file, String source) {
        try {
            System.load(file.toRealPath().toString());
            CONSIDERED.add(file + " (" + source + "): taken");
            return true;
        } catch (UnsatisfiedLinkError | IOException e) {
            CONSIDERED.add(file + " (" + source + "): refused, " + e.getMessage());
            return false;
        }
    }

    /**
     * Runs a binding's static initializer; what went wrong, or null.
     *
     * @throws BackendException when it was our part that failed, such as putting the binding where it can be loaded
     */
    private static String bind(Runnable initializer, String what) {
        try {
            initializer.run();
            CONSIDERED.add(what + ": taken");
            return null;
        } catch (LinkageError | ExtractionException e) {
            Throwable cause = e; // class initializers wrap what happened
            while (cause.getCause() != null && !(cause instanceof ExtractionException)) {
                cause = cause.getCause();
            }
            CONSIDERED.add(what + ": refused, " + cause.getMessage());
            if (cause instanceof ExtractionException ours) {
                throw new BackendException(ours.found(), ours.remedy());
            }
            return cause.getMessage();
        }
    }
}

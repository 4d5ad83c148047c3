package dev.greenfield.backend.cuda;

import dev.greenfield.backend.BackendException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;

/**
 * Finds CUDA's libraries and loads them, once a process: the driver (libcuda), cuBLAS, and JCuda's bindings to both. JCuda 12.6
 * asks for cuBLAS by the name of CUDA 12. Where only that of CUDA 13 is found, our forwarding library (folder
 * {@code native/cublas-shim}) answers to the old name and hands every call on. Each library that was considered is remembered
 * with why it was taken or refused.
 */
public final class CudaLibraries {
    private static final String BINDINGS = "/lib/";
    private static final String SHIM = "/dev/greenfield/backend/cuda/libcublas.so.12";

    /** What the driver puts there when it runs: on Linux itself, and on the Linux of Windows. */
    private static final List<String> DEVICE_NODES = List.of("/dev/nvidiactl", "/dev/dxg");

    /** What a {@link BackendException} said, to say it again. */
    private record Problem(String found, String remedy) {}

    private static boolean tried;
    private static Problem problem;
    private static final List<String> CONSIDERED = new ArrayList<>();

    private CudaLibraries() {}

    /**
     * Loads a native half of JCuda from the jar; JCuda's static initializers come here.
     *
     * @param name such as {@code JCudaDriver-12.6.0-linux-x86_64}
     */
    public static void loadBinding(String name) {
        String resource = BINDINGS + System.mapLibraryName(name);
        try {
            System.load(NativeExtraction.extract(resource).toString());
        } catch (BackendException e) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(e.getMessage());
            error.initCause(e);
            throw error;
        }
    }

    /**
     * Loads everything if that has not been done.
     *
     * @throws BackendException saying what is missing and how to get it
     */
    static synchronized void load() {
        if (!tried) {
            tried = true;
            try {
                loadAll();
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
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!system.equals("Linux amd64")) {
            throw new BackendException(
                    "this build talks to GPUs on Linux x86-64 only, this is " + system, "use --backend cpu");
        }
        if (!KernelImage.inJar()) {
            throw new BackendException(
                    "this jar was built without nvcc and has no CUDA kernels",
                    "install the CUDA toolkit 13 and build again, or use --backend cpu");
        }
        loadDriver();
        loadCublas();
    }

    private static void loadDriver() {
        boolean named = System.getProperty(LibraryFolders.PROPERTY) != null;
        if (!named && DEVICE_NODES.stream().map(Path::of).noneMatch(Files::exists)) {
            throw new BackendException(
                    "no NVIDIA driver is running (no " + DEVICE_NODES.get(0) + ")",
                    "install one, give the container its GPUs, or use --backend cpu");
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
        Map<Path, String> folders = LibraryFolders.all();
        boolean loaded = loadCublas(folders, "12")
                || (loadCublas(folders, "13") && load(NativeExtraction.extract(SHIM), "answers as 12"));
        if (loaded) {
            String refused = bind(() -> JCublas2.setExceptionsEnabled(false), "JCuda's binding to cuBLAS");
            if (refused == null) {
                return;
            }
        }
        throw new BackendException(
                "no cuBLAS could be used (libcublas.so.12 or libcublas.so.13)",
                "install the CUDA toolkit or Python's nvidia-cublas, or name its folder with -D"
                        + LibraryFolders.PROPERTY + "=DIR; 'doctor' prints what was considered");
    }

    /** Loads libcublas of a major version from the first folder where that works, libcublasLt, which it needs, before. */
    private static boolean loadCublas(Map<Path, String> folders, String version) {
        for (Map.Entry<Path, String> folder : folders.entrySet()) {
            Path cublas = folder.getKey().resolve("libcublas.so." + version);
            Path light = folder.getKey().resolve("libcublasLt.so." + version);
            if (Files.exists(cublas)
                    && (!Files.exists(light) || load(light, folder.getValue()))
                    && load(cublas, folder.getValue())) {
                return true;
            }
        }
        return false;
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

    /** Runs a binding's static initializer; what went wrong, or null. */
    private static String bind(Runnable initializer, String what) {
        try {
            initializer.run();
            CONSIDERED.add(what + ": taken");
            return null;
        } catch (LinkageError e) {
            Throwable cause = e; // class initializers wrap what happened
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            CONSIDERED.add(what + ": refused, " + cause.getMessage());
            return cause.getMessage();
        }
    }
}

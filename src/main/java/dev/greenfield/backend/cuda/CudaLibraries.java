package dev.greenfield.backend.cuda;

import dev.greenfield.backend.BackendException;
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

    private static boolean tried;
    private static String problem;
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

    /** Loads everything if that has not been done; null when it worked, else what is missing and how to get it. */
    static synchronized String load() {
        if (!tried) {
            tried = true;
            problem = loadAll();
        }
        return problem;
    }

    /** Every library that was considered with why it was taken or refused, one line each. */
    static synchronized List<String> considered() {
        return List.copyOf(CONSIDERED);
    }

    private static String loadAll() {
        String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (CudaLibraries.class.getResource(BINDINGS + System.mapLibraryName("JCudaDriver-12.6.0-linux-x86_64")) == null
                || !system.startsWith("Linux")
                || !system.endsWith("amd64")) {
            return "this build talks to GPUs on Linux x86-64 only, this is " + system + ": use --backend cpu";
        }
        if (!KernelImage.inJar()) {
            return "this jar was built without nvcc and has no CUDA kernels: install the CUDA toolkit 13 and build again,"
                    + " or use --backend cpu";
        }
        Map<Path, String> folders = LibraryFolders.all();
        try {
            return loadDriver(folders) ? loadCublas(folders) : noDriver();
        } catch (BackendException e) {
            return e.getMessage();
        }
    }

    private static String noDriver() {
        return "no NVIDIA driver was found (libcuda.so.1): install one, or use --backend cpu; if it is in an unusual"
                + " folder, name that with -D" + LibraryFolders.PROPERTY + "=DIR";
    }

    private static boolean loadDriver(Map<Path, String> folders) {
        for (Map.Entry<Path, String> folder : folders.entrySet()) {
            Path file = folder.getKey().resolve("libcuda.so.1");
            if (Files.exists(file) && load(file, folder.getValue())) {
                return bind(() -> JCudaDriver.setExceptionsEnabled(false), "JCuda's binding to the driver");
            }
        }
        // The system's own search path may know a place that we do not.
        return bind(() -> JCudaDriver.setExceptionsEnabled(false), "libcuda.so.1 by the system's search path");
    }

    private static String loadCublas(Map<Path, String> folders) {
        for (Map.Entry<Path, String> folder : folders.entrySet()) {
            if (loadPair(folder, "12")) {
                return bindCublas();
            }
        }
        for (Map.Entry<Path, String> folder : folders.entrySet()) {
            if (loadPair(folder, "13")) {
                Path shim = NativeExtraction.extract(SHIM);
                return load(shim, "forwards cuBLAS 12 to 13") ? bindCublas() : CONSIDERED.get(CONSIDERED.size() - 1);
            }
        }
        return "no cuBLAS was found (libcublas.so.12 or libcublas.so.13): install the CUDA toolkit or Python's nvidia-cublas"
                + " wheel, or name its folder with -D" + LibraryFolders.PROPERTY
                + "=DIR; 'doctor' prints where it looked";
    }

    private static String bindCublas() {
        return bind(() -> JCublas2.setExceptionsEnabled(false), "JCuda's binding to cuBLAS")
                ? null
                : CONSIDERED.get(CONSIDERED.size() - 1);
    }

    /** Loads libcublas of a major version from a folder, libcublasLt, which it needs, before. */
    private static boolean loadPair(Map.Entry<Path, String> folder, String version) {
        Path cublas = folder.getKey().resolve("libcublas.so." + version);
        if (!Files.exists(cublas)) {
            return false;
        }
        Path light = folder.getKey().resolve("libcublasLt.so." + version);
        if (Files.exists(light) && !load(light, folder.getValue())) {
            return false;
        }
        return load(cublas, folder.getValue());
    }

    private static boolean load(Path file, String source) {
        try {
            System.load(file.toRealPath().toString());
            CONSIDERED.add(file + " (" + source + "): taken");
            return true;
        } catch (UnsatisfiedLinkError | java.io.IOException e) {
            CONSIDERED.add(file + " (" + source + "): refused, " + e.getMessage());
            return false;
        }
    }

    private static boolean bind(Runnable initializer, String what) {
        try {
            initializer.run();
            CONSIDERED.add(what + ": taken");
            return true;
        } catch (LinkageError e) {
            CONSIDERED.add(what + ": refused, " + firstMessage(e));
            return false;
        }
    }

    /** What the innermost error says: class initializers wrap it. */
    private static String firstMessage(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}

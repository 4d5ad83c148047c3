package dev.greenfield;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.backend.cuda.CudaRequirements;
import dev.greenfield.backend.cuda.CudaSurvey;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.DeviceMemoryException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.model.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * Picks the backend: the one place that knows which exist, and that says which was taken and why.
 */
public final class BackendChoice {
    /** The names of backends that can be asked for. */
    public static final List<String> NAMES = List.of("auto", "cpu", "cuda", "reference");

    /** In place of a device's number: whichever is the default. */
    static final int NO_DEVICE = -1;

    private static final int MOST_THREADS_A_PROCESSOR = 8;

    private final Backend backend;
    private final String reason;

    /** An open backend. */
    BackendChoice(Backend backend, String reason) {
        this.backend = backend;
        this.reason = reason;
    }

    Backend backend() {
        return backend;
    }

    /** One line for people: what was taken, and why. */
    public String reason() {
        return reason;
    }

    /** Its name, one of {@link #NAMES} but {@code auto}. */
    public String name() {
        return backend.name();
    }

    /** The hardware that computes, as a name for people. */
    public String device() {
        return backend.device();
    }

    /** What it computes in. */
    public Precision precision() {
        return backend.precision();
    }

    /**
     * Opens a backend.
     *
     * @param name one of {@link #NAMES}; {@code auto} takes CUDA where it can be used and the CPU elsewhere
     * @param precision what it must compute in, or null for the backend's own
     * @param threads threads for the CPU, or 0 for all processors
     * @throws InputException for an unknown name, or a precision that the backend does not have
     * @throws BackendException when the backend was asked for by name and cannot be had
     */
    static BackendChoice open(String name, Precision precision, int threads) {
        return open(name, precision, threads, NO_DEVICE);
    }

    /**
     * Opens a backend.
     *
     * @param device number of the GPU that it must be on, counted from 0, or {@link #NO_DEVICE} for the default; with a number {@code
     *     auto} takes CUDA or fails
     */
    static BackendChoice open(String name, Precision precision, int threads, int device) {
        if (device != NO_DEVICE && !name.equals("auto") && !name.equals("cuda") && NAMES.contains(name)) {
            throw new InputException("found GPU " + device + " with the " + name
                    + " backend: expected the cuda backend, no other has devices; leave one of them out");
        }
        if (threads < 0) {
            throw new InputException(
                    Remedy.FOUND_THREADS + " " + threads + ": expected at least 1, or 0 for all processors");
        }
        int most = MOST_THREADS_A_PROCESSOR * Runtime.getRuntime().availableProcessors();
        if (threads > most) {
            throw new InputException(Remedy.FOUND_THREADS + " " + threads + ": expected at most " + most + ", "
                    + MOST_THREADS_A_PROCESSOR + " for each processor");
        }
        int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        return switch (name) {
            case "auto" -> device == NO_DEVICE ? best(precision, count) : asked(precision, device);
            case "cpu" -> {
                require(precision, "cpu", List.of(Precision.FP32));
                CpuBackend cpu = CpuBackend.open(count);
                yield new BackendChoice(cpu, "backend cpu (" + cpu.device() + "): asked for" + slow(cpu));
            }
            case "reference" -> {
                require(precision, "reference", List.of(Precision.FP64));
                yield new BackendChoice(new ReferenceBackend(), "backend reference: asked for");
            }
            case "cuda" -> asked(precision, device);
            default ->
                throw new InputException("unknown backend '" + name + "': expected one of " + String.join(", ", NAMES));
        };
    }

    private static BackendChoice asked(Precision precision, int device) {
        require(precision, "cuda", List.of(Precision.FP32, Precision.TF32, Precision.BF16));
        try {
            return cuda(precision, device, "asked for");
        } catch (BackendException e) {
            throw new BackendException("backend cuda: " + e.found(), e.remedy());
        }
    }

    /** The first that can be used of CUDA and the CPU; the reference backend where only it has the precision. */
    private static BackendChoice best(Precision precision, int threads) {
        if (precision == Precision.FP64) {
            return new BackendChoice(new ReferenceBackend(), "backend reference: the one that computes in fp64");
        }
        String noGpu;
        try {
            return cuda(precision, NO_DEVICE, "the fastest there is");
        } catch (BackendException e) {
            if (needsGpu(precision)) {
                throw new BackendException(
                        Remedy.FOUND_PRECISION + " " + precision.label() + ", which needs a GPU: " + e.found(),
                        e.remedy());
            }
            noGpu = e.found();
        } catch (DeviceMemoryException e) {
            if (needsGpu(precision)) {
                throw e;
            }
            noGpu = e.getMessage();
        }
        CpuBackend cpu = CpuBackend.open(threads);
        return new BackendChoice(cpu, "backend cpu (" + cpu.device() + "): no GPU, " + noGpu + slow(cpu));
    }

    private static boolean needsGpu(Precision precision) {
        return precision == Precision.TF32 || precision == Precision.BF16;
    }

    private static BackendChoice cuda(Precision precision, int device, String why) {
        CudaRequirements.check();
        Precision inside = precision == null ? Precision.FP32 : precision;
        CudaBackend cuda = device == NO_DEVICE ? CudaBackend.open(inside) : CudaBackend.open(inside, device);
        return new BackendChoice(cuda, "backend cuda (" + cuda.device() + "): " + why);
    }

    /** What is lost without OpenBLAS and how to get it back; empty when it is there. */
    private static String slow(CpuBackend cpu) {
        return cpu.problem() == null
                ? ""
                : "; OpenBLAS did not load, matrix products are about ten times slower: " + cpu.problem();
    }

    private static void require(Precision precision, String backend, List<Precision> has) {
        if (precision != null && !has.contains(precision)) {
            throw new InputException(Remedy.FOUND_PRECISION + " " + precision.label() + ": the " + backend
                    + " backend computes in "
                    + String.join(" or ", has.stream().map(Precision::label).toList())
                    + "; for fp64 " + Remedy.USE_REFERENCE + ", for tf32 and bf16 a CUDA device");
        }
    }

    /** Where the weights of a model go on the cpu backend when nobody says otherwise: one line. */
    public static String weightsSurvey() {
        long bytes = CpuBackend.halfOfTheMachine();
        return "resident where they fit the memory budget (" + (bytes >> 20) + " MiB on the cpu backend, "
                + bytes / Float.BYTES / 1_000_000 + " million parameters), else streamed block by block; "
                + Remedy.RAISE_MEMORY + " or " + Remedy.STREAM_WEIGHTS + " to choose";
    }

    /** What this machine can run: per backend one line that says whether it is there and why not. */
    public static List<String> survey() {
        List<String> lines = new ArrayList<>();
        lines.add("reference: yes, float64, plain Java, for checking results");
        String problem = CpuBackend.whyNoOpenBlas();
        lines.add(
                problem == null
                        ? "cpu: yes, float32, matrix products by OpenBLAS"
                        : "cpu: yes, float32, matrix products by plain Java, about ten times slower, because OpenBLAS"
                                + " did not load: " + problem);
        CudaSurvey.lines().forEach(line -> lines.add("cuda: " + line));
        return lines;
    }
}

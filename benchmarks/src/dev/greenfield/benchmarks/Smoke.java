package dev.greenfield.benchmarks;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.OperationCase;
import dev.greenfield.backend.OperationCases;
import dev.greenfield.backend.OperationCheck;
import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.failure.BackendException;
import dev.greenfield.model.Precision;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Tries a family of kernels on the GPU against the reference backend, in a process of its own: {@code Smoke FAMILY fp32|tf32}.
 * {@code Smoke --list} prints the families, one a line. The cases are those of the tests, each with dense matrices and with gaps
 * around them. The host waits after each launch, so that an error names its kernel.
 *
 * <p>One line a case, written at once, so that several processes may share a file: ok or FAIL, precision, operation and shape,
 * error and bound. Exit status: 0 all is within its bound; 1 something is
 * not; 2 bad usage; 3 the device failed, or there is none, and what is left was not tried.
 */
public final class Smoke {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int DEVICE_ERROR = 3;

    private final Backend backend;
    private final Precision precision;
    private final PrintStream out;
    private int passed;
    private int failed;

    /**
     * @param precision whose bounds hold
     */
    Smoke(Backend backend, Precision precision, PrintStream out) {
        this.backend = backend;
        this.precision = precision;
        this.out = out;
    }

    public static void main(String[] args) {
        if (args.length == 1 && args[0].equals("--list")) {
            families().forEach(System.out::println);
            return;
        }
        SmokeFamily family = args.length == 2 ? family(args[0]) : null;
        Precision precision = args.length == 2 ? precision(args[1]) : null;
        if (family == null || precision == null) {
            System.err.println("usage: Smoke --list | Smoke FAMILY fp32|tf32, FAMILY one of " + families());
            System.exit(USAGE);
        }
        // Before a backend is opened: it reads this once. More can be asked for from outside.
        if (System.getProperty("greenfield.cuda.debug") == null) {
            System.setProperty("greenfield.cuda.debug", "true");
        }
        System.exit(run(family, precision));
    }

    private static int run(SmokeFamily family, Precision precision) {
        long begin = System.nanoTime();
        CudaBackend backend;
        try {
            backend = CudaBackend.open(precision);
        } catch (BackendException e) {
            System.out.println("DEVICE " + e.getMessage());
            return DEVICE_ERROR;
        }
        Smoke smoke = new Smoke(backend, precision, System.out);
        int status = smoke.run(family);
        System.out.printf(
                Locale.ROOT,
                "smoke %s %s: %d ok, %d failed%s, %.1f s%n",
                family.label(),
                precision.label(),
                smoke.passed,
                smoke.failed,
                status == DEVICE_ERROR ? ", stopped by an error of the device" : "",
                (System.nanoTime() - begin) / 1e9);
        return status;
    }

    static List<String> families() {
        return Arrays.stream(SmokeFamily.values()).map(SmokeFamily::label).toList();
    }

    private static SmokeFamily family(String label) {
        return Arrays.stream(SmokeFamily.values())
                .filter(family -> family.label().equals(label))
                .findFirst()
                .orElse(null);
    }

    private static Precision precision(String label) {
        return switch (label) {
            case "fp32" -> Precision.FP32;
            case "tf32" -> Precision.TF32;
            default -> null;
        };
    }

    /** Tries all cases of a family; returns the exit status. */
    int run(SmokeFamily family) {
        for (OperationCase test : OperationCases.all()) {
            for (OperationCheck.Mode mode : modes(family, test)) {
                OperationCheck check = OperationCheck.of(test, mode, precision);
                for (boolean padded : new boolean[] {false, true}) {
                    if (!passes(check, padded)) {
                        return DEVICE_ERROR;
                    }
                }
            }
        }
        return failed == 0 ? OK : FAILED;
    }

    private static List<OperationCheck.Mode> modes(SmokeFamily family, OperationCase test) {
        List<OperationCheck.Mode> modes = new ArrayList<>();
        for (OperationCheck.Mode mode : OperationCheck.Mode.values()) {
            if (OperationCheck.has(test, mode) && family.has(test, mode)) {
                modes.add(mode);
            }
        }
        return modes;
    }

    /** Runs one check and prints its line; false when the device can do no more. */
    private boolean passes(OperationCheck check, boolean padded) {
        String what = precision.label() + " " + check + (padded ? ", gaps" : ", dense");
        try {
            double error = check.error(backend, padded);
            double bound = check.bound();
            boolean within = error <= bound; // a NaN is not
            line(within, what, String.format(Locale.ROOT, "error %.2e, bound %.2e", error, bound));
        } catch (AssertionError e) {
            line(false, what, e.getMessage());
        } catch (BackendException e) {
            line(false, what, e.getMessage());
            if (!answers()) {
                say("DEVICE " + e.getMessage());
                return false;
            }
        }
        return true;
    }

    private void line(boolean within, String what, String result) {
        if (within) {
            passed++;
        } else {
            failed++;
        }
        say((within ? "ok   " : "FAIL ") + what + " | " + result);
    }

    private void say(String line) {
        out.print(line + System.lineSeparator());
        out.flush();
    }

    /** Whether the device still keeps a number: after most errors it refuses all that is asked of it. */
    private boolean answers() {
        double[] back = {0};
        try (Buffer buffer = backend.allocate("a number", 1)) {
            backend.upload(new double[] {7}, 0, buffer, 0, 1);
            backend.download(buffer, 0, back, 0, 1);
            return back[0] == 7;
        } catch (BackendException e) {
            return false;
        }
    }
}

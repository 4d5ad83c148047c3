package dev.greenfield.benchmarks;

import dev.greenfield.backend.OperationCase;
import dev.greenfield.backend.OperationCheck.Mode;
import java.util.List;
import java.util.Locale;

/** Kernels that are tried in one process: what one of them breaks, the others' processes do not see. */
enum SmokeFamily {
    ROWS(null, "embed", "add", "take", "grow", "inject", "squaredNorm", "dots", "scaleColumns"),
    ACTIVATION(null, "activation"),
    GATES(null, "gate"),
    NORMS(null, "layerNorm"),
    RMS_NORMS(null, "rmsNorm"),
    HEADS(null, "heads"),
    GEMM(null, "multiply"),
    ATTENTION(Mode.VALUE, "attention"),
    ATTENTION_TANGENT(Mode.TANGENT, "attention"),
    ATTENTION_ADJOINT(Mode.ADJOINT, "attention"),
    ATTENTION_CURVATURE(Mode.CURVATURE, "attention");

    private final Mode only;
    private final List<String> operations;

    SmokeFamily(Mode only, String... operations) {
        this.only = only;
        this.operations = List.of(operations);
    }

    /** Its name on the command line. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Whether one mode of a case belongs to it. */
    boolean has(OperationCase test, Mode mode) {
        return (only == null || only == mode) && operations.stream().anyMatch(test.name()::startsWith);
    }
}

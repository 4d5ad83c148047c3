package dev.greenfield.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.OperationCase;
import dev.greenfield.backend.OperationCases;
import dev.greenfield.backend.OperationCheck;
import dev.greenfield.backend.reference.Arithmetic;
import dev.greenfield.backend.reference.ReferenceBackend;
import dev.greenfield.model.Precision;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The smoke test leaves no case out and can fail. */
@Tag("slow")
class SmokeTest {
    @Test
    void everyCheckBelongsToOneFamily() {
        for (OperationCase test : OperationCases.all()) {
            for (OperationCheck.Mode mode : OperationCheck.Mode.values()) {
                assertThat(Arrays.stream(SmokeFamily.values()).filter(family -> family.has(test, mode)))
                        .as(mode + " " + test)
                        .hasSize(1);
            }
        }
        assertThat(Smoke.families()).contains("rows", "attention-adjoint").doesNotHaveDuplicates();
    }

    @Test
    void whatRoundsAsItShouldPassesAndWhatRoundsMoreFails() {
        String fine = run(Backends.single(), Smoke.OK);
        assertThat(fine).contains("ok   fp32 multiply: 1.0 A B, 5 x 7 x 3").doesNotContain("FAIL");
        String coarse = run(new ReferenceBackend(Arithmetic.TF32), Smoke.FAILED);
        assertThat(coarse).contains("FAIL fp32 multiply: 1.0 A B, 5 x 7 x 3", "dense | error ", ", bound ");
    }

    private static String run(Backend backend, int status) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (backend) {
            PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
            assertThat(new Smoke(backend, Precision.FP32, out).run(SmokeFamily.GEMM))
                    .isEqualTo(status);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}

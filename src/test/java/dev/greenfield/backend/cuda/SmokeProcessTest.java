package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import dev.greenfield.benchmarks.Smoke;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The smoke test as a program: what its exit status and its last lines say. */
class SmokeProcessTest {
    @BeforeEach
    void onlyOnTheStandIn() {
        assumeTrue(ChildJvm.onStandIn(), "faults are planted in the host stand-in");
        Backends.CUDA.open().close();
    }

    private static Finished smoke(Map<String, String> environment, String... args)
            throws IOException, InterruptedException {
        return ChildJvm.run(environment, List.of(), Smoke.class.getName(), args);
    }

    @Test
    void aFamilyThatIsRightPasses() throws IOException, InterruptedException {
        Finished run = smoke(Map.of(), "norms", "tf32");
        assertThat(run.exit()).as(run.out() + run.err()).isZero();
        assertThat(run.out()).contains("ok   tf32 curvature of layerNorm: ", "smoke norms tf32: ", " ok, 0 failed");
    }

    @Test
    void aKernelThatBreaksTheDeviceIsNamedAndEndsItsProcess() throws IOException, InterruptedException {
        Finished run = smoke(
                Map.of("GREENFIELD_STANDIN_LATE_FAULTS", "1", "GREENFIELD_STANDIN_FAULT", "inject"), "rows", "fp32");
        assertThat(run.exit()).as(run.out() + run.err()).isEqualTo(3);
        assertThat(run.out())
                .contains("ok   fp32 grow: ")
                .containsPattern("FAIL fp32 inject: .*inject, [0-9]+ x 1 x 1 blocks")
                .containsPattern("DEVICE inject, .*CUDA_ERROR_LAUNCH_FAILED")
                .contains("stopped by an error of the device")
                .doesNotContain("squaredNorms");
    }

    @Test
    void aProductThatBreaksTheDeviceIsNamedToo() throws IOException, InterruptedException {
        Finished run = smoke(
                Map.of("GREENFIELD_STANDIN_LATE_FAULTS", "1", "GREENFIELD_STANDIN_FAULT", "gemm"), "gemm", "tf32");
        assertThat(run.exit()).as(run.out() + run.err()).isEqualTo(3);
        assertThat(run.out())
                .contains("DEVICE matrix product 1 x 1 x 1, A B: CUDA_ERROR_LAUNCH_FAILED", " 0 ok, 1 failed");
    }

    @Test
    void otherWordsAreRefused() throws IOException, InterruptedException {
        Finished run = smoke(Map.of(), "rows", "fp64");
        assertThat(run.exit()).isEqualTo(2);
        assertThat(run.err()).contains("usage: Smoke --list", "attention-curvature");
    }
}

package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.CudaCases;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The host stand-in can be relied on: it reports the mistakes it is there to find, through our own launch code, and the whole
 * table of operations runs clean under the address and undefined-behaviour sanitizers.
 */
class StandInTest {
    private static final List<String> UNCACHED = List.of("-D" + DeviceMemory.CACHE + "=off");

    @TempDir
    Path temporary;

    @BeforeEach
    void onlyOnTheStandIn() {
        assumeTrue(ChildJvm.onStandIn(), "not on the host stand-in");
        String problem = CudaBackend.problem();
        assumeTrue(problem == null, problem);
    }

    private static Finished plant(String... args) throws IOException, InterruptedException {
        return ChildJvm.run(Map.of(), UNCACHED, PlantedFault.class.getName(), args);
    }

    @Test
    void aCorrectKernelPasses() throws IOException, InterruptedException {
        Finished fine = plant("planted_divergent_barrier", "64");
        assertThat(fine.exit()).as(fine.out() + fine.err()).isZero();
        fine = plant("planted_write_past_end", "64", "0");
        assertThat(fine.exit()).as(fine.out() + fine.err()).isZero();
    }

    @Test
    void aDivergentBarrierIsReported() throws IOException, InterruptedException {
        // The second warp never comes; a barrier that part of the first one misses is as bad.
        for (String reach : List.of("33", "7")) {
            Finished run = plant("planted_divergent_shuffle", reach);
            assertThat(run.exit()).as(run.out()).isEqualTo(PlantedFault.REPORTED);
            assertThat(run.out()).contains("planted_divergent_shuffle", "CUDA_ERROR_LAUNCH_FAILED");
        }
    }

    @Test
    void aWriteBeyondAnAllocationIsReported() throws IOException, InterruptedException {
        Finished run = plant("planted_write_past_end", "64", "-64");
        assertThat(run.exit()).as(run.out()).isZero();
        run = ChildJvm.run(Map.of(), UNCACHED, PlantedFault.class.getName(), "planted_write_past_end", "63", "1");
        assertThat(run.exit()).as(run.out()).isZero();
        run = plant("planted_null");
        assertThat(run.exit()).as(run.out()).isZero();
    }

    @Test
    void aMissingKernelIsReported() throws IOException, InterruptedException {
        Finished run = plant("no_such_kernel");
        assertThat(run.exit()).isEqualTo(PlantedFault.REPORTED);
        assertThat(run.out()).contains("the kernels in this jar have no 'no_such_kernel'", "build again");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp32", "tf32"})
    void theTableOfOperationsIsCleanUnderTheSanitizers(String precision) throws IOException, InterruptedException {
        Path trace = temporary.resolve("trace");
        Finished recorded = ChildJvm.run(
                Map.of("GREENFIELD_STANDIN_RECORD", trace.toString()),
                UNCACHED,
                CudaCases.class.getName(),
                "--precision",
                precision);
        assertThat(recorded.exit()).as(recorded.err()).isZero();
        assertThat(Files.size(trace)).isGreaterThan(1_000_000);
        Path replay = Path.of(System.getProperty(LibraryFolders.PROPERTY)).resolve("replay");
        Process process = new ProcessBuilder(replay.toString(), trace.toString())
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        System.out.print(out);
    }
}

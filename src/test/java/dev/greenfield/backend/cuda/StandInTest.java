package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.Backends;
import dev.greenfield.backend.CudaCases;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        Backends.CUDA.open().close();
    }

    private static Finished plant(String... args) throws IOException, InterruptedException {
        return ChildJvm.run(Map.of(), UNCACHED, PlantedFault.class.getName(), args);
    }

    private static void reported(Finished run, String... words) {
        assertThat(run.exit()).as(run.out() + run.err()).isEqualTo(PlantedFault.REPORTED);
        assertThat(run.out()).contains(words);
    }

    @Test
    void correctLaunchesPass() throws IOException, InterruptedException {
        for (String[] launch :
                new String[][] {{"planted_divergent_shuffle", "64"}, {"planted_write_past_end", "64", "0"}}) {
            Finished run = plant(launch);
            assertThat(run.exit()).as(run.out() + run.err()).isZero();
            assertThat(run.out()).contains("nothing was reported");
        }
    }

    @Test
    void aDivergentBarrierIsReported() throws IOException, InterruptedException {
        for (String kernel : List.of("planted_divergent_barrier", "planted_divergent_shuffle")) {
            Finished run = plant(kernel, "40");
            reported(run, kernel, "CUDA_ERROR_LAUNCH_FAILED");
            assertThat(run.err()).contains(kernel);
        }
    }

    @Test
    void aWriteBeyondAnAllocationIsReported() throws IOException, InterruptedException {
        Finished run = plant("planted_write_past_end", "64", "1");
        reported(run, "planted_write_past_end", "CUDA_ERROR_ILLEGAL_ADDRESS");
        assertThat(run.err()).contains("planted_write_past_end");
    }

    @Test
    void theDebugModeNamesTheLaunchWhoseFaultComesOutLate() throws IOException, InterruptedException {
        String guilty = "planted_write_past_end, 1 x 1 x 1 blocks";
        Finished plain = plantLate("false");
        reported(plain, "some launch before", DebugMode.PROPERTY, "the last was " + PlantedFault.INNOCENT);
        Finished debugged = plantLate("true");
        reported(debugged, guilty, "closing the cuda backend", "after the device failed in " + guilty);
        assertThat(debugged.out()).doesNotContain(PlantedFault.INNOCENT);
        assertThat(plantLate("trace").err()).contains("cuda: " + guilty);
    }

    /** A fault that comes out when the host waits, as on a device. */
    private static Finished plantLate(String debug) throws IOException, InterruptedException {
        return ChildJvm.run(
                Map.of("GREENFIELD_STANDIN_LATE_FAULTS", "1"),
                List.of("-D" + DeviceMemory.CACHE + "=off", "-D" + DebugMode.PROPERTY + "=" + debug),
                PlantedFault.class.getName(),
                "planted_write_past_end",
                "64",
                "1");
    }

    /** Never zeros for an answer: what was to arrive before another's failure is lost, and whoever waits for it must know. */
    @Test
    void aCopyThatAnotherUsersFailureTookAwayIsReported() throws IOException, InterruptedException {
        Finished run = ChildJvm.run(
                Map.of("GREENFIELD_STANDIN_LATE_FAULTS", "1", "GREENFIELD_STANDIN_FAULT", "add_bias"),
                List.of(),
                LostDownload.class.getName());
        reported(run, "second: ", "first: ", "the last was copy_words");
        assertThat(run.out()).doesNotContain("got", "told nothing");
    }

    @Test
    void aMissingKernelIsReported() throws IOException, InterruptedException {
        Finished run = plant("no_such_kernel");
        assertThat(run.exit()).isEqualTo(PlantedFault.REPORTED);
        assertThat(run.out()).contains("the kernels in this jar have no 'no_such_kernel'", "build again");
    }

    /** Both precisions at once: each runs in processes of its own. */
    @Test
    void theTableOfOperationsIsCleanUnderTheSanitizers() throws Exception {
        FutureTask<String> fp32 = new FutureTask<>(() -> replayed("fp32", ""));
        // Only attention and the products know of the precision.
        FutureTask<String> tf32 = new FutureTask<>(() -> replayed("tf32", "attention"));
        List<Thread> threads = List.of(new Thread(fp32, "fp32"), new Thread(tf32, "tf32"));
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.print(fp32.get() + tf32.get());
    }

    private String replayed(String precision, String cases) throws IOException, InterruptedException {
        Path trace = temporary.resolve("trace-" + precision);
        Finished recorded = ChildJvm.run(
                Map.of("GREENFIELD_STANDIN_RECORD", trace.toString()),
                UNCACHED,
                CudaCases.class.getName(),
                "--precision",
                precision,
                cases);
        assertThat(recorded.exit()).as(recorded.err()).isZero();
        assertThat(Files.size(trace)).isGreaterThan(1_000_000);
        Path replay = Path.of(System.getProperty(LibraryFolders.PROPERTY)).resolve("replay");
        Process process = new ProcessBuilder(replay.toString(), trace.toString())
                .redirectErrorStream(true)
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(out).isZero();
        return out;
    }
}

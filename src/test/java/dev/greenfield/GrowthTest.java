package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.cpu.CpuBackend;
import dev.greenfield.lattice.Observable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Many runs after one another leave no more behind than a few did: heap, resident memory, open files, threads and buffers of the
 * backend. {@code greenfield.campaign.runs} says how many.
 */
@Tag("slow")
class GrowthTest {
    private static final int RUNS = Integer.getInteger("greenfield.campaign.runs", 300);
    private static final Observable ANSWER = Observable.logitDifference("#7", "#8");
    private static final long HEAP = 4L << 20;
    private static final long RESIDENT = 64L << 20;

    /** What a process holds; -1 where the system does not say. */
    private record Held(long heap, long resident, long files, int threads, int buffers) {
        static Held now(Backend backend) throws IOException, InterruptedException {
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(50);
            }
            Runtime runtime = Runtime.getRuntime();
            Path memory = Path.of("/proc/self/statm");
            long resident = -1;
            long files = -1;
            if (Files.exists(memory)) {
                resident = 4096 * Long.parseLong(Files.readString(memory).split(" ", -1)[1]);
                try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
                    files = open.count();
                }
            }
            return new Held(
                    runtime.totalMemory() - runtime.freeMemory(),
                    resident,
                    files,
                    Thread.activeCount(),
                    backend.ledger().openCount());
        }
    }

    private static void run(Model model, int number) {
        try (Run run = model.run(1 + number % 30, 2, 3 + number % 7, 4)) {
            run.sensitivity(ANSWER);
            run.responseMap().probes(2).seed(number).compute();
            if (number % 10 == 0) {
                run.green(dev.greenfield.lattice.Site.of(0, 1)).to(2).svd(2);
            }
        }
    }

    @Test
    void runsLeaveNothingBehind() throws Exception {
        try (Backend backend = CpuBackend.open(2)) {
            Held before = null;
            for (int models = 0; models < 10; models++) {
                try (Model model = TestModels.open("random:3,2,16,40,16,seed=1", backend)) {
                    for (int i = 0; i < RUNS / 10; i++) {
                        run(model, i);
                    }
                }
                before = models == 2 ? Held.now(backend) : before; // all is loaded and compiled
            }
            Held after = Held.now(backend);
            System.out.printf(
                    Locale.ROOT,
                    "%d runs: heap %+.1f MB, resident memory %+.1f MB, open files %+d, threads %+d, buffers %d%n",
                    RUNS,
                    (after.heap() - before.heap()) / 1e6,
                    (after.resident() - before.resident()) / 1e6,
                    after.files() - before.files(),
                    after.threads() - before.threads(),
                    after.buffers());
            assertThat(after.heap() - before.heap()).as("heap").isLessThan(HEAP);
            assertThat(after.resident() - before.resident())
                    .as("resident memory")
                    .isLessThan(RESIDENT);
            assertThat(after.files()).as("open files").isLessThanOrEqualTo(before.files());
            assertThat(after.threads()).as("threads").isLessThanOrEqualTo(before.threads());
            assertThat(after.buffers()).as(backend.ledger().describeOpen()).isEqualTo(before.buffers());
        }
    }
}

package dev.greenfield.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.testing.LeakCheck;
import dev.greenfield.testing.Vectors;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several threads may use one backend, each on its own buffers, and get the bits that they would get alone. */
@Tag("slow")
class SharedBackendTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 3;

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    @Timeout(60)
    void threadsDoNotDisturbEachOther(Backends kind) throws Exception {
        Backend backend = leaks.closing(kind.open());
        // Small cases that do not occupy the team of threads, and large ones that do.
        List<OperationCase> cases = OperationCases.all().stream()
                .filter(c -> c.tangent() != null || c.name().contains("400 x 48"))
                .filter(c -> !c.name().contains("70 columns"))
                .toList();
        List<double[]> alone = results(cases, backend, 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<List<List<double[]>>>> all = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int shift = i * cases.size() / THREADS;
                all.add(threads.submit(() -> {
                    List<List<double[]>> rounds = new ArrayList<>();
                    for (int round = 0; round < ROUNDS; round++) {
                        rounds.add(results(cases, backend, shift));
                    }
                    return rounds;
                }));
            }
            for (Future<List<List<double[]>>> future : all) {
                for (List<double[]> together : future.get()) {
                    for (int c = 0; c < cases.size(); c++) {
                        assertThat(together.get(c)).as(cases.get(c).name()).isEqualTo(alone.get(c));
                    }
                }
            }
        } finally {
            threads.shutdown();
            assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** The results of all cases in their order, computed from case {@code shift} on so that threads do different work. */
    private static List<double[]> results(List<OperationCase> cases, Backend backend, int shift) {
        double[][] results = new double[cases.size()][];
        for (int i = 0; i < results.length; i++) {
            int c = (i + shift) % results.length;
            OperationCase test = cases.get(c);
            double[] value = test.run(test.value(), backend, true, test.point());
            results[c] = test.tangent() == null
                    ? value
                    : Vectors.concat(value, test.run(test.tangent(), backend, true, test.point()));
        }
        return List.of(results);
    }
}

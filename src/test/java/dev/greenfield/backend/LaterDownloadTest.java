package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.testing.LeakCheck;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A download that does not wait brings what was there when it was asked for, whatever is done to the buffer afterwards. */
@Tag("slow")
class LaterDownloadTest {
    private static final int COUNT = 3_000_000; // more than the cuda backend holds of them at once

    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void whatWasThereArrives(Backends kind) {
        Backend backend = leaks.closing(kind.open());
        double[] first = rounded(1);
        double[] second = rounded(2);
        double[] a = new double[COUNT + 1];
        double[] b = new double[COUNT];
        double[] part = new double[3];
        try (Buffer buffer = backend.allocate("overwritten", COUNT)) {
            backend.upload(first, 0, buffer, 0, COUNT);
            backend.downloadLater(buffer, 0, a, 1, COUNT);
            backend.upload(second, 0, buffer, 0, COUNT);
            backend.downloadLater(buffer, 0, b, 0, COUNT);
            backend.downloadLater(buffer, 7, part, 1, 2);
        }
        backend.await();
        assertThat(Arrays.copyOfRange(a, 1, a.length)).isEqualTo(first);
        assertThat(b).isEqualTo(second);
        assertThat(part).containsExactly(0, second[7], second[8]);
        backend.await(); // there is nothing to wait for
    }

    private static double[] rounded(long seed) {
        return Arrays.stream(normal(seed, COUNT)).map(x -> (float) x).toArray();
    }
}

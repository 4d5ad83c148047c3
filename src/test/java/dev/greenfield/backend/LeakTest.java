package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.testing.LeakCheck;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Buffers are accounted for, and can be relied on to refuse misuse; the leak check can be relied on to see leaks. */
class LeakTest {
    @RegisterExtension
    final LeakCheck leaks = new LeakCheck();

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void anOpenBufferIsReportedUntilItIsClosed(Backends kind) {
        LeakCheck check = new LeakCheck();
        Backend backend = leaks.closing(kind.open());
        check.watched(backend);
        check.verify();
        Buffer first = backend.allocate("forgotten", 10);
        Buffer second = backend.allocate("forgotten", 20);
        Buffer other = backend.allocate("also forgotten", 1);
        long bytes = 31L * backend.precision().bytes();
        assertThatThrownBy(check::verify)
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("3 open buffers of " + bytes + " bytes")
                .hasMessageContaining("also forgotten x1, forgotten x2");
        first.close();
        other.close();
        assertThatThrownBy(check::verify).hasMessageContaining("1 open buffers").hasMessageContaining("forgotten x1");
        second.close();
        check.verify();
        assertThat(backend.ledger().peakBytes()).isEqualTo(bytes);
        backend.ledger().resetPeak();
        assertThat(backend.ledger().peakBytes()).isZero();
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void closingTwiceIsHarmless(Backends kind) {
        Backend backend = leaks.closing(kind.open());
        Buffer buffer = backend.allocate("closed twice", 10);
        try (Buffer stays = backend.allocate("open", 10)) {
            buffer.close();
            buffer.close();
            assertThat(backend.ledger().openCount()).isEqualTo(1);
            assertThat(backend.ledger().bytes())
                    .isEqualTo(stays.length() * backend.precision().bytes());
        }
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void useAfterCloseIsRefused(Backends kind) {
        Backend backend = leaks.closing(kind.open());
        Buffer gone = backend.allocate("gone", 16);
        gone.close();
        Matrix matrix = Matrix.of(gone, 4, 4);
        double[] host = new double[16];
        try (Buffer buffer = backend.allocate("open", 16)) {
            Matrix open = Matrix.of(buffer, 4, 4);
            refused(() -> backend.upload(host, 0, gone, 0, 16));
            refused(() -> backend.upload(new float[16], 0, gone, 0, 16));
            refused(() -> backend.download(gone, 0, host, 0, 16));
            refused(() -> backend.multiply(1, matrix, false, open, false, 0, open));
            refused(() -> backend.multiply(1, open, false, matrix, false, 0, open));
            refused(() -> backend.multiply(1, open, false, open, false, 0, matrix));
            refused(() -> backend.addBias(matrix, buffer));
            refused(() -> backend.layerNorm(matrix, 1e-5, open, null));
            refused(() -> backend.squaredNorms(matrix, host, 0));
        }
    }

    private static void refused(Runnable use) {
        assertThatThrownBy(use::run)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("buffer 'gone' was used after it was closed");
    }

    @ParameterizedTest
    @MethodSource("dev.greenfield.backend.Backends#here")
    void buffersHoldWhatIsWrittenWhereItIsWritten(Backends kind) {
        Backend backend = leaks.closing(kind.open());
        double[] values = normal(1, 70_003); // more than the CPU backend copies at once
        double[] back = new double[values.length + 2];
        try (Buffer buffer = backend.allocate("data", values.length + 5)) {
            backend.upload(new double[values.length + 5], 0, buffer, 0, values.length + 5);
            backend.upload(values, 1, buffer, 3, values.length - 1);
            backend.upload(new float[] {5, 6, 7}, 1, buffer, 1, 2);
            backend.download(buffer, 0, back, 1, back.length - 1);
            assertThat(back).startsWith(0, 0, 6, 7, values[1], values[2]);
            // back[i + 1] is element i, which is values[i - 2] from element 3 on.
            assertThat(back[back.length - 1]).isEqualTo(values[back.length - 4]);
        }
    }
}

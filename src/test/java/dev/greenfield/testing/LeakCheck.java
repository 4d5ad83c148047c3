package dev.greenfield.testing;

import dev.greenfield.backend.Backend;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test that leaves buffers open. Register one a test class and let every backend go through it:
 *
 * <pre>{@code
 * @RegisterExtension
 * final LeakCheck leaks = new LeakCheck();
 * }</pre>
 *
 * <p>Run with {@code -Dgreenfield.leaks=trace} to see where a leaked buffer was made.
 */
public final class LeakCheck implements AfterEachCallback {
    private final List<Backend> open = new ArrayList<>();
    private final List<Backend> watched = new ArrayList<>();

    /** A backend that is checked, then closed, when the test ends. */
    public <B extends Backend> B closing(B backend) {
        open.add(backend);
        return watched(backend);
    }

    /** A backend that is checked when the test ends and that something else closes, such as a model. */
    public <B extends Backend> B watched(B backend) {
        watched.add(backend);
        return backend;
    }

    /** Checks now what {@link #afterEach} checks: that no watched backend has open buffers. */
    public void verify() {
        for (Backend backend : watched) {
            if (backend.ledger().openCount() > 0 || backend.ledger().bytes() != 0) {
                throw new AssertionError("the " + backend.name() + " backend was left with "
                        + backend.ledger().openCount() + " open buffers of "
                        + backend.ledger().bytes() + " bytes: "
                        + backend.ledger().describeOpen());
            }
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        try {
            verify();
        } finally {
            open.forEach(Backend::close);
        }
    }
}

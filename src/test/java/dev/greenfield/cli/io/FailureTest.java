package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.failure.NativeLibraryException;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What failures that a test cannot bring about mean to the caller. */
class FailureTest {
    @Test
    void aNativeLibraryThatCannotBeLoadedIsNotBadInput() {
        Failure failure = Failure.of(new NativeLibraryException("no such library", null), "field", Set.of());
        assertThat(failure.exit()).isEqualTo(3);
        assertThat(failure.message()).isEqualTo("no such library");
    }
}

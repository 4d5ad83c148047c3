package dev.greenfield.cli.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When results say that they were made. */
class ResultFileTest {
    private static final Instant NOW = Instant.parse("2026-05-06T07:08:09.987654321Z");

    @Test
    void isThePresentInSecondsOrTheEpochThatStandsForIt() {
        assertThat(ResultFile.created(null, NOW)).isEqualTo("2026-05-06T07:08:09Z");
        assertThat(ResultFile.created("", NOW)).isEqualTo("2026-05-06T07:08:09Z");
        assertThat(ResultFile.created("86400", NOW)).isEqualTo("1970-01-02T00:00:00Z");
    }

    @ParameterizedTest
    @ValueSource(strings = {"yesterday", "1.5", "9223372036854775807"})
    void anEpochThatIsNoneIsRefused(String epoch) {
        assertThatThrownBy(() -> ResultFile.created(epoch, NOW))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("SOURCE_DATE_EPOCH")
                .hasMessageContaining(epoch);
    }
}

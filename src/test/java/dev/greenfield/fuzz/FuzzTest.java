package dev.greenfield.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that follow from a seed; the long run is benchmarks/campaign.sh's. */
@Tag("slow")
class FuzzTest {
    @ParameterizedTest
    @CsvSource({
        "SAFETENSORS, 10000",
        "CONFIG, 1000",
        "INDEX, 1000",
        "TOKENIZER, 100",
        "SUITE, 1000",
        "CHECKPOINT, 1000",
        "STUDY, 2000",
        "MERGE, 100"
    })
    void isReadOrRefused(FuzzTarget.Kind kind, int count) throws IOException {
        FuzzTarget.Figures figures = FuzzTarget.run(kind, count, 20_261);
        // The figures are of this seed; what matters is that neither outcome is rare.
        assertThat(figures.read()).isGreaterThan(count / 20);
        assertThat(figures.refused()).isGreaterThan(count / 20);
    }
}

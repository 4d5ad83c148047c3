package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.lattice.Observable;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.Interventions;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PredictionTable;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.statistics.Bootstrap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The program of the guide's chapter on prediction. */
class PredictionExampleTest {
    @Test
    void predictsPatchedHeads() throws IOException {
        try (Model model = Greenfield.demo()) {
            Run run = model.run("<|endoftext|> The capital of Korea is");
            Run donor = model.run("<|endoftext|> The capital of Norway is");
            Observable f = Observable.logitDifference("Seoul", "Oslo");
            Interventions heads = Interventions.patches(run.components(), donor.components(), Component.HEAD);
            double[] measured = run.effects(heads.sources(), f);
            double predicted = run.sensitivity(f).predict(heads.sources().get(10));
            double path =
                    run.pathSensitivity(donor, f, 8).predict(heads.sources().get(10));
            PredictionTable table = new PredictionTable();
            table.add(run.predictions(donor, f, PredictionPlan.defaults()));
            List<PredictionTable.Row> rows = table.rows(new Bootstrap(1000, 0));

            assertThat(measured).hasSize(4 * 4 * 6);
            assertThat(predicted).isNotZero().isNotEqualTo(path);
            assertThat(rows).hasSize(InterventionKind.DEFAULTS.size() * 4 * 2 + 4 * 4);
            SensitivityField s = run.sensitivity(f);
            double error = 0;
            double all = 0;
            for (int i = 0; i < measured.length; i++) {
                error += Math.pow(s.predict(heads.sources().get(i)) - measured[i], 2);
                all += measured[i] * measured[i];
            }
            PredictionTable.Row row = rows.stream()
                    .filter(r -> r.kind().equals(InterventionKind.parse("noise"))
                            && r.component() == Component.HEAD
                            && r.method() == PredictionMethod.FIRST)
                    .findFirst()
                    .orElseThrow();
            assertThat(row.summary().relativeError().value()).isCloseTo(Math.sqrt(error / all), within(1e-4));
        }
    }

    @Test
    void theGuideShowsThisProgram() throws IOException {
        String guide = Files.readString(Path.of("docs/guide.md"));
        String own = Files.readString(Path.of("src/test/java/dev/greenfield/PredictionExampleTest.java"))
                .replaceAll("\\s+", "");
        int from = guide.indexOf("Interventions heads");
        for (String line : guide.substring(from, guide.indexOf("```", from)).split("\n")) {
            assertThat(own).contains(line.replaceFirst("//.*", "").replaceAll("\\s+", ""));
        }
    }
}

package dev.greenfield.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Observable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts of a study that were measured one by one, by studies of their own, are summed up as those of one. */
@Tag("slow")
class MeasuredElsewhereTest {
    private static final Observable F = Observable.logitDifference(5, 6);
    private static final List<PromptPair> PAIRS = List.of(
            new PromptPair(1, new int[] {1, 2, 3, 4}, new int[] {1, 2, 9, 4}, F, "one", 2),
            new PromptPair(2, new int[] {4, 3, 2, 1}, new int[] {4, 9, 2, 1}, F, "two", 1));

    private static Model open() throws IOException {
        return Greenfield.load(
                "random:2,2,8,20,8", Options.defaults().backend("cpu").threads(1));
    }

    private static String measured(int number) throws IOException {
        try (Model model = open();
                Study study = new Study(model, null, PAIRS, null, 3)) {
            return study.measure(number);
        }
    }

    @Test
    void linesSumUpToTheSameOutcome(@TempDir Path folder) throws IOException {
        Map<Integer, String> lines = Map.of(2, measured(2), 1, measured(1));
        Study.Outcome whole;
        try (Model model = open()) {
            whole = new Study(model, null, PAIRS, null, 3).run(folder, Map.of());
        }
        assertThat(folder.resolve("prompts").resolve("0001.json")).hasContent(lines.get(1));
        assertThat(folder.resolve("prompts").resolve("0002.json")).hasContent(lines.get(2));
        Study.Outcome sum = Study.outcome(PAIRS, lines, 3);
        assertThat(sum.findings()).isNotEmpty().isEqualTo(whole.findings());
        assertThat(sum.predictions()).hasToString(whole.predictions().toString());
        assertThat(sum.remarks()).isEqualTo(whole.remarks());
    }

    @Test
    void aLineThatIsNotItsPromptsIsRefused() throws IOException {
        String one = measured(1);
        for (Map<Integer, String> wrong : List.of(
                Map.of(1, one),
                Map.of(1, one, 2, one),
                Map.of(1, one, 2, "{"),
                Map.of(1, one, 2, one.replace("\"prompt\":1", "\"prompt\":2")))) {
            assertThatThrownBy(() -> Study.outcome(PAIRS, wrong, 3))
                    .isInstanceOf(InputException.class)
                    .hasMessage("prompt 2: what was measured of it is missing or has been changed, expected the line"
                            + " that a study measured of it; measure it again");
        }
    }

    @Test
    void aNumberOfNoPairIsRefused() throws IOException {
        assertThatThrownBy(() -> measured(3))
                .isInstanceOf(InputException.class)
                .hasMessage("prompt 3: found no such pair among the 2 of this study, expected the number of one");
    }
}

package dev.greenfield.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a study kept comes back as it was, or is measured again. */
class StudyFilesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{\"prompt\":1,\"parts\":{}}",
                "{\"prompt\":1,\"parts\":{},\"sha256\":\"\"}",
                "{\"prompt\":1,\"parts\":{},\"sha256\":null}"
            })
    void aFileWithoutItsSumIsDamaged(String text) throws IOException {
        StudyFiles.write(folder);
        assertThat(StudyFiles.read(folder))
                .hasValue("predictionrank[1.0]predictionrow[0.5, NaN, -2.0E-300]predictionpoints[1.0, 2.0, 3.0]");
        Files.writeString(folder.resolve("prompts").resolve("0001.json"), text);
        assertThat(StudyFiles.read(folder)).isEmpty();
    }

    @Test
    void theDifferenceIsNamedOnOneLine() throws IOException {
        StudyFiles.write(folder);
        Path manifest = folder.resolve("study.json");
        Files.writeString(
                manifest, Files.readString(manifest).replace("\"a\"", "\"\\u001b[31m" + "x".repeat(1000) + "\""));
        assertThatThrownBy(() -> StudyFiles.read(folder))
                .isInstanceOf(InputException.class)
                .hasMessageMatching(
                        "study .* was made with model \\\\u001b\\[31mx{195}\\.\\.\\., this run has model a: .*");
    }
}

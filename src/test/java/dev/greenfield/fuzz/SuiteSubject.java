package dev.greenfield.fuzz;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.cli.job.SuiteReading;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** A suite, read with its prompts and pairs. */
final class SuiteSubject implements Subject {
    private static final String SEED = """
            [{"task": "capital", "clean": "The capital of Korea is", "corrupt": "The capital of Norway is",
              "answer": "Seoul", "foil": "Oslo", "differs_at_token": 3},
             {"tokens": [1, 2, 3], "corrupt_tokens": [1, 4, 3], "answer": "#5", "foil": "#6"},
             {"prompt": "The capital of Korea is", "corrupt": "The capital of Norway is", "answer": "Seoul"}]
            """;

    private final Path folder = Folders.create();
    private final Path file = folder.resolve("suite.json");
    private final Model model = Greenfield.demo();

    SuiteSubject() throws IOException {}

    @Override
    public void read(Choices choices) throws IOException {
        Files.write(file, JsonMutants.mutant(SEED.getBytes(StandardCharsets.UTF_8), choices));
        if (SuiteReading.pairs(file, model) == 0) {
            throw new AssertionError("a suite of no prompts");
        }
    }

    @Override
    public void close() throws IOException {
        model.close();
        Folders.delete(folder);
    }
}

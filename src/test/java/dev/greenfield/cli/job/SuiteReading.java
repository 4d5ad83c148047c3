package dev.greenfield.cli.job;

import dev.greenfield.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Suites, for tests of other packages. */
public final class SuiteReading {
    private SuiteReading() {}

    /** Reads a suite, its prompts and its pairs as commands do; how many there are. */
    public static int pairs(Path file, Model model) throws IOException {
        Suite suite = Suite.read(file.toString());
        List<SuitePrompt> prompts = suite.prompts(model);
        for (int i = 0; i < prompts.size(); i++) {
            SuitePair.of(prompts.get(i), suite.entries().get(i).other(), model, true);
        }
        return prompts.size();
    }
}

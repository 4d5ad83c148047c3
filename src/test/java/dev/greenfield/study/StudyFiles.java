package dev.greenfield.study;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** A study's directory of one prompt, for tests of other packages. */
public final class StudyFiles {
    private static final Map<String, String> FACTS = Map.of("model", "a", "seed", "1");

    private StudyFiles() {}

    /** Begins a study and keeps what was measured. */
    public static void write(Path directory) throws IOException {
        try (StudyDirectory study = StudyDirectory.open(directory, FACTS)) {
            Measures measures = new Measures();
            measures.put("rank", 1);
            measures.put("row", 0.5, Double.NaN, -2e-300);
            measures.putPoints("points", new double[] {1, 2, 3});
            study.write(1, "", Map.of("prediction", measures));
        }
    }

    /** What was kept of the prompt, as text; empty where it is to be measured again. */
    public static Optional<String> read(Path directory) throws IOException {
        try (StudyDirectory study = StudyDirectory.open(directory, FACTS)) {
            Optional<Map<String, Measures>> parts = study.read(1, "");
            if (parts.isEmpty() == study.damaged().isEmpty()) {
                throw new AssertionError("nothing was read, and nothing said to be damaged");
            }
            return parts.map(all -> {
                StringBuilder text = new StringBuilder();
                all.forEach((part, measures) -> measures.values()
                        .forEach((name, row) -> text.append(part).append(name).append(java.util.Arrays.toString(row))));
                return text.toString();
            });
        }
    }
}

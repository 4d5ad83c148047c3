package dev.greenfield.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * A model and the work that is measured on it, from {@code benchmarks/cases.json}, and the inputs that follow from formulas. The
 * peers ({@code benchmarks/peers/common.py}) read the same file and have the same formulas.
 *
 * @param model short name, also of its directory among the exported models
 * @param spec as {@code --model} takes it
 * @param work what is measured
 */
record GpuCase(String model, String spec, List<Work> work) {
    /** The observable of every case: logit(ANSWER) - logit(FOIL) at the last token. */
    static final int ANSWER = 1;

    static final int FOIL = 2;

    /**
     * One piece of work.
     *
     * @param kind {@code tangent}, {@code adjoint}, {@code sensitivity}, {@code patch} or {@code map}
     * @param tokens T
     * @param columns how many tangents or cotangents; probes of a map, 0 for an exact one; 0 for the other kinds
     */
    record Work(String kind, int tokens, int columns) {}

    static List<GpuCase> read(Path file, String set) throws IOException {
        JsonNode models = new ObjectMapper().readTree(file.toFile()).path(set);
        if (!models.isArray() || models.isEmpty()) {
            throw new IllegalArgumentException(file + ": found no set '" + set + "', expected full, quick or tiny");
        }
        List<GpuCase> cases = new ArrayList<>();
        for (JsonNode model : models) {
            List<Work> work = new ArrayList<>();
            for (JsonNode w : model.path("work")) {
                work.add(new Work(
                        w.path("kind").asText(),
                        w.path("tokens").asInt(),
                        w.path("columns").asInt(0)));
            }
            cases.add(
                    new GpuCase(model.path("model").asText(), model.path("spec").asText(), work));
        }
        return cases;
    }

    /** Token ids [T] of prompt 0 or 1, which differ at every token. */
    static int[] prompt(int which, int tokens, int vocabulary) {
        int[] ids = new int[tokens];
        for (int i = 0; i < tokens; i++) {
            ids[i] = (17 + 7919 * i + 104729 * which) % vocabulary;
        }
        return ids;
    }

    /** Directions [N][D]: sines of incommensurate frequencies. */
    static double[][] directions(int columns, int width) {
        double[][] directions = new double[columns][width];
        for (int n = 0; n < columns; n++) {
            for (int i = 0; i < width; i++) {
                directions[n][i] = Math.sin(0.7548776662466927 * ((n + 1.0) * (i + 1.0)));
            }
        }
        return directions;
    }

    /** The columns whose results are compared with the peers': the first two and the last two. */
    static int[] shown(int columns) {
        TreeSet<Integer> shown = new TreeSet<>(List.of(0, 1, columns - 2, columns - 1));
        return shown.stream()
                .filter(c -> c >= 0 && c < columns)
                .mapToInt(c -> c)
                .toArray();
    }
}

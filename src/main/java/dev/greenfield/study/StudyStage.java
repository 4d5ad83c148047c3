package dev.greenfield.study;

import dev.greenfield.Model;
import dev.greenfield.failure.Task;
import dev.greenfield.failure.Team;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** One stage of a study: what is measured of prompts, by one device after another or shared by several, and kept in files. */
final class StudyStage {
    private final int devices;
    private final StudyDirectory files;
    private final String suffix;

    /**
     * @param devices how many share the prompts
     * @param suffix of this stage's files
     */
    StudyStage(int devices, StudyDirectory files, String suffix) {
        this.devices = devices;
        this.files = files;
        this.suffix = suffix;
    }

    /** What is measured of one prompt. */
    interface Measuring {
        /** Measures on a device, by its place among {@link Model#onDevices}. */
        Map<String, Measures> of(int place, PromptPair pair);
    }

    /**
     * Measures prompts that are not done yet.
     *
     * @param name of the stage, for progress
     * @return by the prompt's number what its file says, by part
     */
    Map<Integer, Map<String, Measures>> of(String name, List<PromptPair> prompts, Measuring measuring)
            throws IOException {
        Map<Integer, Map<String, Measures>> all = new TreeMap<>();
        return Task.call(name, "prompts", prompts.size(), task -> {
            List<PromptPair> missing = new ArrayList<>();
            for (PromptPair pair : prompts) {
                Map<String, Measures> found = files.read(pair.number(), suffix).orElse(null);
                if (found == null) {
                    missing.add(pair);
                } else {
                    all.put(pair.number(), found);
                    task.kept(1, all.size());
                }
            }
            measure(missing, measuring, task, (pair, found) -> {
                files.write(pair.number(), suffix, found);
                all.put(pair.number(), files.read(pair.number(), suffix).orElseThrow());
            });
            return all;
        });
    }

    /** Keeps what was measured. */
    private interface Keeping {
        void keep(PromptPair pair, Map<String, Measures> found) throws IOException;
    }

    /** Measures pairs one after another, or shared by the devices of the model; what is found is kept in their order. */
    private void measure(List<PromptPair> missing, Measuring measuring, Task task, Keeping keeping) throws IOException {
        if (devices == 1) {
            for (PromptPair pair : missing) {
                keeping.keep(pair, task.call(1, () -> measuring.of(0, pair)));
            }
            return;
        }
        List<Team.Worker<PromptPair, Map<String, Measures>>> workers = IntStream.range(0, devices)
                .<Team.Worker<PromptPair, Map<String, Measures>>>mapToObj(place -> pair -> measuring.of(place, pair))
                .toList();
        try (Team<PromptPair, Map<String, Measures>> team = new Team<>("greenfield-device", workers, missing)) {
            for (PromptPair pair : missing) {
                keeping.keep(pair, task.call(1, team::next));
            }
        }
    }
}

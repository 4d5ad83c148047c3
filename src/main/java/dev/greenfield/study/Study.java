package dev.greenfield.study;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Field;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import dev.greenfield.text.Lines;
import dev.greenfield.transfer.ResidualMaps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.apache.commons.rng.sampling.ListSampler;

/**
 * All claims over a suite of prompt pairs. What is measured on a prompt is kept in a directory as soon as it is done; the same study in the
 * same directory goes on from there and finds the same. Findings are always made of what the directory says.
 */
public final class Study implements AutoCloseable {
    /** Suffix of the second stage's files. */
    private static final String CARRIED = "-directions";

    private final Model model;
    private final Model other;
    private final List<PromptPair> pairs;
    private final Split split;
    private final long seed;
    private final List<String> remarks = new ArrayList<>();
    private final List<StudyPart> parts = new ArrayList<>();
    private final Map<String, Set<Integer>> chosen = new LinkedHashMap<>(); // see chosen()
    private Model untrained;

    /**
     * On which prompts maps between two models are fitted, and on which they are judged.
     *
     * @param fitted token ids of single prompts, none of which is in a judged pair
     * @param judged numbers of pairs
     */
    public record Split(List<int[]> fitted, List<Integer> judged) {
        /** Copies. */
        public Split {
            fitted = List.copyOf(fitted);
            judged = List.copyOf(judged);
        }
    }

    /**
     * What a study found.
     *
     * @param findings all numbers
     * @param measures by part, then by the prompt's number
     * @param remarks what was left out, and why
     * @param predictions qualities of all kinds, components and methods of intervention
     */
    public record Outcome(
            List<Finding> findings,
            Map<String, Map<Integer, Measures>> measures,
            List<String> remarks,
            List<PredictionRow> predictions) {
        /** Copies the lists. */
        public Outcome {
            findings = List.copyOf(findings);
            remarks = List.copyOf(remarks);
            predictions = List.copyOf(predictions);
        }
    }

    /**
     * A study of prompts on a model.
     *
     * @param other a second model to compare with, or null
     * @param split of the pairs, for what is fitted between both models; null where there are too few, or no second model
     * @param seed of everything random
     */
    public Study(Model model, Model other, List<PromptPair> pairs, Split split, long seed) {
        this.model = model;
        this.other = other;
        this.pairs = List.copyOf(pairs);
        this.split = split;
        this.seed = seed;
        parts.addAll(ofOneModel());
        if (other != null) {
            parts.add(new ScalePart());
        }
    }

    private static List<StudyPart> ofOneModel() {
        return List.of(
                new RegimePart(),
                new PredictionPart(),
                new PropagationPart(),
                new ReductionPart(),
                new TransferPart(),
                new InferencePart(),
                new PlantedPart(),
                new MechanismPart());
    }

    /**
     * What is measured of one prompt, as a line of JSON with its own checksum: what {@link #run} keeps of it in a file. {@link
     * #outcome} sums up such lines, wherever they were measured. Opens the untrained control, which {@link #close} closes.
     *
     * @param number of a pair of this study
     * @throws InputException if no pair has this number
     */
    public String measure(int number) {
        PromptPair pair = pairs.stream()
                .filter(one -> one.number() == number)
                .findFirst()
                .orElseThrow(() -> new InputException("prompt " + number + ": found no such pair among the "
                        + pairs.size() + " of this study, expected the number of one"));
        if (untrained == null && remarks.isEmpty()) {
            openControl();
        }
        try {
            return new String(MeasuredPrompt.bytes(number, measure(0, pair, chosen())), StandardCharsets.UTF_8);
        } catch (IOException impossible) { // it goes to memory
            throw new UncheckedIOException(impossible);
        }
    }

    /**
     * Sums up what was {@linkplain #measure measured} of prompts by studies of one model with one seed: the outcome of {@link #run} on
     * one machine, without its remark on the control where there is none.
     *
     * @param pairs all pairs, as they were given to the studies
     * @param measured a line for each, by the pair's number
     * @param seed of the studies
     * @throws InputException if a line is missing, or is not one that was measured of its prompt
     */
    public static Outcome outcome(List<PromptPair> pairs, Map<Integer, String> measured, long seed) {
        Study study = new Study(null, null, pairs, null, seed);
        Map<String, Map<Integer, Measures>> tables = study.tables();
        for (PromptPair pair : pairs) {
            read(pair.number(), measured.get(pair.number()), tables.keySet())
                    .forEach((name, measures) -> tables.get(name).put(pair.number(), measures));
        }
        return study.sumUp(study.parts, tables);
    }

    private static Map<String, Measures> read(int number, String line, Set<String> names) {
        try {
            if (line != null) {
                Optional<Map<String, Measures>> found =
                        MeasuredPrompt.read(number, line.getBytes(StandardCharsets.UTF_8), "prompt " + number);
                if (found.isPresent() && names.containsAll(found.get().keySet())) {
                    return found.get();
                }
            }
        } catch (IOException | InputException | NumberFormatException wrong) {
            throw new InputException(damaged(number), wrong);
        }
        throw new InputException(damaged(number));
    }

    private static String damaged(int number) {
        return "prompt " + number + ": what was measured of it is missing or has been changed, expected the line that"
                + " a study measured of it; measure it again";
    }

    private Map<String, Map<Integer, Measures>> tables() {
        Map<String, Map<Integer, Measures>> tables = new LinkedHashMap<>();
        parts.forEach(part -> tables.put(part.name(), new TreeMap<>()));
        return tables;
    }

    /**
     * Does what is not done yet, and sums up. Progress is counted in prompts: those of the first stage, {@code prompts}, and where two
     * models are compared those of the second, {@code directions}.
     *
     * @param directory an existing one
     * @param facts what tells this study from another one in the same directory, besides the models' and the suite's digests
     * @throws InputException if the directory holds another study, or another process works in it
     * @throws CancelledException if it was cancelled or interrupted; what is done is kept, and the next call goes on from there
     */
    public Outcome run(Path directory, Map<String, String> facts) throws IOException {
        try (StudyDirectory files = StudyDirectory.open(directory, facts)) {
            openControl();
            Map<String, Map<Integer, Measures>> tables = tables();
            Map<String, Set<Integer>> drawn = chosen(); // before devices share the prompts
            new StudyStage(model.onDevices().size(), files, "")
                    .of("prompts", pairs, (place, pair) -> measure(place, pair, drawn))
                    .forEach((number, found) ->
                            found.forEach((name, measures) -> tables.get(name).put(number, measures)));
            List<StudyPart> all = new ArrayList<>(parts);
            if (other != null && split != null && split.fitted().size() > 1) {
                tables.put("directions", carried(files));
                all.add(new DirectionPart(null, null));
            } else if (other != null) {
                remarks.add("Directions carried between the models: left out, the suite has too few pairs to fit maps"
                        + " on one half and judge them on the other.");
            }
            if (!files.damaged().isEmpty()) {
                remarks.add(files.damaged().size() + " damaged "
                        + (files.damaged().size() == 1 ? "file of this study was" : "files of this study were")
                        + " measured again: "
                        + files.damaged().stream()
                                .limit(8)
                                .map(file -> Lines.one(file.getFileName().toString()))
                                .collect(Collectors.joining(", "))
                        + (files.damaged().size() > 8 ? ", ..." : "") + ".");
            }
            return sumUp(all, tables);
        } catch (ClosedByInterruptException interrupted) { // a file whose thread is interrupted closes itself
            throw new CancelledException(
                    "the thread was interrupted: the call was given up, study " + directory
                            + " has what was done before",
                    interrupted);
        } finally {
            close();
        }
    }

    /** Closes the untrained control. */
    @Override
    public void close() {
        if (untrained != null) {
            untrained.close();
            untrained = null;
        }
    }

    private void openControl() {
        try {
            untrained = model.untrained(seed);
        } catch (InputException none) {
            remarks.add("Untrained control: left out, " + none.getMessage());
        }
    }

    /** The prompts of each part; drawn once, since prompts may be measured one by one. */
    private Map<String, Set<Integer>> chosen() {
        if (chosen.isEmpty()) {
            parts.forEach(part -> chosen.put(part.name(), chosen(part)));
        }
        return chosen;
    }

    /** A random share of the prompts for parts that are dear, the same whatever is done first. */
    private Set<Integer> chosen(StudyPart part) {
        List<Integer> numbers =
                new ArrayList<>(pairs.stream().map(PromptPair::number).toList());
        if (part.every() > 1) {
            ListSampler.shuffle(RandomStreams.of(seed, Purpose.SAMPLE), numbers);
        }
        return new HashSet<>(numbers.subList(0, (numbers.size() + part.every() - 1) / part.every()));
    }

    /** A model on one of the devices. */
    private static Model at(int place, Model model) {
        return model == null ? null : model.onDevices().get(place);
    }

    private Map<String, Measures> measure(int place, PromptPair pair, Map<String, Set<Integer>> chosen) {
        List<StudyPart> here = parts.stream()
                .filter(part -> chosen.get(part.name()).contains(pair.number()))
                .toList();
        return Task.call("prompt", "parts", here.size(), task -> {
            Map<String, Measures> found = new LinkedHashMap<>();
            // Every prompt has random directions of its own.
            try (PromptRuns runs = new PromptRuns(
                    at(place, model),
                    at(place, other),
                    at(place, untrained),
                    pair,
                    RandomStreams.prompt(seed, pair.number()))) {
                for (StudyPart part : here) {
                    found.put(part.name(), task.call(1, () -> measure(part, runs)));
                }
            }
            return found;
        });
    }

    private static Measures measure(StudyPart part, PromptRuns runs) {
        Measures measures = new Measures();
        try {
            part.measure(runs, measures);
            return measures;
        } catch (InputException impossible) {
            Measures none = new Measures();
            none.note(impossible.getMessage());
            return none;
        }
    }

    /** The second stage: maps between both models, fitted on one half of the pairs, carry displacements of the other half. */
    private Map<Integer, Measures> carried(StudyDirectory files) throws IOException {
        List<PromptPair> judged = pairs.stream()
                .filter(pair -> split.judged().contains(pair.number()))
                .toList();
        AtomicReference<DirectionPart> fitted = new AtomicReference<>(); // when a prompt is missing
        Map<Integer, Measures> table = new TreeMap<>();
        new StudyStage(model.onDevices().size(), files, CARRIED)
                .of("directions", judged, (place, pair) -> {
                    DirectionPart part = fitted(fitted);
                    try (PromptRuns runs = new PromptRuns(
                            at(place, model),
                            at(place, other),
                            null,
                            pair,
                            RandomStreams.prompt(seed, pair.number()))) {
                        return Map.of(part.name(), measure(part, runs));
                    }
                })
                .forEach((number, found) -> table.put(number, found.get("directions")));
        return table;
    }

    /** Fitted once, whichever device asks first. */
    private DirectionPart fitted(AtomicReference<DirectionPart> once) {
        synchronized (once) {
            if (once.get() == null) {
                once.set(fitted());
            }
            return once.get();
        }
    }

    private DirectionPart fitted() {
        List<Field> a = new ArrayList<>();
        List<Field> b = new ArrayList<>();
        for (int[] tokens : split.fitted()) {
            try (Run own = model.run(tokens);
                    Run beside = other.run(tokens)) {
                a.add(own.field());
                b.add(beside.field());
            }
        }
        return new DirectionPart(
                ResidualMaps.fit(a, b, DirectionPart.RIDGE), ResidualMaps.shuffled(a, b, DirectionPart.RIDGE, seed));
    }

    private Outcome sumUp(List<StudyPart> all, Map<String, Map<Integer, Measures>> tables) {
        List<Finding> found = new ArrayList<>();
        List<PredictionRow> predictions = new ArrayList<>();
        Task.run("findings", "parts", all.size(), task -> {
            for (StudyPart part : all) {
                task.run(1, () -> sumUp(part, tables.get(part.name()), found, predictions));
            }
        });
        // What has no value at all says nothing: without the control, say.
        found.removeIf(finding -> Double.isNaN(finding.estimate().value()));
        return new Outcome(found, tables, remarks, predictions);
    }

    private void sumUp(
            StudyPart part, Map<Integer, Measures> table, List<Finding> found, List<PredictionRow> predictions) {
        Findings findings = new Findings(part.claim(), pairs, table, seed);
        if (!findings.measures().isEmpty()) {
            part.findings(findings);
        }
        predictions.addAll(part.predictions(findings));
        found.addAll(findings.found());
        List<String> notes = table.values().stream()
                .map(Measures::note)
                .filter(note -> !note.isEmpty())
                .toList();
        if (!notes.isEmpty()) {
            remarks.add("Part " + part.name() + ": left out on " + notes.size() + " of " + table.size()
                    + " prompts, first because " + notes.get(0));
        }
    }
}

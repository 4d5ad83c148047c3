package dev.greenfield.cli.map;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.cli.io.ProgressLine;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.CheckpointPath;
import dev.greenfield.cli.job.CommonOptions;
import dev.greenfield.cli.job.SiteRanges;
import dev.greenfield.cli.job.SuiteJob;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.cli.job.TokenSkip;
import dev.greenfield.failure.InputException;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.statistics.RandomStreams;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code map --suite}: a response map a prompt, on one loaded model, and their statistics by length. */
final class MapSuite {
    private final CommonOptions common;
    private final String suite;
    private final String shard; // null for all prompts
    private final String checkpoint; // null for none
    private final Map<String, Object> options;
    private final TokenSkip skip;
    private final Requests requests;

    /** Asks for the map of a run as the command's options say. */
    interface Requests {
        MapRequest of(Model model, Run run, long seed);
    }

    /**
     * @param options what shapes the maps, by name, for {@code result.json}: shards are merged only where all of it agrees. Among
     *     it {@code exact}, {@code half_depths}, and the texts of {@code sites} and {@code targets}, null for all.
     */
    MapSuite(
            CommonOptions common,
            String suite,
            String shard,
            String checkpoint,
            Map<String, Object> options,
            TokenSkip skip,
            Requests requests) {
        this.common = common;
        this.suite = suite;
        this.shard = shard;
        this.checkpoint = checkpoint;
        this.options = options;
        this.skip = skip;
        this.requests = requests;
    }

    void run(Terminal terminal) throws IOException {
        if (suite == null) {
            throw new InputException("--shard without --suite: a shard is a part of a suite, give both");
        }
        if (common.out == null) {
            throw new InputException("--suite without --out: the maps of a suite go to files, give --out DIR");
        }
        Shard part = shard == null ? null : Shard.parse("--shard", shard);
        try (SuiteJob job = SuiteJob.start("map", common, suite, terminal)) {
            List<SuitePrompt> prompts = part == null ? job.prompts() : part.of(job.prompts());
            checkSites(job);
            boolean halfDepths = (Boolean) options.get("half_depths");
            int levels = (halfDepths ? 2 : 1) * job.model().config().layers() + 1;
            SuiteMaps maps = new SuiteMaps(prompts, halfDepths, levels, !(Boolean) options.get("exact"), job.type());
            maps.requireHeap(Runtime.getRuntime().maxMemory());
            options.forEach(job::option);
            job.option("shard", part == null ? null : part.toString());
            job.opening(prompts);
            plan(job, prompts);
            try (SafetensorsWriter file = job.stream(maps::declare)) {
                compute(job, prompts, maps, file);
            }
            maps.results(options, part == null ? null : part.toString()).forEach(job::result);
            Map<String, String> facts = job.facts();
            if (part != null) {
                facts.put("Shard", part.toString());
            }
            job.report(maps.report(facts));
            job.finish();
        }
    }

    /** Sites that the shortest prompt has, every prompt of the suite has, those of other shards too. */
    private void checkSites(SuiteJob job) {
        SuitePrompt shortest = job.prompts().stream()
                .min(Comparator.comparingInt(SuitePrompt::length))
                .orElseThrow();
        skip.require(shortest.length(), "entry " + shortest.number() + " of the suite, the shortest,");
        for (String name : List.of("sites", "targets")) {
            if (options.get(name) instanceof String text) {
                try {
                    SiteRanges.parse("--" + name, text, job.model().config().layers(), shortest.length(), (Boolean)
                            options.get("half_depths"));
                } catch (InputException wrong) {
                    throw new InputException(
                            wrong.getMessage() + " (entry " + shortest.number() + " of the suite, the shortest)",
                            wrong);
                }
            }
        }
    }

    /** Runs the longest prompt ahead of the others: where memory is too small, that shows now rather than half way. */
    private void plan(SuiteJob job, List<SuitePrompt> prompts) {
        SuitePrompt longest = prompts.stream()
                .max(Comparator.comparingInt(SuitePrompt::length))
                .orElseThrow();
        try (Run run = job.run(longest)) {
            job.terminal()
                    .progress("response maps of " + prompts.size() + " prompts; the longest, number " + longest.number()
                            + ": " + request(job, job.model(), run, longest).plan());
        }
    }

    private void compute(SuiteJob job, List<SuitePrompt> prompts, SuiteMaps maps, SafetensorsWriter file)
            throws IOException {
        job.each(
                prompts,
                (model, prompt) -> map(job, model, prompt),
                (prompt, map) -> maps.write(
                        file,
                        prompt,
                        source -> map.frobenius(map.places().get(source)),
                        source -> map.standardErrors(map.places().get(source))));
        maps.finish(file);
    }

    /** The map of one prompt, on one device: the prompts are what devices share. */
    private ResponseMap map(SuiteJob job, Model model, SuitePrompt prompt) {
        try (Run run = job.timed("run", () -> model.run(prompt.tokens()))) {
            MapRequest request = request(job, model, run, prompt).onOneDevice();
            if (checkpoint != null) {
                request.checkpoint(CheckpointPath.of(checkpoint, common.out)
                        .resolve(String.format(Locale.ROOT, "prompt-%04d", prompt.number())));
            }
            ProgressLine line = new ProgressLine(job.terminal(), "response map of prompt " + prompt.number());
            return job.timed("map", line, request::compute);
        }
    }

    /** Every prompt has random directions of its own, whichever shard it is in. */
    private MapRequest request(SuiteJob job, Model model, Run run, SuitePrompt prompt) {
        return requests.of(model, run, RandomStreams.prompt(job.seed(), prompt.number()));
    }
}

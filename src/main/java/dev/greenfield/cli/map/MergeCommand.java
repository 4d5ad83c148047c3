package dev.greenfield.cli.map;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.ResultFile;
import dev.greenfield.cli.io.TensorCatalog;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.SafetensorsWriter;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Joins the shards of a suite's response maps, without the model. */
@Command(sortOptions = false)
public final class MergeCommand implements Action {
    /** The most shards that a message names. */
    private static final int MOST_NAMED = 8;
    /** What is written is what this command would have written without shards. */
    private static final String COMMAND = "map";

    @Parameters(
            paramLabel = "SHARD_DIR",
            arity = "1..*",
            description = "The directories that map --suite FILE --shard I/N wrote: all N of them, in any order.")
    private List<String> directories;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description = "Write result.json, tensors.safetensors and report.html there, whole or not at all.")
    private String out;

    @Option(
            names = "--force",
            description = "Write into --out even where something else is: another command's results are replaced, other"
                    + " files stay.")
    private boolean force;

    @Mixin
    private final GeneralOptions general = new GeneralOptions();

    @Override
    public GeneralOptions general() {
        return general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        terminal.workOnWithoutReader();
        List<ShardResult> shards = new ArrayList<>();
        try {
            for (String directory : directories) {
                shards.add(ShardResult.open(directory));
                Path target = OutputDirectory.path(out);
                if (Files.exists(target) && Files.isSameFile(target, Path.of(directory))) {
                    throw new InputException("--out " + Quantities.quoted(out)
                            + " is one of the shards, whose files would be replaced; choose another directory");
                }
            }
            shards = complete(shards);
            merge(terminal, shards);
        } finally {
            shards.forEach(ShardResult::close);
        }
    }

    /** The shards in their order, each once; refuses any that do not belong together. */
    private static List<ShardResult> complete(List<ShardResult> shards) throws IOException {
        ShardResult first = shards.get(0);
        String version = first.field("/version").asText();
        if (!version.equals(Greenfield.version())) {
            throw new InputException(first + " was made with Greenfield " + Lines.one(version) + ", this is "
                    + Greenfield.version() + ": merge with the version that made the shards");
        }
        Map<Integer, ShardResult> byIndex = new LinkedHashMap<>();
        for (ShardResult shard : shards) {
            shard.requireLike(first);
            ShardResult same = byIndex.putIfAbsent(shard.shard().index(), shard);
            if (same != null) {
                throw new InputException(
                        shard + " and " + same + " are both number " + shard.shard() + ": give each shard once");
            }
        }
        int count = first.shard().count();
        List<ShardResult> ordered = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (int i = 1; i <= count && missing.size() < MOST_NAMED; i++) {
            if (byIndex.containsKey(i)) {
                ordered.add(byIndex.get(i));
            } else {
                missing.add(i + "/" + count);
            }
        }
        if (!missing.isEmpty()) {
            int more = count - byIndex.size() - missing.size();
            throw new InputException("found " + byIndex.size() + " of " + count + " shards, missing "
                    + String.join(", ", missing) + (more == 0 ? "" : " and " + more + " more")
                    + ": give all of them");
        }
        return ordered;
    }

    private void merge(Terminal terminal, List<ShardResult> shards) throws IOException {
        ShardResult first = shards.get(0);
        int count = first.field("/suite/prompts").asInt();
        List<SuitePrompt> prompts = new ArrayList<>();
        for (int number = 1; number <= count; number++) {
            prompts.add(shards.get((number - 1) % shards.size()).prompt(number));
        }
        SuiteMaps maps = new SuiteMaps(prompts, first.halfDepths(), first.levels(), first.estimated(), first.type());
        maps.requireHeap(Runtime.getRuntime().maxMemory());
        try (OutputDirectory target = OutputDirectory.open(out, COMMAND, force)) {
            SafetensorsWriter.Builder builder = SafetensorsWriter.to(target.file(OutputDirectory.TENSORS))
                    .metadata("command", COMMAND)
                    .metadata("model", first.field("/model/path").asText())
                    .metadata("suite_sha256", first.field("/suite/sha256").asText());
            maps.declare(builder);
            TensorCatalog.metadata(builder.ranks(), first.halfDepths(), false).forEach(builder::metadata);
            try (SafetensorsWriter file = builder.open()) {
                for (SuitePrompt prompt : prompts) {
                    int number = prompt.number();
                    ShardResult shard = shards.get((number - 1) % shards.size());
                    maps.write(
                            file,
                            prompt,
                            source -> shard.norms(number, source),
                            source -> shard.errors(number, source));
                }
                maps.finish(file);
            }
            Files.writeString(
                    target.file(OutputDirectory.REPORT),
                    maps.report(facts(shards)).html());
            ResultFile.write(target.file(OutputDirectory.RESULT), result(shards, maps));
            target.commit();
        }
        terminal.line("merged " + shards.size() + (shards.size() == 1 ? " shard" : " shards") + " of " + count
                + " prompts into " + out);
    }

    /** What an unsharded run would have written, with the seconds of all shards together. */
    private static Map<String, Object> result(List<ShardResult> shards, SuiteMaps maps) {
        ShardResult first = shards.get(0);
        Map<String, Double> timings = new LinkedHashMap<>();
        for (ShardResult shard : shards) {
            shard.field("/timings")
                    .forEachEntry((phase, seconds) -> timings.merge(phase, seconds.asDouble(), Double::sum));
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("command", plain(first.field("/command")));
        fields.put("schema_version", ResultFile.SCHEMA_VERSION);
        fields.put("created", ResultFile.created());
        for (String name : List.of("model", "suite")) {
            fields.put(name, plain(first.field("/" + name)));
        }
        fields.put("options", options(first));
        for (String name : List.of("bos", "backend")) {
            fields.put(name, plain(first.field("/" + name)));
        }
        fields.put("device", all(shards, "/device"));
        fields.put("precision", plain(first.field("/precision")));
        fields.put("weights", all(shards, "/weights"));
        for (String name : List.of("seed", "version")) {
            fields.put(name, plain(first.field("/" + name)));
        }
        fields.put("timings", timings);
        Map<String, Object> results = maps.results(plain(first.field("/results/options")), null);
        results.put("merged_shards", shards.size());
        fields.put("results", results);
        return fields;
    }

    /** Options of the whole are those of any shard, but for which shard that is. */
    private static Map<String, Object> options(ShardResult shard) {
        Map<String, Object> options = new LinkedHashMap<>();
        for (String part : List.of("given", "resolved")) {
            JsonNode node = shard.field("/options/" + part);
            if (!node.isObject()) {
                throw new InputException(
                        shard + ": its options." + part + " is no object of options; make the shard again");
            }
            Map<String, Object> fields = new LinkedHashMap<>();
            node.properties().forEach(option -> fields.put(option.getKey(), plain(option.getValue())));
            options.put(part, fields);
            fields.remove("shard");
            if (part.equals("resolved")) {
                fields.put("shard", null);
            }
        }
        return options;
    }

    /** What shards say of where they were made, each once. */
    private static String all(List<ShardResult> shards, String field) {
        return String.join(
                "; ",
                shards.stream()
                        .map(shard -> shard.field(field).asText())
                        .distinct()
                        .toList());
    }

    private static Map<String, String> facts(List<ShardResult> shards) {
        ShardResult first = shards.get(0);
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Model", first.field("/model/path").asText());
        facts.put(
                "Suite",
                first.field("/suite/path").asText() + " ("
                        + first.field("/suite/prompts").asText() + " prompts)");
        facts.put("Backend", first.field("/backend").asText() + ", " + all(shards, "/device"));
        facts.put("Precision", first.field("/precision").asText());
        facts.put("Seed", first.field("/seed").asText());
        facts.put("Version", first.field("/version").asText());
        facts.put("Merged from", shards.size() + (shards.size() == 1 ? " shard" : " shards"));
        return facts;
    }

    /** JSON as what {@link ResultFile} writes. */
    private static Object plain(JsonNode node) {
        if (node.isObject()) {
            Map<String, Object> map = new LinkedHashMap<>();
            node.forEachEntry((name, value) -> map.put(name, plain(value)));
            return map;
        }
        if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(element -> list.add(plain(element)));
            return list;
        }
        if (node.isIntegralNumber()) {
            return node.asLong();
        }
        if (node.isNumber()) {
            return node.asDouble();
        }
        if (node.isBoolean()) {
            return node.asBoolean();
        }
        return node.isNull() ? null : node.asText();
    }
}

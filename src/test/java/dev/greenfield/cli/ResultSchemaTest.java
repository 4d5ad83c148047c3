package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.greenfield.cli.io.ResultFile;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** The published schema against what every computing command writes, and what tensors say of themselves. */
class ResultSchemaTest {
    private static final Path FILE = Path.of("docs/result.schema.json");
    /** Commands that write no results. */
    private static final Set<String> OTHERS = Set.of("fetch", "export", "doctor");
    /** What is told elsewhere than in {@code options.resolved}, or changes no result. */
    private static final Set<String> ELSEWHERE = Set.of(
            "model",
            "prompt",
            "tokens",
            "corrupt",
            "corrupt_tokens",
            "answer",
            "foil",
            "suite",
            "out",
            "force",
            "quiet",
            "verbose",
            "help",
            "version",
            "checkpoint",
            "devices",
            "memory",
            "threads");

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private static Schema schema;

    /** The schema, read once. */
    static synchronized Schema schema() throws IOException {
        if (schema == null) {
            schema = REGISTRY.getSchema(MAPPER.readTree(FILE.toFile()));
        }
        return schema;
    }

    static Stream<String> cases() throws IOException {
        return CommandResults.all().keySet().stream();
    }

    private static ObjectNode result(String name) throws IOException {
        return (ObjectNode) Cli.result(CommandResults.all().get(name));
    }

    @Test
    void isASchemaWhoseFieldsAreAllDescribed() throws IOException {
        JsonNode text = MAPPER.readTree(FILE.toFile());
        assertThat(REGISTRY.getSchema(SchemaLocation.of("https://json-schema.org/draft/2020-12/schema"))
                        .validate(text))
                .isEmpty();
        assertThat(text.at("/properties/schema_version/const").asInt()).isEqualTo(ResultFile.SCHEMA_VERSION);
        Set<String> silent = new TreeSet<>();
        described(text, text, silent);
        assertThat(silent).isEmpty();
    }

    /** Collects fields that are neither described themselves nor by what they refer to. */
    private static void described(JsonNode root, JsonNode node, Set<String> silent) {
        if (node.path("type").asText().equals("object") && node.has("properties")) {
            node.path("properties").properties().forEach(field -> {
                JsonNode target = field.getValue();
                while (!target.has("description") && target.has("$ref")) {
                    target = root.at(target.path("$ref").asText().substring(1));
                }
                if (target.path("description").asText().isBlank()) {
                    silent.add(field.getKey());
                }
            });
        }
        node.forEach(child -> described(root, child, silent));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void describesWhatACommandWrites(String name) throws IOException {
        assertThat(schema().validate(result(name))).isEmpty();
    }

    /** For a schema 3.0 is an integer; for readers in many languages it is not. */
    @ParameterizedTest
    @MethodSource("cases")
    void countsHaveNoPoint(String name) throws IOException {
        Set<String> integers = new TreeSet<>();
        Set<String> numbers = new TreeSet<>();
        JsonNode root = MAPPER.readTree(FILE.toFile());
        kinds(root, root, integers, numbers);
        integers.removeAll(numbers);
        assertThat(integers).contains("rank", "position", "tokens", "rows", "layers", "seed");
        Set<String> pointed = new TreeSet<>();
        ObjectNode json = result(name);
        json.remove("timings"); // phases have names that counts have too
        pointed(json, "", pointed);
        pointed.retainAll(integers);
        assertThat(pointed).isEmpty();
    }

    /** Names of fields whose values, or elements, are integers, and of those that are other numbers. */
    private static void kinds(JsonNode root, JsonNode node, Set<String> integers, Set<String> numbers) {
        node.path("properties").properties().forEach(field -> {
            JsonNode value = meant(root, field.getValue());
            String type = (value.has("items") ? meant(root, value.path("items")) : value)
                    .path("type")
                    .toString();
            if (type.contains("integer")) {
                integers.add(field.getKey());
            } else if (type.contains("number")) {
                numbers.add(field.getKey());
            }
        });
        node.forEach(child -> kinds(root, child, integers, numbers));
    }

    /** A schema, or what it refers to. */
    private static JsonNode meant(JsonNode root, JsonNode schema) {
        return schema.has("$ref") ? root.at(schema.path("$ref").asText().substring(1)) : schema;
    }

    private static void pointed(JsonNode node, String name, Set<String> found) {
        if (node.isFloatingPointNumber()) {
            found.add(name);
        }
        node.properties().forEach(field -> pointed(field.getValue(), field.getKey(), found));
        if (node.isArray()) {
            node.forEach(element -> pointed(element, name, found));
        }
    }

    @Test
    void refusesWhatNoCommandWrites() throws IOException {
        refused("sensitivity", json -> json.put("schema_version", 2));
        refused("sensitivity", json -> json.put("created", "yesterday"));
        refused("sensitivity", json -> json.remove("prompt"));
        refused("sensitivity", json -> json.put("more", 1));
        refused("sensitivity", json -> json.with("model").remove("heads"));
        refused("sensitivity", json -> results(json).remove("value"));
        refused("sensitivity", json -> results(json).put("full_change", 1.0)); // of patch
        refused("sensitivity", json -> results(json).with("answer").put("token", 3));
        refused("sensitivity", json -> results(json).put("position", 5.5));
        refused("green rank", json -> results(json).putArray("source").add(1).add(4));
        refused("green rank", json -> results(json).put("rank", 3.5));
        refused("green average", json -> results(json).remove("prompts"));
        refused("map ids", json -> results(json).with("measures").put("sources", 1.5));
        refused("map", json -> json.with("options").with("resolved").put("rank", 3));
        refused("map", json -> json.with("options").with("given").put("colour", "red"));
        refused(
                "field attention",
                json -> results(json).withArray("attention").addObject().put("head", 1));
        refused("lens", json -> results(json).withArray("logit_ranks").add(1.5));
        refused("lens", json -> results(json).withArray("jacobian_ranks").add(1)); // without the words
        refused("lens jacobian", json -> results(json).remove("jacobian_lens"));
        refused("green rank", json -> ((ObjectNode) results(json).at("/decoded/0")).remove("share"));
        refused("propagate", json -> ((ObjectNode) results(json).at("/decoded/0")).put("number", 1)); // of green
        refused("infer", json -> ((ObjectNode) results(json).at("/decoded/0/reads/top/0")).remove("text"));
        refused("infer", json -> results(json).withArray("sites").addArray().add(1));
        refused("merge", json -> json.remove("suite"));
    }

    private static ObjectNode results(ObjectNode json) {
        return (ObjectNode) json.path("results");
    }

    private static void refused(String name, Consumer<ObjectNode> change) throws IOException {
        ObjectNode json = result(name);
        change.accept(json);
        assertThat(schema().validate(json)).as(name + " with a change").isNotEmpty();
    }

    @Test
    void everyComputingCommandIsTried() throws IOException {
        Set<String> tried = new TreeSet<>();
        CommandResults.all().keySet().forEach(name -> tried.add(name.split(" ")[0]));
        Set<String> computing = new TreeSet<>(Commands.byName().keySet());
        computing.removeAll(OTHERS);
        assertThat(tried).isEqualTo(computing);
    }

    /** What an option came to is told in some form of its command, whether it was given or not. */
    @Test
    void everyOptionIsResolved() throws IOException {
        Map<String, Path> all = CommandResults.all();
        for (Map.Entry<String, Commands.Entry> command : Commands.byName().entrySet()) {
            if (OTHERS.contains(command.getKey()) || command.getKey().equals("merge")) {
                continue;
            }
            Set<String> told = new TreeSet<>();
            for (String name : all.keySet()) {
                if (name.split(" ")[0].equals(command.getKey())) {
                    result(name).at("/options/resolved").fieldNames().forEachRemaining(told::add);
                }
            }
            CommandLine line = new CommandLine(command.getValue().make().get());
            Help.hide(line.getCommandSpec(), command.getValue().without());
            Set<String> taken = new TreeSet<>();
            for (OptionSpec option : line.getCommandSpec().options()) {
                if (!option.hidden()) {
                    taken.add(GeneralOptions.field(option.longestName()));
                }
            }
            taken.removeAll(ELSEWHERE);
            assertThat(told).as(command.getKey()).containsAll(taken);
        }
    }

    @Test
    void saysWhatWasGivenAndWhatCameOfIt() throws IOException {
        JsonNode patch = result("patch").path("options");
        assertThat(patch.path("given").path("direction").asText()).isEqualTo("denoise");
        assertThat(patch.path("given").has("component")).isFalse();
        assertThat(patch.path("resolved").path("component").asText()).isEqualTo("resid");
        assertThat(patch.path("resolved").path("position").asInt()).isEqualTo(5);
        assertThat(result("patch").path("corrupt_prompt").asText()).isEqualTo("<|endoftext|> The capital of Norway is");
        assertThat(result("patch").path("foil").path("token_id").asInt()).isEqualTo(95);
        JsonNode merged = result("merge").path("options");
        assertThat(merged.path("resolved").path("shard").isNull()).isTrue();
        assertThat(merged.path("given").has("shard")).isFalse();
        assertThat(merged.path("given").path("half_depths").asBoolean()).isTrue();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void tensorsSayWhatTheyAre(String name) throws IOException {
        Path file = CommandResults.all().get(name).resolve("tensors.safetensors");
        if (!Files.exists(file)) {
            assertThat(name).isEqualTo("study");
            return;
        }
        try (Safetensors tensors = Safetensors.open(file)) {
            Map<String, String> metadata = tensors.metadata();
            assertThat(metadata).containsEntry("format_version", "1").containsKeys("command", "model");
            boolean halves = result(name).at("/options/resolved/half_depths").asBoolean();
            assertThat(metadata).containsEntry("depth_step", halves ? "0.5" : "1");
            JsonNode observable = result(name).path("observable");
            assertThat(metadata.get("observable")).isEqualTo(observable.isTextual() ? observable.asText() : null);
            JsonNode described = MAPPER.readTree(metadata.get("tensors"));
            for (String tensor : tensors.names()) {
                JsonNode own = described.path(tensor);
                JsonNode entry =
                        own.isMissingNode() ? described.path(tensor.replaceAll("\\.[0-9]+(?=\\.|$)", ".#")) : own;
                assertThat(entry.path("axes").size())
                        .as("axes of " + tensor)
                        .isEqualTo(tensors.tensor(tensor).shape().length);
                assertThat(entry.path("unit").asText()).as(tensor).isNotBlank();
                assertThat(entry.path("meaning").asText()).as(tensor).isNotBlank();
            }
        }
    }

    @Test
    void rowsOfPatchedPartsAreBlocks() throws IOException {
        Path file = CommandResults.all().get("patch mlp").resolve("tensors.safetensors");
        try (Safetensors tensors = Safetensors.open(file)) {
            assertThat(MAPPER.readTree(tensors.metadata().get("tensors"))
                            .at("/patch.measured/axes")
                            .toString())
                    .isEqualTo("[\"block\",\"token\"]");
        }
    }
}

package dev.greenfield.cli.map;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.job.SuitePrompt;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.Tensor;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What {@code map --suite --shard} wrote into a directory, open for reading. Everything in it that merging relies on is checked
 * when it is opened, against what its own {@code result.json} says.
 */
final class ShardResult implements AutoCloseable {
    private static final String EXPECTED = "expected a directory that map --suite FILE --shard I/N wrote";

    private final String given;
    private final JsonNode result;
    private final Shard shard;
    private final Map<Integer, SuitePrompt> prompts = new LinkedHashMap<>();
    private Safetensors tensors;

    private ShardResult(String given, JsonNode result) {
        this.given = given;
        this.result = result;
        JsonNode part = result.at("/results/shard");
        if (!result.path("command").asText().equals("map")
                || !result.path("suite").isObject()
                || !part.isTextual()) {
            throw new InputException(
                    this + ": found the result of another command than map --suite --shard, " + EXPECTED);
        }
        this.shard = Shard.parse(this + ", results.shard", part.asText());
    }

    /** Opens a directory. */
    static ShardResult open(String given) throws IOException {
        Path directory;
        try {
            directory = Path.of(given);
        } catch (InvalidPathException wrong) {
            throw new InputException(
                    "shard " + Quantities.quoted(given) + ": this cannot be a path (" + wrong.getReason() + ")", wrong);
        }
        Path file = directory.resolve(OutputDirectory.RESULT);
        if (!Files.isRegularFile(file)) {
            throw new InputException("shard " + Quantities.quoted(given) + ": found no " + OutputDirectory.RESULT
                    + " there, " + EXPECTED);
        }
        String origin = "shard " + Quantities.quoted(given) + ", " + file.getFileName();
        ShardResult opened = new ShardResult(given, Json.parse(Json.bytes(file, origin), origin));
        opened.readPrompts();
        opened.tensors = Safetensors.open(directory.resolve(OutputDirectory.TENSORS));
        try {
            opened.checkTensors();
            return opened;
        } catch (IOException | RuntimeException wrong) {
            opened.close();
            throw wrong;
        }
    }

    private void readPrompts() {
        int expected = shard.index();
        for (JsonNode entry : field("/results/prompts")) {
            List<String> text = new ArrayList<>();
            entry.path("token_text").forEach(token -> text.add(token.asText()));
            int[] tokens = entry.path("tokens").isArray()
                    ? new int[entry.path("tokens").size()]
                    : new int[0];
            for (int t = 0; t < tokens.length; t++) {
                tokens[t] = entry.path("tokens").get(t).asInt();
            }
            int number = entry.path("number").asInt();
            if (number != expected || tokens.length == 0 || text.size() != tokens.length) {
                throw new InputException(this + ": its list of prompts is not that of shard " + shard + ", at prompt "
                        + expected + "; make the shard again");
            }
            JsonNode shown = entry.path("text");
            prompts.put(number, new SuitePrompt(number, shown.isTextual() ? shown.asText() : null, tokens, text));
            expected += shard.count();
        }
        int all = field("/suite/prompts").asInt();
        if (shard.count() > all || expected <= all || expected - shard.count() > all) {
            throw new InputException(this + ": found " + prompts.size() + " prompts of shard " + shard
                    + ", not those of a suite of " + all + "; make the shard again");
        }
    }

    private void checkTensors() throws IOException {
        for (SuitePrompt prompt : prompts.values()) {
            for (String name : names(prompt.number())) {
                Tensor tensor = tensors.tensor(name);
                long[] shape = {levels(), prompt.length(), levels(), prompt.length()};
                if (tensor.dtype() != type() || !Arrays.equals(tensor.shape(), shape)) {
                    throw new InputException(this + ": found tensor " + tensor + ", expected " + type() + " "
                            + Arrays.toString(shape) + "; make the shard again");
                }
            }
        }
    }

    private List<String> names(int number) {
        return estimated()
                ? List.of("map.frobenius." + number, "map.stderr." + number)
                : List.of("map.frobenius." + number);
    }

    /** A value of {@code result.json} by its JSON pointer. */
    JsonNode field(String pointer) {
        JsonNode value = result.at(pointer);
        if (value.isMissingNode()) {
            throw new InputException(this + ": its " + OutputDirectory.RESULT + " has no "
                    + Lines.one(pointer.substring(1).replace('/', '.')) + "; make the shard again");
        }
        return value;
    }

    Shard shard() {
        return shard;
    }

    SuitePrompt prompt(int number) {
        return prompts.get(number);
    }

    boolean halfDepths() {
        return field("/results/options/half_depths").asBoolean();
    }

    boolean estimated() {
        return !field("/results/options/exact").asBoolean();
    }

    DType type() {
        return field("/precision").asText().equals("fp64") ? DType.F64 : DType.F32;
    }

    /** Levels of the maps, as the first of them has. */
    int levels() throws IOException {
        long[] shape = tensors.tensor("map.frobenius." + shard.index()).shape();
        return shape.length == 4 ? Math.toIntExact(shape[0]) : 0;
    }

    /** The norms of a prompt's map for source l T + t, [levels, T]. */
    double[] norms(int number, int source) {
        return row("map.frobenius." + number, source);
    }

    /** The standard errors likewise. */
    double[] errors(int number, int source) {
        return row("map.stderr." + number, source);
    }

    private double[] row(String name, int source) {
        try {
            Tensor tensor = tensors.tensor(name);
            double[] row = new double[Math.toIntExact(tensor.shape()[2] * tensor.shape()[3])];
            tensor.read((long) source * row.length, row, 0, row.length);
            return row;
        } catch (SafetensorsException missing) {
            throw new UncheckedIOException(missing);
        }
    }

    /**
     * Refuses a shard of another run.
     *
     * @throws InputException that names the first difference
     */
    void requireLike(ShardResult other) throws IOException {
        compare("the model with sha256", "/model/sha256", other);
        compare("Greenfield", "/version", other);
        compare("the suite with sha256", "/suite/sha256", other);
        compare("bos", "/bos", other);
        compare("seed", "/seed", other);
        compare("backend", "/backend", other);
        compare("precision", "/precision", other);
        Set<String> options = new LinkedHashSet<>();
        field("/results/options").fieldNames().forEachRemaining(options::add);
        other.field("/results/options").fieldNames().forEachRemaining(options::add);
        for (String option : options) {
            compare("option " + Lines.one(option), "/results/options/" + escaped(option), other);
        }
        if (shard.count() != other.shard.count()) {
            throw new InputException(this + " is number " + shard + " and " + other + " number " + other.shard
                    + ": merge shards of one division of the suite");
        }
        if (levels() != other.levels()) {
            throw new InputException(this + " has maps of " + levels() + " levels, " + other + " of " + other.levels()
                    + ": merge shards of one run");
        }
    }

    /** A name as JSON pointers have it. */
    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private void compare(String what, String pointer, ShardResult other) {
        JsonNode mine = field(pointer);
        JsonNode its = other.field(pointer);
        if (!mine.equals(its)) {
            throw new InputException(this + " was made with " + what + " " + Lines.one(mine.asText()) + ", " + other
                    + " with " + Lines.one(its.asText()) + ": merge shards of one run");
        }
    }

    /** How messages call it. */
    @Override
    public String toString() {
        return "shard " + Quantities.quoted(given);
    }

    @Override
    public void close() {
        tensors.close();
    }
}

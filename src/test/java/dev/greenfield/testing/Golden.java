package dev.greenfield.testing;

import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** A file of float64 answers from an independent implementation, and the model it belongs to. */
public final class Golden implements AutoCloseable {
    /** A Llama of 260,000 parameters that was trained on stories, and two families that learned the facts; kept outside of the project. */
    private static final List<String> TRAINED =
            List.of("stories260k.name", "facts-qwen3.indirect_object", "facts-neox.indirect_object");

    private final String name;
    private final Safetensors file;

    /** The files of families and their variants: one small model each. */
    public static List<String> families() {
        return Stream.concat(small(), TRAINED.stream()).toList();
    }

    private static Stream<String> small() {
        return Stream.of(
                        "gemma",
                        "gemma2",
                        "gemma3",
                        "gemma3_text",
                        "gemma3_text-pattern",
                        "gemma3_text-v5",
                        "gpt_neo",
                        "gpt_neox",
                        "gpt_neox-buffers",
                        "gpt_neox-sequential",
                        "gpt_neox-v5",
                        "llama",
                        "llama-bias",
                        "llama-linear",
                        "llama-llama3",
                        "llama-minimal",
                        "llama-v5",
                        "llama-yarn",
                        "mistral",
                        "mistral-full",
                        "olmo2",
                        "qwen2",
                        "qwen2-window",
                        "qwen3")
                .map(name -> TestData.FAMILIES + name);
    }

    private Golden(String name) throws IOException {
        this.name = name;
        this.file = Safetensors.open(TestData.golden(name));
    }

    /** The names of the files, for parameterized tests. */
    public static List<String> names() {
        return List.of(
                "facts-4l.copying",
                "facts-4l.indirect_object",
                "facts-4l.two_hop",
                "craftgpt.subject-copy",
                "gpt-nano-sort");
    }

    /** Opens a golden file; skips the test, saying so, where that is kept outside of the project. */
    public static Golden open(String name) throws IOException {
        return new Golden(name);
    }

    public Path model() {
        if (name.startsWith(TestData.FAMILIES)) {
            return TestData.model(name);
        }
        int dot = name.indexOf('.');
        return TestData.model(dot < 0 ? name : name.substring(0, dot));
    }

    public int[] tokens() {
        return ids("tokens");
    }

    public int[] corruptTokens() {
        return ids("corrupt_tokens");
    }

    private int[] ids(String key) {
        String list = file.metadata().get(key).replaceAll("[\\[\\]\" ]", "");
        return Arrays.stream(list.split(",")).mapToInt(Integer::parseInt).toArray();
    }

    public int number(String key) {
        return Integer.parseInt(text(key));
    }

    public String text(String key) {
        return file.metadata().get(key).replace("\"", "");
    }

    public Observable observable() {
        return Observable.logitDifference(number("answer"), number("foil"));
    }

    public Site source() {
        return Site.of(number("source_depth"), number("source_token"));
    }

    /** Whether the file has a tensor; those of some families are kept without their largest. */
    public boolean has(String tensor) {
        return file.names().contains(tensor);
    }

    public double[] values(String tensor) throws IOException {
        return file.tensor(tensor).toDoubles();
    }

    public Field field(String tensor) throws IOException {
        Tensor t = file.tensor(tensor);
        long[] shape = t.shape();
        return Field.wrap((int) shape[0], (int) shape[1], (int) shape[2], t.toDoubles());
    }

    @Override
    public void close() {
        file.close();
    }
}

package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import dev.greenfield.text.Nearest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code random:...} asks for.
 *
 * @param config the dimensions
 * @param json the configuration as a file; null for GPT-2's shapes, which have none
 * @param seed from which all weights follow
 */
record RandomSpec(ModelConfig config, byte[] json, long seed) {
    static final String PREFIX = "random:";
    private static final List<String> GPT2 = List.of("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl");
    private static final String EXPECTED = ", expected " + String.join(", ", names())
            + ", five numbers (layers, heads, width, vocabulary, positions) or a family with its sizes, then perhaps a seed;"
            + " for example random:2,4,64,100,32,seed=7 or"
            + " random:llama:layers=2,heads=4,keys=2,width=64,inner=128,vocabulary=100,positions=64";

    /**
     * Reads a specification.
     *
     * @param spec begins with {@code random:}
     * @throws InputException if it is not understood or its numbers do not fit each other
     */
    static RandomSpec parse(String spec) throws IOException {
        List<String> parts =
                new ArrayList<>(List.of(spec.substring(PREFIX.length()).split(",", -1)));
        long seed = 0;
        String last = parts.get(parts.size() - 1);
        if (last.startsWith("seed=")) {
            seed = seed(spec, last.substring("seed=".length()));
            parts.remove(parts.size() - 1);
        }
        try {
            byte[] json = RandomShapes.config(String.join(",", parts));
            return json == null
                    ? new RandomSpec(config(spec, parts), null, seed)
                    : new RandomSpec(ConfigJson.read(json, quoted(spec)), json, seed);
        } catch (InputException wrong) {
            String message = wrong.getMessage();
            throw message.startsWith(quoted(spec)) ? wrong : new InputException(quoted(spec) + ": " + message, wrong);
        }
    }

    private static ModelConfig config(String spec, List<String> parts) {
        if (parts.size() == 5) {
            int[] n = new int[5];
            for (int i = 0; i < n.length; i++) {
                n[i] = number(spec, parts.get(i));
            }
            return gpt2(n[0], n[1], n[2], n[3], n[4]);
        }
        return switch (String.join(",", parts)) {
            case "gpt2" -> gpt2(12, 12, 768, 50257, 1024);
            case "gpt2-medium" -> gpt2(24, 16, 1024, 50257, 1024);
            case "gpt2-large" -> gpt2(36, 20, 1280, 50257, 1024);
            case "gpt2-xl" -> gpt2(48, 25, 1600, 50257, 1024);
            default ->
                throw new InputException(quoted(spec) + ": found " + Lines.quoted(String.join(",", parts))
                        + Nearest.question(String.join(",", parts), names()) + EXPECTED);
        };
    }

    /** The shapes that have names. */
    static List<String> names() {
        List<String> names = new ArrayList<>(GPT2);
        names.addAll(RandomShapes.names());
        return names;
    }

    /** The files of such a model: at most its configuration. */
    ModelFiles files() {
        return json == null ? new ModelFiles.None() : new ModelFiles.Made(json);
    }

    private static ModelConfig gpt2(int layers, int heads, int width, int vocabulary, int positions) {
        if (width > Integer.MAX_VALUE / 4) {
            throw new InputException("n_embd: found " + width + ", expected at most " + Integer.MAX_VALUE / 4
                    + "; choose a smaller width");
        }
        return new ModelConfig(
                layers, heads, width, 4 * width, positions, vocabulary, 1e-5, Activation.GELU_NEW, true, true, false);
    }

    private static int number(String spec, String text) {
        try {
            return Integer.parseInt(text.strip());
        } catch (NumberFormatException wrong) {
            throw new InputException(
                    quoted(spec) + ": found " + Lines.quoted(text) + " for a number" + EXPECTED, wrong);
        }
    }

    private static long seed(String spec, String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException wrong) {
            throw new InputException(
                    quoted(spec) + ": found the seed " + Lines.quoted(text)
                            + ", expected a whole number of 64 bits; for example random:gpt2,seed=7",
                    wrong);
        }
    }

    private static String quoted(String spec) {
        return Lines.quoted(spec);
    }
}

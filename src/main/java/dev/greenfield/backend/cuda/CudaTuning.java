package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import java.util.List;
import java.util.Locale;

/**
 * Sizes and choices that no result depends on but for rounding, and that only a device can say the best of. Each is read from a
 * system property when a backend opens. The defaults are the best of those tried with GPT-2 small on an H200 ({@code
 * docs/benchmarks.md}), or follow from counting: 132 processors that take a tile of 128 x 256 of a product each, 50 MB of L2 cache, and
 * 1 to 2 us between launches.
 *
 * @param chunkRows rows that the MLP works on at once. With 2816, 4096 and 8192 a map of 16 probes takes 138, 133 and 138 ms
 * @param streamRows rows that a token's own map is applied to at once. 5632 rows are 132 tiles of the product, one for each processor,
 *     and what goes in and what comes out take 35 MB together
 * @param attentionRows rows that are in attention at once, from LayerNorm to projection; the default is all of a batch. Tiles that the
 *     cache holds (3712 rows: 261 tiles of the product that makes queries, keys and values, 34 MB) save one pass over those, but the
 *     projection then fills two thirds of the processors, its result takes a pass of its own to get into the stream, and there are a
 *     thousand times more launches; tiles of another size only save memory
 * @param launchColumns columns that one launch of attention takes; the default is what CUDA's limit of a grid allows
 * @param condensation how many times more rows than where flops are equal a token must have for a map of its own
 * @param weights whether weights are also kept transposed, so that both factors of a tangent's product have the reduction
 *     dimension contiguous, as Hopper's tensor cores take tf32; the adjoint's have it anyway. Twice the memory of the weights, and 8 to
 *     37 % more flops a second
 * @param stagingBytes memory for rows that are rounded to bf16 before they are multiplied; longer products go in parts
 * @param copyBytes up to which a copy beside gathered work goes by a kernel: a copy engine takes 10 us to begin
 */
record CudaTuning(
        int chunkRows,
        int streamRows,
        int attentionRows,
        int launchColumns,
        double condensation,
        Weights weights,
        int stagingBytes,
        int copyBytes) {
    /** More rows than a batch has. */
    private static final int ALL = 1 << 30;

    /** Blocks that CUDA lets a grid have in z. */
    private static final int MOST_BLOCKS = 65535;

    /** Columns that share a block of attention's kernels, one a warp. */
    static final int ATTENTION_COLUMNS = 8;

    private static final String CHUNK = "greenfield.cuda.chunk";
    private static final String STREAM = "greenfield.cuda.stream-rows";
    private static final String ATTENTION = "greenfield.cuda.attention-rows";
    private static final String LAUNCH = "greenfield.cuda.launch-columns";
    private static final String CONDENSATION = "greenfield.cuda.condensation";
    private static final String WEIGHTS = "greenfield.cuda.weights";

    /** Whether weights are kept transposed beside. */
    enum Weights {
        /** No. */
        NN,
        /** Yes. */
        TN,
        /** Where both forms take at most half of the memory that there is for a model. */
        AUTO
    }

    private static final String STAGING = "greenfield.cuda.staging";

    static final String COPIES = "greenfield.cuda.kernel-copies";

    /**
     * What the system properties say, defaults for those that are not set.
     *
     * @throws BackendException for a value that cannot be used
     */
    static CudaTuning fromProperties() {
        return new CudaTuning(
                rows(CHUNK, 4096),
                rows(STREAM, 5632),
                rows(ATTENTION, ALL),
                number(LAUNCH, MOST_BLOCKS * ATTENTION_COLUMNS, MOST_BLOCKS * ATTENTION_COLUMNS),
                factor(CONDENSATION, 2),
                chosenWeights(),
                number(STAGING, 32, 2047) << 20,
                number(COPIES, 256 << 10, 4 << 20));
    }

    private static Weights chosenWeights() {
        String text = System.getProperty(WEIGHTS, "auto");
        for (Weights choice : Weights.values()) {
            if (choice.name().toLowerCase(Locale.ROOT).equals(text)) {
                return choice;
            }
        }
        throw wrong(
                WEIGHTS, text, "nn, as they are, tn, also transposed, or auto, which is tn where there is much room");
    }

    private static int rows(String property, int otherwise) {
        return number(property, otherwise, ALL);
    }

    private static int number(String property, int otherwise, int most) {
        String text = System.getProperty(property, Integer.toString(otherwise));
        String expected = "a whole number from 1 to " + most;
        try {
            int value = Integer.parseInt(text);
            if (value >= 1 && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw wrong(property, text, expected);
        }
        throw wrong(property, text, expected);
    }

    private static double factor(String property, double otherwise) {
        String text = System.getProperty(property, Double.toString(otherwise));
        try {
            double value = Double.parseDouble(text);
            if (value > 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw wrong(property, text, "a positive number");
        }
        throw wrong(property, text, "a positive number");
    }

    private static BackendException wrong(String property, String found, String expected) {
        return new BackendException("-D" + property + "=" + found + ": expected " + expected);
    }

    /** One line a property, as it would be set. */
    List<String> lines() {
        return List.of(
                "-D" + CHUNK + "=" + chunkRows + " (rows of an MLP chunk)",
                "-D" + STREAM + "=" + streamRows + " (rows that a token's own map takes at once)",
                "-D" + ATTENTION + "=" + attentionRows + " (rows in attention at once)",
                "-D" + LAUNCH + "=" + launchColumns + " (columns of a launch of attention)",
                String.format(
                        Locale.ROOT, "-D%s=%s (rows of a token's own map, by even flops)", CONDENSATION, condensation),
                "-D" + WEIGHTS + "=" + weights.name().toLowerCase(Locale.ROOT)
                        + " (tn: weights also kept transposed; auto: where there is much room)",
                "-D" + STAGING + "=" + (stagingBytes >> 20) + " (MiB of rows rounded to bf16)",
                "-D" + COPIES + "=" + copyBytes + " (bytes that a kernel copies)");
    }
}

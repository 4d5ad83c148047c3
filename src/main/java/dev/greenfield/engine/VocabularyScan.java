package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.model.Parameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Scores of all tokens for rows of the stream, of which only the {@link TokenLead} of each row is kept: the output matrix is gone
 * through once, a part at a time, and no more than {@value #SCORES_AT_ONCE} scores are there at any moment.
 */
public final class VocabularyScan {
    /** 16 MiB of float32 on the backend, 32 MiB on the host. */
    private static final int SCORES_AT_ONCE = 1 << 22;

    /** Rows of the input embedding that a thread reads at a time. */
    private static final int ROWS = 64;

    private final DeviceModel model;
    private final MemoryBudget budget;
    private final Backend backend;
    private final Norm norm; // the last one
    private final LogitCap cap;
    private final int width;
    private final int most;
    private final int scoresAtOnce;

    /**
     * @param most how many tokens are kept at each end
     */
    VocabularyScan(DeviceModel model, MemoryBudget budget, int most) {
        this(model, budget, most, SCORES_AT_ONCE);
    }

    /** Likewise with at most so many scores at a time, but those of one row. */
    VocabularyScan(DeviceModel model, MemoryBudget budget, int most, int scoresAtOnce) {
        this.scoresAtOnce = scoresAtOnce;
        this.model = model;
        this.budget = budget;
        this.backend = model.backend();
        this.norm = new Norm(backend, model.config(), true);
        this.cap = LogitCap.of(model.config());
        this.width = model.config().width();
        this.most = most;
    }

    /** A matrix [D, D] that brings the stream of a level to the last depth, row-major; read when it is needed. */
    public interface Transport {
        double[] matrix();
    }

    /**
     * The stream of one level, to be read by the last norm and the output matrix.
     *
     * @param transport what is applied to it first; null for nothing
     */
    public record Level(HalfDepth level, Transport transport) {}

    /**
     * The logits that the last norm and the output matrix, bias and cap included, make of the stream at every token of some levels.
     *
     * @param chosen the token whose rank is wanted, or -1
     * @return [levels][T]
     * @throws dev.greenfield.failure.MemoryBudgetException if the output matrix or the stream of one level does not fit
     */
    public TokenLead[][] logits(Linearization run, List<Level> levels, int chosen) {
        budget.requireUnembedding(model);
        int tokens = run.length();
        long each = (long) tokens * width * backend.precision().bytes();
        int atOnce = (int) Math.max(1, Math.min(levels.size(), budget.freeBytes() / 2 / each));
        TokenLead[][] found = new TokenLead[levels.size()][];
        for (int from = 0; from < levels.size(); from += atOnce) {
            List<Level> some = levels.subList(from, Math.min(levels.size(), from + atOnce));
            try (Buffer buffer = backend.allocate("normalized levels", (long) some.size() * tokens * width)) {
                Matrix rows = Matrix.of(buffer, some.size() * tokens, width);
                for (int i = 0; i < some.size(); i++) {
                    Cancellation.check();
                    normalize(run, some.get(i), rows.rows(i * tokens, tokens));
                }
                TokenLead[] leads = scan(rows, chosen);
                for (int i = 0; i < some.size(); i++) {
                    found[from + i] = Arrays.copyOfRange(leads, i * tokens, (i + 1) * tokens);
                }
            }
        }
        return found;
    }

    private void normalize(Linearization run, Level level, Matrix to) {
        Matrix stream = run.at(level.level());
        if (level.transport() == null) {
            norm.value(stream, to);
            return;
        }
        double[] matrix = level.transport().matrix();
        try (Buffer buffer = backend.allocate("transport", matrix.length)) {
            backend.upload(matrix, 0, buffer, 0, matrix.length);
            backend.multiply(1, stream, false, Matrix.of(buffer, width, width), true, 0, to);
        }
        norm.value(to, to);
    }

    /**
     * How the logits at each direction's token change to first order when R[L] there moves along it: W_U J d, with J the last norm's
     * Jacobian at the run's final residual, and C' in front where logits have a cap C. The output matrix is read once, on the host, so that
     * a few directions need no memory of the backend for it.
     *
     * @param directions [n][D]
     * @param positions the token of each, [n]
     * @return [n]
     */
    public TokenLead[] changes(Linearization run, double[][] directions, int[] positions) {
        double[] gain = model.finalGain();
        double[][] inputs = new double[directions.length][width];
        double[][] slopes = new double[directions.length][];
        Map<Integer, double[]> known = new HashMap<>();
        try (Buffer buffer = backend.allocate("a direction", width)) {
            Matrix row = Matrix.of(buffer, 1, width);
            for (int i = 0; i < directions.length; i++) {
                int[] here = {positions[i]};
                backend.upload(directions[i], 0, buffer, 0, width);
                norm.tangent(row, RaggedRows.of(run.length(), here, here), 0, run.finalNorm(), row);
                backend.download(buffer, 0, inputs[i], 0, width);
                for (int j = 0; j < width; j++) {
                    inputs[i][j] *= gain[j];
                }
                slopes[i] = cap.exists() ? known.computeIfAbsent(positions[i], at -> slopes(run, at)) : null;
            }
        }
        return products("lm_head.weight", inputs, false, slopes);
    }

    private double[] slopes(Linearization run, int position) {
        return Arrays.stream(run.logits(position)).map(cap::slope).toArray();
    }

    /**
     * Likewise without a run: of the last norm only what does not depend on a residual, its gain and, in LayerNorm, its centring. Scores
     * are then those of a residual of unit standard deviation that the direction is orthogonal to, and before any cap.
     *
     * @param directions [n][D]
     * @return [n]
     */
    public TokenLead[] outputs(double[][] directions) {
        double[] gain = model.finalGain();
        boolean centred = model.config().architecture().norm().centred();
        double[][] inputs = new double[directions.length][width];
        for (int i = 0; i < directions.length; i++) {
            double mean = centred ? Arrays.stream(directions[i]).sum() / width : 0;
            for (int j = 0; j < width; j++) {
                inputs[i][j] = gain[j] * (directions[i][j] - mean);
            }
        }
        return products("lm_head.weight", inputs, false, new double[directions.length][]);
    }

    /**
     * The cosine of each direction and the input embedding of every token, on the host.
     *
     * @param directions [n][D]
     * @return [n]; the cosine with a zero embedding, or of a zero direction, is 0
     */
    public TokenLead[] embeddings(double[][] directions) {
        return products("wte.weight", directions, true, new double[directions.length][]);
    }

    /**
     * Products of directions and the rows of a matrix [V, D], in float64 on the host.
     *
     * @param cosines whether they are divided by both lengths
     * @param slopes factors of the score of each token, [n][V]; null for those without
     */
    private TokenLead[] products(String name, double[][] directions, boolean cosines, double[][] slopes) {
        int vocabulary = model.config().vocabulary();
        Parameter matrix = model.source().parameter(name);
        TokenLead[] leads = leads(directions.length, -1, null);
        double[] lengths = cosines
                ? Arrays.stream(directions).mapToDouble(VocabularyScan::length).toArray()
                : null;
        int group = ROWS * Runtime.getRuntime().availableProcessors();
        double[][] scores = new double[directions.length][group];
        for (int from = 0; from < vocabulary; from += group) {
            Cancellation.check();
            int first = from;
            int count = Math.min(group, vocabulary - from);
            IntStream.range(0, (count + ROWS - 1) / ROWS).parallel().forEach(c -> {
                int n = Math.min(ROWS, count - c * ROWS);
                products(matrix, first + c * ROWS, n, directions, lengths, scores, c * ROWS);
            });
            for (int i = 0; i < leads.length; i++) {
                for (int v = 0; slopes[i] != null && v < count; v++) {
                    scores[i][v] *= slopes[i][first + v];
                }
                leads[i].take(first, scores[i], 0, count);
            }
        }
        return leads;
    }

    /** Products with some rows; divided by both lengths where those of the directions are given. */
    private void products(
            Parameter matrix, int first, int n, double[][] directions, double[] lengths, double[][] scores, int at) {
        double[] rows = new double[n * width];
        matrix.read((long) first * width, rows, 0, rows.length);
        TokenRows.requireFinite(matrix.name(), rows, rows.length, (long) first * width);
        for (int v = 0; v < n; v++) {
            double square = 0;
            for (int j = 0; lengths != null && j < width; j++) {
                square += rows[v * width + j] * rows[v * width + j];
            }
            for (int i = 0; i < directions.length; i++) {
                double dot = 0;
                for (int j = 0; j < width; j++) {
                    dot += rows[v * width + j] * directions[i][j];
                }
                double both = lengths == null ? 1 : Math.sqrt(square) * lengths[i];
                scores[i][at + v] = both == 0 ? 0 : dot / both;
            }
        }
    }

    private static double length(double[] x) {
        return Math.sqrt(Arrays.stream(x).map(y -> y * y).sum());
    }

    private TokenLead[] leads(int rows, int chosen, double[] chosenScores) {
        return IntStream.range(0, rows)
                .mapToObj(i -> new TokenLead(most, chosen, chosen < 0 ? Double.NaN : chosenScores[i]))
                .toArray(TokenLead[]::new);
    }

    /**
     * Goes through the output matrix once.
     *
     * @param rows [n, D], normalized
     */
    private TokenLead[] scan(Matrix rows, int chosen) {
        TokenLead[] leads = leads(rows.rows(), chosen, chosen < 0 ? null : new Readout(model).logits(rows, chosen));
        model.unembedding().forEach(words -> {
            int n = words.matrix().rows();
            int step = Math.max(1, Math.min(rows.rows(), scoresAtOnce / n));
            double[] scores = HostMemory.doubles("the scores of tokens", step, n);
            try (Buffer buffer = backend.allocate("scores", (long) step * n)) {
                for (int r = 0; r < rows.rows(); r += step) {
                    Cancellation.check();
                    int from = r;
                    int count = Math.min(step, rows.rows() - r);
                    Matrix part = Matrix.of(buffer, count, n);
                    backend.multiply(1, rows.rows(r, count), false, words.matrix(), true, 0, part);
                    backend.addBias(part, words.bias());
                    backend.download(buffer, 0, scores, 0, count * n);
                    IntStream.range(0, count).parallel().forEach(i -> {
                        for (int v = i * n; cap.exists() && v < (i + 1) * n; v++) {
                            scores[v] = cap.value(scores[v]);
                        }
                        leads[from + i].take(words.from(), scores, i * n, n);
                    });
                }
            }
        });
        return leads;
    }
}

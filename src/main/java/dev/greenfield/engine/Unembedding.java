package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.failure.Cancellation;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Parameter;
import dev.greenfield.model.WeightPlacement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The output matrix on a backend, with the gain of the last norm folded in: [V, D], cut by tokens into parts that one buffer holds. Parts
 * are put there when they are first asked for. They stay, or, where weights are streamed, each makes room for the next.
 */
final class Unembedding implements AutoCloseable {
    /** Rows that a thread reads at a time. */
    private static final int ROWS = 64;

    private static final String NAME = "lm_head.weight";

    private final Backend backend;
    private final ModelConfig config;
    private final Parameter head;
    private final double[] gain;
    private final double[] shift;
    private final boolean streamed;
    private final long most; // elements of a part
    private final List<Part> kept = new ArrayList<>();

    /**
     * @param gain of the last norm, [D]
     * @param shift of the last norm, [D]
     * @param plan how large a part may be, and whether only one may be on the backend at a time. Parts are the same in both cases:
     *     products of other sizes sum in other orders
     */
    Unembedding(Backend backend, ModelConfig config, Parameter head, double[] gain, double[] shift, WeightPlan plan) {
        this.backend = backend;
        this.config = config;
        this.head = head;
        this.gain = gain;
        this.shift = shift;
        this.streamed = plan.placement() == WeightPlacement.STREAMED;
        this.most = plan.outputElements();
    }

    /**
     * Some rows of the matrix.
     *
     * @param from the token of the first
     * @param matrix [n, D]
     * @param bias what the last norm's shift adds to their logits, [n]
     */
    record Part(int from, Matrix matrix, Buffer bias) implements AutoCloseable {
        @Override
        public void close() {
            matrix.buffer().close();
            bias.close();
        }
    }

    /** Takes one part after another. */
    interface Use {
        void take(Part part);
    }

    /** Hands over all parts, in the order of the tokens. */
    synchronized void forEach(Use use) {
        int rows = rowsOfAPart();
        for (int from = 0, i = 0; from < config.vocabulary(); from += rows, i++) {
            int n = Math.min(rows, config.vocabulary() - from);
            if (streamed) {
                try (Part part = read(from, n)) {
                    use.take(part);
                }
            } else {
                if (i == kept.size()) {
                    kept.add(read(from, n));
                }
                use.take(kept.get(i));
            }
        }
    }

    private int rowsOfAPart() {
        int parts = (int) (((long) config.vocabulary() * config.width() + most - 1) / most);
        return (config.vocabulary() + parts - 1) / parts;
    }

    private Part read(int from, int rows) {
        int width = config.width();
        Buffer biases = backend.allocate("lm_head.bias", rows);
        Buffer device;
        try {
            device = backend.allocate("lm_head.weight", (long) rows * width);
        } catch (RuntimeException | Error e) {
            biases.close(); // this may be tried again with smaller batches
            throw e;
        }
        Part part = new Part(from, Matrix.of(device, rows, width), biases);
        try {
            fill(part);
        } catch (RuntimeException | Error e) {
            part.close();
            throw e;
        }
        return part;
    }

    private void fill(Part part) {
        int count = part.matrix().rows();
        int group = ROWS * Runtime.getRuntime().availableProcessors();
        for (int from = 0; from < count; from += group) {
            Cancellation.check();
            int first = from;
            int rows = Math.min(group, count - from);
            IntStream.range(0, (rows + ROWS - 1) / ROWS)
                    .parallel()
                    .forEach(c -> fill(part, first + c * ROWS, Math.min(ROWS, rows - c * ROWS)));
        }
    }

    /** Some rows of a part; each has its own sum, so that threads may share them. */
    private void fill(Part part, int from, int n) {
        int width = config.width();
        double[] rows = new double[n * width];
        double[] bias = new double[n];
        long first = (long) (part.from() + from) * width;
        head.read(first, rows, 0, rows.length);
        TokenRows.requireFinite(NAME, rows, rows.length, first);
        for (int v = 0; v < n; v++) {
            for (int i = 0; i < width; i++) {
                bias[v] += rows[v * width + i] * shift[i];
                rows[v * width + i] *= gain[i];
            }
        }
        backend.upload(rows, 0, part.matrix().buffer(), part.matrix().at(from), rows.length);
        backend.upload(bias, 0, part.bias(), from, n);
    }

    /**
     * The logits [V] of one row [D] after the last norm and before any cap, on the host: the matrix is read once and not kept.
     */
    double[] outputs(double[] x) {
        int vocabulary = config.vocabulary();
        double[] logits = new double[vocabulary];
        int group = ROWS * Runtime.getRuntime().availableProcessors();
        for (int from = 0; from < vocabulary; from += group) {
            Cancellation.check();
            int first = from;
            int rows = Math.min(group, vocabulary - from);
            IntStream.range(0, (rows + ROWS - 1) / ROWS)
                    .parallel()
                    .forEach(c -> dots(x, logits, first + c * ROWS, Math.min(ROWS, rows - c * ROWS)));
        }
        return logits;
    }

    private void dots(double[] x, double[] logits, int from, int n) {
        double[] rows = new double[n * x.length];
        long first = (long) from * x.length;
        head.read(first, rows, 0, rows.length);
        TokenRows.requireFinite(NAME, rows, rows.length, first);
        for (int v = 0; v < n; v++) {
            for (int i = 0; i < x.length; i++) {
                logits[from + v] += rows[v * x.length + i] * x[i];
            }
        }
    }

    /** Bytes that {@link #forEach} would still take. */
    synchronized long missingBytes() {
        long rows = streamed ? rowsOfAPart() : config.vocabulary();
        for (Part part : kept) {
            rows -= part.matrix().rows();
        }
        return rows * (config.width() + 1L) * backend.precision().bytes();
    }

    @Override
    public synchronized void close() {
        kept.forEach(Part::close);
        kept.clear();
    }
}

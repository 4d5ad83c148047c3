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

/**
 * The output matrix on a backend, with the gain of the last norm folded in: [V, D], cut by tokens into parts that one buffer holds. Parts
 * are put there when they are first asked for. They stay, or, where weights are streamed, each makes room for the next.
 */
final class Unembedding implements AutoCloseable {
    /** Rows read at a time. */
    private static final int ROWS = 64;

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
        int width = config.width();
        int last = part.from() + part.matrix().rows();
        double[] rows = new double[ROWS * width];
        double[] bias = new double[ROWS];
        for (int v0 = part.from(); v0 < last; v0 += ROWS) {
            Cancellation.check();
            int n = Math.min(ROWS, last - v0);
            head.read((long) v0 * width, rows, 0, n * width);
            TokenRows.requireFinite(head.name(), rows, n * width, (long) v0 * width);
            for (int v = 0; v < n; v++) {
                bias[v] = 0;
                for (int i = 0; i < width; i++) {
                    bias[v] += rows[v * width + i] * shift[i];
                    rows[v * width + i] *= gain[i];
                }
            }
            backend.upload(rows, 0, part.matrix().buffer(), part.matrix().at(v0 - part.from()), n * width);
            backend.upload(bias, 0, part.bias(), v0 - part.from(), n);
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

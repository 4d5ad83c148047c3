package dev.greenfield.lens;

import dev.greenfield.failure.InputException;
import dev.greenfield.green.AverageJacobian;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * Averaged Jacobians to the last depth, by which the Jacobian lens brings the stream there: J_l [D, D] for depths l, some of which may
 * be missing. J_L is the identity. See {@link AverageJacobian} for what they are averages of. Of a file each matrix is read when
 * it is asked for.
 */
public final class Jacobians {
    private static final String OURS = "green.average";

    /** What can be read, for messages. */
    private static final String FORMS =
            "the published Jacobian lens's .pt, or tensors of averaged Jacobians, with " + OURS;

    private static final byte[] ARCHIVE = {'P', 'K', 3, 4};

    private final int layers;
    private final int width;
    private final int prompts;
    private final String origin;
    private final Matrices matrices;

    /** The matrices of depths 0 to L - 1. */
    private interface Matrices {
        boolean has(int depth);

        double[] at(int depth);
    }

    private Jacobians(ModelConfig config, int prompts, String origin, Matrices matrices) {
        this.layers = config.layers();
        this.width = config.width();
        this.prompts = prompts;
        this.origin = origin;
        this.matrices = matrices;
    }

    /**
     * Those of a file: the {@code tensors.safetensors} of {@code green --average}, its directory, or a {@code .pt} that the published
     * Jacobian lens saved. That one numbers layers by their outputs, so that its layer l is depth l + 1; depth 0 is not in it.
     *
     * @param config of the model whose stream they transport
     * @throws InputException if it is none of these, or of another depth or width
     */
    public static Jacobians open(Path path, ModelConfig config) {
        Objects.requireNonNull(config, "config");
        Path file = Files.isDirectory(path) ? path.resolve("tensors.safetensors") : path;
        try {
            if (!Files.isRegularFile(file)) {
                throw new InputException("no file " + file + ": expected " + FORMS);
            }
            byte[] begin;
            try (InputStream in = Files.newInputStream(file)) {
                begin = in.readNBytes(ARCHIVE.length);
            }
            return Arrays.equals(begin, ARCHIVE) ? published(file, config) : ours(file, config);
        } catch (SafetensorsException wrong) {
            throw new InputException(
                    "cannot read " + file + " as a Jacobian lens: " + wrong.getMessage() + "; expected " + FORMS,
                    wrong);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + file, unreadable);
        }
    }

    private static Jacobians published(Path file, ModelConfig config) throws IOException {
        PublishedLens lens = new PublishedLens(file, config.width());
        if (lens.lastLayer() >= config.layers()) {
            throw new InputException("the lens " + file + " has a layer " + lens.lastLayer() + ", the model "
                    + config.layers() + " layers, counted from 0: give one of this model");
        }
        return new Jacobians(config, lens.prompts(), file.toString(), new Matrices() {
            @Override
            public boolean has(int depth) {
                return lens.has(depth - 1);
            }

            @Override
            public double[] at(int depth) {
                return lens.matrix(depth - 1);
            }
        });
    }

    private static Jacobians ours(Path file, ModelConfig config) throws IOException {
        try (Safetensors tensors = Safetensors.open(file)) {
            if (!tensors.contains(OURS)) {
                throw new InputException("no tensor " + OURS + " in " + file + ": expected " + FORMS);
            }
            long[] shape = tensors.tensor(OURS).shape();
            long[] expected = {config.layers() + 1L, config.width(), config.width()};
            if (!Arrays.equals(shape, expected)) {
                throw new InputException(OURS + " in " + file + " has shape " + Arrays.toString(shape) + ", expected "
                        + Arrays.toString(expected) + ": average this model's Jacobians to the last depth");
            }
        }
        int each = config.width() * config.width();
        return new Jacobians(config, 0, file.toString(), new Matrices() {
            @Override
            public boolean has(int depth) {
                return true;
            }

            @Override
            public double[] at(int depth) {
                try (Safetensors tensors = Safetensors.open(file)) {
                    Tensor all = tensors.tensor(OURS);
                    double[] matrix = new double[each];
                    all.read((long) depth * each, matrix, 0, each);
                    return matrix;
                } catch (IOException unreadable) {
                    throw new UncheckedIOException("cannot read " + file, unreadable);
                }
            }
        });
    }

    /**
     * Those of an average that was just made.
     *
     * @throws InputException if it is not to the model's last depth, or of another width
     */
    public static Jacobians of(AverageJacobian average, ModelConfig config) {
        double[] mean = average.mean();
        int each = config.width() * config.width();
        if (average.toDepth() != config.layers() || mean.length != (config.layers() + 1) * each) {
            throw new InputException("found an average of Jacobians to depth " + average.toDepth()
                    + ", expected one of this model to its last depth, " + config.layers());
        }
        return new Jacobians(config, average.prompts(), "averaged here", new Matrices() {
            @Override
            public boolean has(int depth) {
                return true;
            }

            @Override
            public double[] at(int depth) {
                return Arrays.copyOfRange(mean, depth * each, (depth + 1) * each);
            }
        });
    }

    /** Where they are from, for people. */
    public String origin() {
        return origin;
    }

    /** Over how many prompts they are averages; 0 where that is not known. */
    public int prompts() {
        return prompts;
    }

    /** Whether there is one for a depth, 0 to L. */
    public boolean has(int depth) {
        return depth == layers || (depth >= 0 && depth < layers && matrices.has(depth));
    }

    /**
     * J of a depth, [D, D] row-major: [i, j] is the averaged dR[L]_i / dR[l]_j.
     *
     * @throws InputException if there is none for it
     */
    public double[] at(int depth) {
        if (!has(depth)) {
            throw new InputException("no Jacobian for depth " + depth + " in " + origin + ": ask for another depth");
        }
        if (depth < layers) {
            return matrices.at(depth);
        }
        double[] identity = new double[width * width];
        for (int i = 0; i < width; i++) {
            identity[i * width + i] = 1;
        }
        return identity;
    }

    /** J_l d for a direction d [D] at a depth, [D]. */
    double[] transported(double[] direction, int depth) {
        double[] matrix = at(depth);
        double[] moved = new double[width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                moved[i] += matrix[i * width + j] * direction[j];
            }
        }
        return moved;
    }

    @Override
    public String toString() {
        return "averaged Jacobians of " + layers + " layers and width " + width + ", " + origin;
    }
}

package dev.greenfield.lens;

import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Decoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A lens as the published Jacobian lens saves it: {@code torch.save} of {@code {"J": {layer: [D, D]}, "n_prompts", "source_layers",
 * "d_model"}}, matrices in float16 unless asked otherwise. Row i of a matrix makes output i, as ours. A layer is numbered by its output:
 * layer l is depth l + 1. Matrices are read when they are asked for.
 */
final class PublishedLens {
    /** Far more than the names of a lens take, and what a reader may well be given by mistake. */
    private static final long LONGEST_PICKLE = 1 << 24;

    private final Path file;
    private final Map<Integer, Pickle.StoredTensor> byLayer = new TreeMap<>();
    private final int prompts;
    private final int width;
    private final String folder; // within the archive
    private final ByteOrder order;

    /**
     * Reads what there is, and no matrix yet.
     *
     * @throws InputException if it is not such a file
     */
    PublishedLens(Path file, int width) throws IOException {
        this.file = file;
        this.width = width;
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry pickle = zip.stream()
                    .filter(entry -> entry.getName().endsWith("/data.pkl"))
                    .findFirst()
                    .orElseThrow(() -> wrong("it is an archive without data.pkl"));
            this.folder = pickle.getName().substring(0, pickle.getName().length() - "data.pkl".length());
            if (pickle.getSize() > LONGEST_PICKLE) {
                throw wrong("its data.pkl has " + pickle.getSize() + " bytes");
            }
            ZipEntry endian = zip.getEntry(folder + "byteorder");
            this.order = endian != null
                            && new String(bytes(zip, endian), StandardCharsets.US_ASCII)
                                    .strip()
                                    .equals("big")
                    ? ByteOrder.BIG_ENDIAN
                    : ByteOrder.LITTLE_ENDIAN;
            Object top = Pickle.read(bytes(zip, pickle));
            if (!(top instanceof Map<?, ?> fields) || !(fields.get("J") instanceof Map<?, ?> matrices)) {
                throw wrong("it has no map \"J\" of layers to matrices");
            }
            if (fields.get("d_model") instanceof Long found && found != width) {
                throw new InputException("the lens " + file + " is of width " + found + ", the model of " + width
                        + ": give one of this model");
            }
            this.prompts = fields.get("n_prompts") instanceof Long n ? Math.toIntExact(n) : 0;
            matrices.forEach((layer, matrix) -> byLayer.put(layer(layer), matrix(layer, matrix)));
        } catch (Pickle.Unreadable | ZipException | ArithmeticException damaged) {
            throw new InputException(message(damaged.getMessage()), damaged);
        }
    }

    private static byte[] bytes(ZipFile zip, ZipEntry entry) throws IOException {
        try (InputStream in = zip.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }

    private String message(String what) {
        return "cannot read " + file + " as a Jacobian lens: " + what
                + "; expected the published Jacobian lens's .pt, or tensors of averaged Jacobians";
    }

    private InputException wrong(String what) {
        return new InputException(message(what));
    }

    private int layer(Object key) {
        if (!(key instanceof Long layer) || layer < 0 || layer > Short.MAX_VALUE) {
            throw wrong("a key of \"J\" is " + key + ", not the number of a layer");
        }
        return Math.toIntExact(layer);
    }

    private Pickle.StoredTensor matrix(Object layer, Object value) {
        if (!(value instanceof Pickle.StoredTensor tensor)) {
            throw wrong("\"J\" of layer " + layer + " is no tensor");
        }
        for (Object extent : tensor.shape()) {
            if (tensor.shape().size() != 2 || !extent.equals((long) width)) {
                throw wrong("\"J\" of layer " + layer + " has shape " + tensor.shape() + ", not [" + width + ", "
                        + width + "]");
            }
        }
        type(tensor);
        return tensor;
    }

    private DType type(Pickle.StoredTensor tensor) {
        return switch (tensor.storage().type()) {
            case "HalfStorage" -> DType.F16;
            case "BFloat16Storage" -> DType.BF16;
            case "FloatStorage" -> DType.F32;
            case "DoubleStorage" -> DType.F64;
            default -> throw wrong("a matrix is a " + tensor.storage().type());
        };
    }

    /** The number of prompts that it says it is of; 0 where it says nothing. */
    int prompts() {
        return prompts;
    }

    /** The largest layer; -1 where it has none. */
    int lastLayer() {
        return byLayer.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1);
    }

    boolean has(int layer) {
        return byLayer.containsKey(layer);
    }

    /** The matrix of a layer, [D, D] row-major. */
    double[] matrix(int layer) {
        Pickle.StoredTensor tensor = byLayer.get(layer);
        DType type = type(tensor);
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(folder + "data/" + tensor.storage().key());
            if (entry == null || (type.bytes() > 1 && order == ByteOrder.BIG_ENDIAN)) {
                throw wrong(entry == null ? "the numbers of layer " + layer + " are missing" : "it is big endian");
            }
            byte[] stored = bytes(zip, entry);
            double[] values = new double[stored.length / type.bytes()];
            Decoder.decode(type, ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN), values, 0, values.length);
            double[] matrix = new double[width * width];
            long down = (Long) tensor.stride().get(0);
            long across = (Long) tensor.stride().get(1);
            for (int i = 0; i < width; i++) {
                for (int j = 0; j < width; j++) {
                    matrix[i * width + j] = values[Math.toIntExact(tensor.offset() + i * down + j * across)];
                }
            }
            return matrix;
        } catch (IndexOutOfBoundsException | ClassCastException | ArithmeticException damaged) {
            throw new InputException(message("the numbers of layer " + layer + " do not fit its shape"), damaged);
        } catch (IOException unreadable) {
            throw new UncheckedIOException("cannot read " + file, unreadable);
        }
    }
}

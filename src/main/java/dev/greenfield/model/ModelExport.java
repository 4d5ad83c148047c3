package dev.greenfield.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import dev.greenfield.text.Json;
import dev.greenfield.text.Lines;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;

/** Writes models as Hugging Face directories. */
public final class ModelExport {
    private static final Map<DType, String> TYPES =
            Map.of(DType.F32, "float32", DType.BF16, "bfloat16", DType.F16, "float16", DType.F64, "float64");

    private ModelExport() {}

    /** Writes a model in float32; see {@link #write(ModelSource, DType, Path)}. */
    public static void write(ModelSource source, Path directory) throws IOException {
        write(source, DType.F32, directory);
    }

    /**
     * Writes {@code config.json}, {@code model.safetensors} and the tokenizer's file where there is one. The directory
     * appears whole or not at all: it is made beside its place under another name and then renamed. Missing parents are made.
     *
     * @param source the model, which stays open
     * @param type of all tensors: F32, BF16, F16 or F64; numbers are rounded to it
     * @param directory where to; it must not exist, or be empty
     * @throws InputException if something is there already
     * @throws IOException if it cannot be written
     */
    public static void write(ModelSource source, DType type, Path directory) throws IOException {
        if (!TYPES.containsKey(type)) {
            throw new InputException(
                    "found the type " + type + " for weights, expected F32, BF16, F16 or F64; name one of these");
        }
        Path target = directory.toAbsolutePath().normalize();
        requireFree(target, Lines.quoted(directory.toString()));
        if (target.getParent() == null) {
            throw new InputException(Lines.quoted(directory.toString())
                    + ": found the root of a file system, expected a new directory; name one");
        }
        Files.createDirectories(target.getParent());
        // Not a temporary directory of the platform's making: those are closed to other users for ever.
        Path draft = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        Files.createDirectory(draft);
        try {
            fill(source, type, draft);
            Files.deleteIfExists(target); // an empty directory may be there; not every platform renames over it
            Files.move(draft, target);
        } catch (IOException | RuntimeException | Error failure) {
            remove(draft, failure);
            throw failure;
        }
    }

    /**
     * Refuses a place where something is.
     *
     * @param target where a model is to be written
     * @param name what messages call it
     * @throws InputException if there is anything but an empty directory
     * @throws IOException if that cannot be seen
     */
    public static void requireFree(Path target, String name) throws IOException {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        String found = Files.isRegularFile(target) ? "a file" : "something that is not a directory";
        if (Files.isDirectory(target)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(target)) {
                if (!entries.iterator().hasNext()) {
                    return;
                }
            }
            found = "a directory that is not empty";
        }
        throw new InputException(name + ": found " + found
                + ", expected nothing or an empty directory; choose another place or remove it");
    }

    private static void fill(ModelSource source, DType type, Path draft) throws IOException {
        Files.write(draft.resolve(ModelFiles.CONFIG), config(source, TYPES.get(type)));
        try (OutputStream out =
                new BufferedOutputStream(Files.newOutputStream(draft.resolve(ModelFiles.WEIGHTS)), 1 << 20)) {
            WeightsFile.write(source.config(), source.weights(), type, out);
        }
        for (String name : new String[] {ModelFiles.TOKENIZER, ModelFiles.TOKENS}) {
            if (source.files().has(name)) {
                try (InputStream stream = source.files().stream(name)) {
                    Files.copy(stream, draft.resolve(name));
                }
            }
        }
    }

    /** The configuration as the model's own file has it, but for what the weights are stored in; GPT-2's is made. */
    private static byte[] config(ModelSource source, String type) throws IOException {
        if (source.config().family() == Family.GPT2) {
            return ConfigJson.write(source.config(), type);
        }
        String origin = source.files().origin(ModelFiles.CONFIG);
        ObjectNode config = (ObjectNode) Json.parse(source.files().read(ModelFiles.CONFIG), origin);
        if (config.has("text_config")) {
            throw new InputException(
                    origin + ": found a text model inside a larger one, expected one that stands alone;"
                            + " save the text model by itself");
        }
        config.remove("dtype");
        config.put("torch_dtype", type);
        return (config.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private static void remove(Path draft, Throwable failure) {
        try {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(draft)) {
                for (Path entry : entries) {
                    Files.delete(entry);
                }
            }
            Files.delete(draft);
        } catch (IOException alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
    }
}

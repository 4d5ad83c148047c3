package dev.greenfield.model;

import dev.greenfield.failure.InputException;
import dev.greenfield.hub.HubSnapshot;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.text.Lines;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** The files of one model, wherever they lie. */
interface ModelFiles {
    String CONFIG = "config.json";
    String WEIGHTS = "model.safetensors";
    String INDEX = "model.safetensors.index.json";
    String TOKENIZER = "tokenizer.json";
    String TOKENS = "tokens.json";
    String TOKENIZER_CONFIG = "tokenizer_config.json";
    String ADDED_TOKENS = "added_tokens.json";
    String VOCABULARY = "vocab.json";
    String MERGES = "merges.txt";

    /** The most bytes of a file that is read whole: the largest tokenizers in use have 40 MB. */
    int MOST_BYTES = 1 << 27;

    /** The most bytes of a file of settings. */
    int MOST_SETTINGS = 1 << 23;

    /** The most bytes of an index: a hundred a tensor, and more tensors than any model has. */
    int MOST_INDEX = 1 << 25;

    /** Whether there is a file of that name. */
    boolean has(String name);

    /** The file's bytes, to be closed by the caller. */
    InputStream stream(String name) throws IOException;

    /** The file as tensors. */
    Safetensors tensors(String name) throws IOException;

    /** What messages call the file. */
    String origin(String name);

    /** The whole of a small file. */
    default byte[] read(String name) throws IOException {
        try (InputStream stream = stream(name)) {
            int most = switch (name) {
                case CONFIG, TOKENIZER_CONFIG -> MOST_SETTINGS;
                case INDEX -> MOST_INDEX;
                default -> MOST_BYTES;
            };
            byte[] bytes = stream.readNBytes(most + 1);
            if (bytes.length > most) {
                throw new InputException(origin(name) + ": found more than " + (most >> 20)
                        + " MiB, expected a small file; get the file again");
            }
            return bytes;
        }
    }

    /**
     * The files of a directory.
     *
     * @param snapshot what they are of the hub, whose cache says where links may lead; null for a directory of the user's own
     */
    record Directory(Path path, HubSnapshot snapshot) implements ModelFiles {
        Directory(Path path) {
            this(path, null);
        }

        @Override
        public boolean has(String name) {
            return Files.exists(path.resolve(name));
        }

        private Path file(String name) throws IOException {
            return snapshot == null ? path.resolve(name) : snapshot.file(name);
        }

        @Override
        public InputStream stream(String name) throws IOException {
            Path file = file(name);
            if (!Files.isRegularFile(file)) {
                // A pipe would wait for a writer for ever.
                throw new InputException(origin(name) + ": found "
                        + (Files.isDirectory(file) ? "a directory" : "something that is no regular file")
                        + ", expected a file; move it away or get the model again");
            }
            return Files.newInputStream(file);
        }

        @Override
        public Safetensors tensors(String name) throws IOException {
            return Safetensors.open(file(name));
        }

        @Override
        public String origin(String name) {
            return Lines.one(path.resolve(name).toString());
        }
    }

    /** The files of the demo model, in the jar. */
    record Demo() implements ModelFiles {
        private static final String FOLDER = "/dev/greenfield/demo/";

        @Override
        public boolean has(String name) {
            return ModelFiles.class.getResource(FOLDER + name) != null;
        }

        @Override
        public InputStream stream(String name) throws IOException {
            InputStream stream = ModelFiles.class.getResourceAsStream(FOLDER + name);
            if (stream == null) {
                throw new FileNotFoundException(
                        origin(name) + " is not in this jar, which should bring it; build it again");
            }
            return stream;
        }

        @Override
        public Safetensors tensors(String name) throws IOException {
            return Safetensors.of(ByteBuffer.wrap(read(name)), origin(name));
        }

        @Override
        public String origin(String name) {
            return "demo:" + name;
        }
    }

    /** A configuration and no other file. */
    record Made(byte[] config) implements ModelFiles {
        @Override
        public boolean has(String name) {
            return name.equals(CONFIG);
        }

        @Override
        public InputStream stream(String name) throws IOException {
            return has(name) ? new ByteArrayInputStream(config) : new None().stream(name);
        }

        @Override
        public Safetensors tensors(String name) throws IOException {
            return new None().tensors(name);
        }

        @Override
        public String origin(String name) {
            return name;
        }
    }

    /** No files at all. */
    record None() implements ModelFiles {
        @Override
        public boolean has(String name) {
            return false;
        }

        @Override
        public InputStream stream(String name) throws IOException {
            throw new FileNotFoundException(name + " does not exist: this model has no files");
        }

        @Override
        public Safetensors tensors(String name) throws IOException {
            throw new FileNotFoundException(name + " does not exist: this model has no files");
        }

        @Override
        public String origin(String name) {
            return name;
        }
    }
}

package dev.greenfield.spark;

import dev.greenfield.Model;
import dev.greenfield.model.Precision;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsException;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;

/** Work whose files are safetensors: declared first, then written prompt by prompt, so that a task holds one prompt's tensors. */
abstract class TensorPart implements PartWork {
    private static final String DIGEST = "part_sha256";
    static final String BACKEND = "backend";
    static final String DEVICE = "device";

    @Override
    public final String suffix() {
        return ".safetensors";
    }

    /** Declares the tensors of a prompt. Where their shapes must be computed, they are kept for {@link #compute}. */
    abstract void declare(SafetensorsWriter.Builder file, DType type, Model model, Prompt prompt);

    /** Computes the tensors of a prompt and writes them. */
    abstract void compute(SafetensorsWriter file, DType type, Model model, Prompt prompt) throws IOException;

    /** The rows of a prompt. */
    abstract List<Row> rows(Safetensors file, Prompt prompt) throws IOException;

    @Override
    public final void write(Path path, String digest, Model model, List<Prompt> prompts) throws IOException {
        DType type = model.backend().precision() == Precision.FP64 ? DType.F64 : DType.F32;
        SafetensorsWriter.Builder builder = SafetensorsWriter.to(path)
                .metadata("work", name())
                .metadata(DIGEST, digest)
                .metadata(BACKEND, model.backend().name())
                .metadata(DEVICE, model.backend().device());
        for (Prompt prompt : prompts) {
            declare(builder, type, model, prompt);
        }
        try (SafetensorsWriter file = builder.open()) {
            for (Prompt prompt : prompts) {
                compute(file, type, model, prompt);
            }
            file.commit();
        }
    }

    @Override
    public final Optional<List<Row>> read(Path path, String digest, List<Prompt> prompts) throws IOException {
        try (Safetensors file = Safetensors.open(path)) {
            if (!digest.equals(file.metadata().get(DIGEST))) {
                return Optional.empty();
            }
            List<Row> rows = new ArrayList<>();
            for (Prompt prompt : prompts) {
                rows.addAll(rows(file, prompt));
            }
            return Optional.of(rows);
        } catch (NoSuchFileException | SafetensorsException missing) {
            return Optional.empty(); // computed, or computed again
        }
    }
}

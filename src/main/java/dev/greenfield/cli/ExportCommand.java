package dev.greenfield.cli;

import dev.greenfield.cli.io.OutputDirectory;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.cli.io.Staging;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.job.Action;
import dev.greenfield.cli.job.GeneralOptions;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.ModelExport;
import dev.greenfield.model.ModelSource;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model as a Hugging Face directory. */
@Command(sortOptions = false)
final class ExportCommand implements Action {
    @Option(
            names = "--model",
            paramLabel = "MODEL",
            required = true,
            description =
                    "a random model (see the reference), demo, a model directory, or ORG/NAME in the Hugging Face cache.")
    private String model;

    @Option(
            names = "--dtype",
            paramLabel = "TYPE",
            description = "What weights are stored in: fp32, bf16, fp16 or fp64. Default: fp32.")
    private String dtype = "fp32";

    @Option(
            names = "--out",
            paramLabel = "DIR",
            required = true,
            description = "Where to: a new directory, or an empty one.")
    private String out;

    @Mixin
    private final GeneralOptions general = new GeneralOptions();

    @Override
    public GeneralOptions general() {
        return general;
    }

    @Override
    public void run(Terminal terminal) throws IOException {
        terminal.workOnWithoutReader();
        DType type = type();
        Path target = OutputDirectory.path(out);
        ModelExport.requireFree(target, "--out " + Quantities.quoted(out));
        try (ModelSource source = ModelSource.open(model);
                Staging staging = OutputDirectory.stage(target.getParent(), out)) {
            terminal.progress("writing " + source.config().parameters() + " parameters");
            Path draft = staging.directory().resolve("model");
            ModelExport.write(source, type, draft);
            staging.commit(() -> {
                try {
                    // An empty directory may be there; not every platform renames over it.
                    Files.deleteIfExists(target);
                    Files.move(draft, target);
                } catch (DirectoryNotEmptyException | FileAlreadyExistsException meanwhile) {
                    throw OutputDirectory.madeMeanwhile(out, meanwhile);
                }
            });
            terminal.line("written to " + out);
        }
    }

    private DType type() {
        return switch (dtype) {
            case "fp32" -> DType.F32;
            case "bf16" -> DType.BF16;
            case "fp16" -> DType.F16;
            case "fp64" -> DType.F64;
            default ->
                throw new InputException("--dtype " + Quantities.quoted(dtype) + ": expected fp32, bf16, fp16 or fp64");
        };
    }
}

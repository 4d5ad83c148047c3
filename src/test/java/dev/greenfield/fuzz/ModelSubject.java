package dev.greenfield.fuzz;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.model.ModelFolders;
import dev.greenfield.model.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A model directory of which one file is changed, opened and used. */
final class ModelSubject implements Subject {
    private final Path folder = Folders.create();
    private final FuzzTarget.Kind kind;
    private final Path file;
    private final List<byte[]> seeds;

    ModelSubject(FuzzTarget.Kind kind) throws IOException {
        this.kind = kind;
        this.file = folder.resolve(
                switch (kind) {
                    case CONFIG -> "config.json";
                    case INDEX -> "model.safetensors.index.json";
                    default -> "tokenizer.json";
                });
        this.seeds = kind == FuzzTarget.Kind.TOKENIZER
                ? ModelFolders.tokenizers(folder)
                : ModelFolders.model(folder, kind == FuzzTarget.Kind.INDEX, file);
    }

    @Override
    public void read(Choices choices) throws IOException {
        Files.write(file, JsonMutants.mutant(choices.of(seeds), choices));
        if (kind == FuzzTarget.Kind.TOKENIZER) {
            try (ModelSource source = ModelSource.open(folder)) {
                source.tokenizer().encode("a Paris<|x|> 12 \u00e9\ud83d\ude00 ##b");
            }
            return;
        }
        try (Model model = Greenfield.load(folder.toString(), Options.defaults().backend("reference"));
                Run run = model.run(1, 2)) {
            if (run.logits().length == 0) {
                throw new AssertionError("no logits");
            }
        }
    }

    @Override
    public void close() throws IOException {
        Folders.delete(folder);
    }
}

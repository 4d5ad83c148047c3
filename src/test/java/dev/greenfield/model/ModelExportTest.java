package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelExportTest {
    @TempDir
    Path folder;

    private static void same(ModelSource source, ModelSource copy) {
        assertThat(copy.config()).isEqualTo(source.config());
        ParameterLayout.shapes(source.config()).forEach((name, shape) -> {
            int elements = Math.toIntExact(ParameterLayout.elements(shape));
            float[] expected = new float[elements];
            float[] found = new float[elements];
            source.parameter(name).read(0, expected, 0, elements);
            copy.parameter(name).read(0, found, 0, elements);
            assertThat(found).as(name).isEqualTo(expected);
        });
    }

    private String[] left() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toArray(String[]::new);
        }
    }

    @Test
    void aRandomModelAndItsExportAreOne() throws IOException {
        Path target = folder.resolve("deep/er/model");
        try (ModelSource source = ModelSource.open("random:2,2,8,11,5,seed=3")) {
            ModelExport.write(source, target);
            try (ModelSource copy = ModelSource.open(target)) {
                same(source, copy);
                assertThat(copy.sha256()).isEqualTo(source.sha256());
            }
        }
        assertThat(target).isDirectoryNotContaining("glob:**tokenizer.json");
    }

    @Test
    void theDemoKeepsItsTokenizer() throws IOException {
        try (ModelSource demo = ModelSource.open("demo")) {
            ModelExport.write(demo, folder.resolve("demo"));
            try (ModelSource copy = ModelSource.open(folder.resolve("demo"))) {
                same(demo, copy);
                assertThat(copy.tokenizer().encode("The capital"))
                        .isEqualTo(demo.tokenizer().encode("The capital"));
            }
        }
        assertThat(left()).containsExactly("demo");
    }

    @Test
    void anUntiedModelIsSavedAsHuggingFaceDoes() throws IOException {
        Path original = Files.createDirectory(folder.resolve("original"));
        new ModelDirectory(original)
                .config(ModelDirectory.CONFIG.replace("}", ", \"tie_word_embeddings\": false}"))
                .tensor("lm_head.weight", DType.F16, 5, 4)
                .whole();
        Path target = Files.createDirectory(folder.resolve("empty directories are taken"));
        try (ModelSource source = ModelSource.open(original)) {
            ModelExport.write(source, target);
            try (ModelSource copy = ModelSource.open(target)) {
                same(source, copy);
            }
        }
        try (Safetensors file = Safetensors.open(target.resolve("model.safetensors"))) {
            assertThat(file.names()).contains("lm_head.weight", "transformer.wte.weight");
            assertThat(file.tensor("lm_head.weight").dtype()).isEqualTo(DType.F32);
            assertThat(file.metadata()).containsEntry("format", "pt");
        }
    }

    @Test
    void leavesWhatIsThereAlone() throws IOException {
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.writeString(full.resolve("note"), "mine");
        try (ModelSource demo = ModelSource.open("demo")) {
            assertThatThrownBy(() -> ModelExport.write(demo, full))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("found a directory that is not empty");
            assertThatThrownBy(() -> ModelExport.write(demo, full.resolve("note")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("found a file");
        }
        assertThat(full.resolve("note")).hasContent("mine");
        assertThat(left()).containsExactly("full");
    }

    @Test
    void aFailureLeavesNothing() throws IOException {
        ModelSource demo = ModelSource.open(new ModelDirectory(Files.createDirectory(folder.resolve("model")))
                .whole()
                .path());
        demo.close(); // its tensors cannot be read any more
        assertThatThrownBy(() -> ModelExport.write(demo, folder.resolve("copy")))
                .isInstanceOf(IllegalStateException.class);
        assertThat(left()).containsExactly("model");
    }
}

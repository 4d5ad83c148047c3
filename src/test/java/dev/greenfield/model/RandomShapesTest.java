package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import dev.greenfield.safetensors.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Random models of every family: their shapes, and that what is exported is read as what was made. */
@Tag("slow")
class RandomShapesTest {
    /** Parameters as the published models are counted. */
    @ParameterizedTest
    @CsvSource({
        "llama-3.2-1b, 1235814400",
        "llama-3.1-8b, 8030261248",
        "qwen2.5-0.5b, 494032768",
        "qwen3-0.6b, 596049920",
        "smollm2-135m, 134515008",
        "pythia-160m, 162322944",
        "gemma-2-2b, 2614341888"
    })
    void aPublishedShapeHasAsManyParametersAsTheModel(String name, long parameters) throws IOException {
        try (ModelSource source = ModelSource.open("random:" + name)) {
            assertThat(source.config().parameters()).isEqualTo(parameters);
        }
    }

    @Test
    void aFamilyTakesSizesByName() throws IOException {
        String spec = "random:qwen3:layers=2,heads=4,keys=2,head=6,width=20,inner=56,vocabulary=90,positions=33,seed=7";
        try (ModelSource source = ModelSource.open(spec)) {
            ModelConfig config = source.config();
            Architecture.Attention attention = config.architecture().attention();
            assertThat(config.family()).isEqualTo(Family.QWEN3);
            assertThat(new int[] {
                        config.layers(),
                        config.heads(),
                        attention.keyHeads(),
                        config.headWidth(),
                        config.width(),
                        config.inner(),
                        config.vocabulary(),
                        config.positions()
                    })
                    .containsExactly(2, 4, 2, 6, 20, 56, 90, 33);
        }
    }

    @Test
    void partsOfAParameterAreThoseOfTheWhole() throws IOException {
        try (ModelSource source = ModelSource.open("random:llama-3.1-8b")) {
            Parameter up = source.parameter("h.31.mlp.c_fc.weight");
            assertThat(up.shape()).containsExactly(4096, 28672);
            float[] whole = new float[20000];
            up.read(4095L * 28672 + 5000, whole, 0, whole.length);
            float[] part = new float[100];
            up.read(4095L * 28672 + 5000 + 12345, part, 0, 100);
            for (int i = 0; i < 100; i++) {
                assertThat(part[i]).isEqualTo(whole[12345 + i]);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "random:llama:layers=2,heads=4,keys=2,width=64,inner=96,vocabulary=100,positions=64",
                "random:mistral:layers=2,heads=4,keys=1,width=24,inner=30,vocabulary=50,positions=16",
                "random:qwen2:layers=2,heads=4,keys=2,width=64,inner=96,vocabulary=100,positions=64",
                "random:qwen3:layers=2,heads=4,keys=2,head=6,width=20,inner=530,vocabulary=90,positions=33",
                "random:gpt_neox:layers=2,heads=4,width=32,inner=40,vocabulary=90,positions=33",
                "random:gpt_neo:layers=2,heads=4,width=32,inner=40,vocabulary=90,positions=33",
                "random:gemma:layers=2,heads=4,keys=1,head=8,width=20,inner=40,vocabulary=90,positions=33",
                "random:gemma2:layers=2,heads=4,keys=2,head=8,width=20,inner=40,vocabulary=90,positions=33",
                "random:gemma3_text:layers=6,heads=4,keys=2,head=8,width=20,inner=40,vocabulary=90,positions=33",
                "random:olmo2:layers=2,heads=4,keys=2,width=600,inner=40,vocabulary=90,positions=33",
                "random:gpt2:layers=2,heads=4,width=32,inner=40,vocabulary=90,positions=33"
            })
    void whatIsExportedIsReadAsWhatWasMade(String spec, @TempDir Path folder) throws IOException {
        Path directory = folder.resolve("model");
        try (ModelSource made = ModelSource.open(spec)) {
            ModelExport.write(made, directory);
            ModelExport.write(made, DType.BF16, folder.resolve("half"));
            try (ModelSource stored = ModelSource.open(directory);
                    ModelSource half = ModelSource.open(folder.resolve("half"))) {
                assertThat(stored.config()).isEqualTo(made.config());
                assertThat(half.config()).isEqualTo(made.config());
                assertThat(stored.sha256()).isEqualTo(made.sha256());
                assertThat(stored.notes()).isEmpty();
                Random random = new Random(1);
                for (String name : ParameterLayout.shapes(made.config()).keySet()) {
                    compare(made.parameter(name), stored.parameter(name), half.parameter(name), random);
                }
            }
        }
    }

    /** Reads the whole and random parts, as floats and as doubles. */
    private static void compare(Parameter made, Parameter stored, Parameter half, Random random) {
        int elements = (int) ParameterLayout.elements(made.shape());
        for (int i = 0; i < 8; i++) {
            int from = i == 0 ? 0 : random.nextInt(elements);
            int count = i == 0 ? elements : random.nextInt(elements - from + 1);
            float[] expected = new float[count];
            made.read(from, expected, 0, count);
            float[] floats = new float[count + 3];
            double[] doubles = new double[count + 3];
            float[] rounded = new float[count];
            stored.read(from, floats, 3, count);
            stored.read(from, doubles, 3, count);
            half.read(from, rounded, 0, count);
            assertThat(Arrays.copyOfRange(floats, 3, count + 3)).as(made.name()).isEqualTo(expected);
            float worst = 0;
            boolean same = true;
            for (int j = 0; j < count; j++) {
                same &= doubles[3 + j] == expected[j];
                worst = Math.max(worst, Math.abs(rounded[j] - expected[j]) - Math.abs(expected[j]) / 256);
            }
            assertThat(same).as(made.name() + " as doubles").isTrue();
            assertThat(worst).as(made.name() + " from bf16").isLessThanOrEqualTo(0);
        }
        assertThat(stored.single()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "random:lama:layers=2 | expected one of \"gpt2\"",
                "random:llama:layers=2 | found no heads, expected layers, heads, keys, head, width",
                "random:llama:layers=2,layers=3 | found layers twice",
                "random:llama:layers=two | found \"two\" for layers",
                "random:llama:depth=2 | found \"depth=2\" for a size of a Llama model",
                "random:gpt_neox:keys=2 | found \"keys=2\" for a size of a GPT-NeoX model",
                "random:llama:layers=2,heads=4,keys=3,width=64,inner=96,vocabulary=100,positions=64 | num_key_value_heads: found 3",
                "random:llama:layers=2,heads=0,width=64,inner=96,vocabulary=100,positions=64 | width: found 64",
                "random:llama-9b | expected gpt2, gpt2-medium, gpt2-large, gpt2-xl, llama-3.2-1b"
            })
    void wrongShapesAreRefusedInOneLine(String spec, String message) {
        assertThatThrownBy(() -> ModelSource.open(spec))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message)
                .hasMessageStartingWith("\"random:")
                .hasMessageNotContainingAny("\n");
    }
}

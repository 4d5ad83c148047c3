package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RandomModelTest {
    private static float[] all(ModelSource source, String name) {
        Parameter parameter = source.parameter(name);
        float[] values = new float[Math.toIntExact(ParameterLayout.elements(parameter.shape()))];
        parameter.read(0, values, 0, values.length);
        return values;
    }

    @Test
    void isTheSameOnEveryMachine() throws IOException {
        // Published numbers rest on these weights: if this changes, so do they.
        try (ModelSource source = ModelSource.open("random:2,2,8,11,5,seed=3")) {
            assertThat(source.sha256()).isEqualTo("36357819870047bdfc1caccba8b87249368e7fa58c843df988b5ce73f2ab1adf");
        }
    }

    @Test
    void followsGpt2sInitialization() throws IOException {
        try (ModelSource source = ModelSource.open("random:8,4,128,1000,64,seed=5")) {
            assertThat(deviation(all(source, "wte.weight"))).isCloseTo(0.02, within(2e-4));
            assertThat(deviation(all(source, "h.3.attn.c_attn.weight"))).isCloseTo(0.02, within(3e-4));
            assertThat(deviation(all(source, "h.3.mlp.c_proj.weight"))).isCloseTo(0.02 / 4, within(1e-4));
            assertThat(deviation(all(source, "h.0.attn.c_proj.weight"))).isCloseTo(0.02 / 4, within(2e-4));
            assertThat(all(source, "h.7.ln_2.weight")).containsOnly(1);
            assertThat(all(source, "ln_f.bias")).containsOnly(0);
            assertThat(all(source, "h.1.mlp.c_fc.bias")).containsOnly(0).hasSize(512);
            assertThat(source.parameter("lm_head.weight").name()).isEqualTo("wte.weight");
        }
    }

    private static double deviation(float[] values) {
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += (double) value * value;
        }
        assertThat(sum / values.length).isCloseTo(0, within(5e-4));
        return Math.sqrt(squares / values.length);
    }

    @Test
    void anyRangeIsAPartOfTheWhole() throws IOException {
        try (ModelSource source = ModelSource.open("random:1,2,64,300,40")) {
            Parameter parameter = source.parameter("wte.weight"); // 19200 elements, 4.7 runs
            float[] whole = all(source, "wte.weight");
            for (int[] range :
                    new int[][] {{0, 0}, {0, 1}, {4095, 2}, {4096, 4096}, {5000, 9000}, {19199, 1}, {19200, 0}}) {
                float[] part = new float[range[1] + 2];
                parameter.read(range[0], part, 1, range[1]);
                assertThat(Arrays.copyOfRange(part, 1, range[1] + 1))
                        .isEqualTo(Arrays.copyOfRange(whole, range[0], range[0] + range[1]));
                double[] wide = new double[range[1] + 2];
                parameter.read(range[0], wide, 1, range[1]);
                for (int i = 0; i < wide.length; i++) {
                    assertThat(wide[i]).isEqualTo(part[i]);
                }
            }
            assertThatThrownBy(() -> parameter.read(19199, new float[2], 0, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> parameter.read(0, new double[2], 1, 2))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void seedsAndNamesMakeDifferentNumbers() throws IOException {
        try (ModelSource zero = ModelSource.open("random:2,2,8,11,5");
                ModelSource same = ModelSource.open("random:2,2,8,11,5,seed=0");
                ModelSource other = ModelSource.open("random:2,2,8,11,5,seed=-1")) {
            assertThat(all(zero, "wte.weight")).isEqualTo(all(same, "wte.weight"));
            assertThat(zero.sha256()).isEqualTo(same.sha256()).isNotEqualTo(other.sha256());
            assertThat(all(zero, "wte.weight")).isNotEqualTo(all(other, "wte.weight"));
            assertThat(all(zero, "h.0.mlp.c_fc.weight")).isNotEqualTo(all(zero, "h.1.mlp.c_fc.weight"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "random:gpt2,12,12,768,124439808",
        "'random:gpt2,seed=3',12,12,768,124439808",
        "random:gpt2-medium,24,16,1024,354823168",
        "random:gpt2-large,36,20,1280,774030080",
        "random:gpt2-xl,48,25,1600,1557611200"
    })
    void knowsTheSizesOfGpt2(String spec, int layers, int heads, int width, long parameters) throws IOException {
        try (ModelSource source = ModelSource.open(spec)) {
            ModelConfig config = source.config();
            assertThat(new int[] {config.layers(), config.heads(), config.width(), config.inner()})
                    .containsExactly(layers, heads, width, 4 * width);
            assertThat(new int[] {config.vocabulary(), config.positions()}).containsExactly(50257, 1024);
            assertThat(config.parameters()).isEqualTo(parameters);
            assertThat(source.spec()).isEqualTo(spec);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "random:",
                "random:gpt3",
                "random:gpt2,7",
                "random:2,4,64,100",
                "random:2,4,64,100,32,5",
                "random:2,4,x,100,32",
                "random:2,4,64,100,32,seed=",
                "random:2,4,64,100,32,seed=1.5",
                "random:seed=1",
                "random:2,4,64,100,99999999999",
                "random:seed=1,gpt2"
            })
    void answersBadSpecificationsWithAnExample(String spec) {
        assertThatThrownBy(() -> ModelSource.open(spec))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("\"" + spec + "\": found ")
                .hasMessageContaining("for example random:");
    }

    @ParameterizedTest
    @CsvSource({
        "'random:2,3,64,100,32','n_embd: found 64, expected a multiple of n_head (3)'",
        "'random:0,3,64,100,32','n_layer: found 0'",
        "'random:2,1,2000000000,100,32','n_embd: found 2000000000'",
        "'random:2000000000,1,500000000,100,32','9e18 parameters'"
    })
    void namesTheNumberThatIsOutOfRange(String spec, String message) {
        assertThatThrownBy(() -> ModelSource.open(spec))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(spec, message);
    }
}

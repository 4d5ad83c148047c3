package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Configurations of the families that have Llama's block: defaults, both dialects, and what is refused. */
class FamilyConfigTest {
    private static final String SIZES =
            "\"hidden_size\": 32, \"intermediate_size\": 56, \"max_position_embeddings\": 64,"
                    + " \"num_attention_heads\": 4, \"num_hidden_layers\": 2, \"vocab_size\": 96";

    private static ModelConfig read(String type, String more) throws IOException {
        String json = "{\"model_type\": \"" + type + "\", " + SIZES + (more.isEmpty() ? "" : ", " + more) + "}";
        return ConfigJson.read(json.getBytes(StandardCharsets.UTF_8), "config.json");
    }

    private static List<Double> frequencies(String more) throws IOException {
        return read("llama", more).architecture().attention().rotary().frequencies();
    }

    @Test
    void whatIsAbsentHasTheDefaultOfItsClass() throws IOException {
        ModelConfig config = read("llama", "");
        Architecture.Attention attention = config.architecture().attention();
        assertThat(config.epsilon()).isEqualTo(1e-6);
        assertThat(config.tied()).isFalse();
        assertThat(attention.keyHeads()).isEqualTo(4);
        assertThat(attention.headWidth()).isEqualTo(8);
        assertThat(attention.scale()).isEqualTo(1 / Math.sqrt(8));
        assertThat(attention.bias()).isFalse();
        assertThat(config.activation()).isEqualTo(Activation.SILU);
        assertThat(attention.rotary().frequencies()).hasSize(4);
        assertThat(attention.rotary().frequencies().get(1)).isCloseTo(0.1, within(1e-15));
        assertThat(read("mistral", "\"num_key_value_heads\": null")
                        .architecture()
                        .attention()
                        .windows())
                .containsExactly(4096, 4096);
        Architecture.Attention qwen3 =
                read("qwen3", "\"num_key_value_heads\": 2").architecture().attention();
        assertThat(qwen3.headWidth()).isEqualTo(128);
        assertThat(qwen3.headNorms()).isEqualTo(Architecture.HeadNorms.EACH);
        Architecture.Attention qwen2 =
                read("qwen2", "\"num_key_value_heads\": 2").architecture().attention();
        assertThat(qwen2.bias()).isTrue();
        assertThat(qwen2.outputBias()).isFalse();
        assertThat(qwen2.windows()).isEmpty();
    }

    @Test
    void bothDialectsMeanTheSame() throws IOException {
        String old = "\"rope_theta\": 5000.0, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2.5}";
        String now = "\"rope_parameters\": {\"rope_theta\": 5000.0, \"rope_type\": \"linear\", \"factor\": 2.5}";
        assertThat(frequencies(old)).isEqualTo(frequencies(now));
        assertThat(frequencies(old).get(0)).isEqualTo(0.4);
    }

    /** Values by hand from the definition: 8 elements, theta 10000 and a context of 128 put the bounds at 0 and 2. */
    @Test
    void yarnBendsTheFrequenciesBetweenItsBounds() throws IOException {
        String yarn = "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0,"
                + " \"original_max_position_embeddings\": 128}";
        Rotary rotary = read("llama", yarn).architecture().attention().rotary();
        assertThat(rotary.magnitude()).isCloseTo(0.1 * Math.log(4) + 1, within(1e-15));
        double[] expected = {1, 0.1 * (0.25 * 0.5 + 0.5), 0.01 / 4, 0.001 / 4};
        for (int i = 0; i < expected.length; i++) {
            assertThat(rotary.frequencies().get(i)).isCloseTo(expected[i], within(1e-15));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "llama | \"clip_qkv\": 8 | clip_qkv: found 8, expected only keys that Llama is known to have",
                "mistral | \"num_key_value_heads\": 2, \"attention_bias\": true | attention_bias: found true",
                "llama | \"rope_scaling\": {\"type\": \"longrope\"} | found the type \"longrope\", expected default, linear",
                "llama | \"rope_scaling\": {\"type\": \"linear\"} | rope_scaling.factor: found no such field",
                "llama | \"rope_scaling\": {\"twist\": 1} | rope_scaling: found \"twist\"",
                "llama | \"hidden_act\": \"mish\" | hidden_act: found \"mish\", expected silu",
                "llama | \"num_key_value_heads\": 3 | num_key_value_heads: found 3, expected a divisor",
                "llama | \"head_dim\": 7 | head_dim: found 7 elements of 7 that turn, expected an even number",
                "llama | \"rms_norm_eps\": 0 | rms_norm_eps: found 0.0",
                "qwen2 | \"num_key_value_heads\": 2, \"layer_types\": [\"full_attention\"] | layer_types: found 1 entries",
                "qwen2 | \"num_key_value_heads\": 2, \"layer_types\": [\"linear\", \"linear\"] | layer_types: found \"linear\"",
            })
    void refusesWhatCouldChangeTheArithmetic(String type, String more, String message) {
        assertThatThrownBy(() -> read(type, more))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    /** A size that is not there is not that of the published model that the class has for default. */
    @Test
    void sizesAreNotGuessed() {
        assertThatThrownBy(() ->
                        ConfigJson.read("{\"model_type\": \"llama\"}".getBytes(StandardCharsets.UTF_8), "config.json"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("num_hidden_layers: found no such field");
    }

    @Test
    void parametersAreThoseOfTheLayout() throws IOException {
        ModelConfig config = read("qwen3", "\"num_key_value_heads\": 2, \"head_dim\": 12");
        long elements = ParameterLayout.shapes(config).values().stream()
                .mapToLong(ParameterLayout::elements)
                .sum();
        assertThat(config.parameters()).isEqualTo(elements);
    }
}

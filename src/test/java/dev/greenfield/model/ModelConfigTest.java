package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelConfigTest {
    private static ModelConfig read(String json) throws IOException {
        return ConfigJson.read(json.getBytes(StandardCharsets.UTF_8), "config.json");
    }

    @Test
    void fillsInWhatHuggingFaceLeavesOut() throws IOException {
        assertThat(read(ModelDirectory.CONFIG))
                .isEqualTo(new ModelConfig(2, 2, 4, 16, 6, 5, 1e-5, Activation.GELU_NEW, true, true, false));
    }

    @Test
    void takesTransformersDefaultsAndAliases() throws IOException {
        assertThat(read("{\"model_type\": \"gpt2\"}"))
                .isEqualTo(
                        new ModelConfig(12, 12, 768, 3072, 1024, 50257, 1e-5, Activation.GELU_NEW, true, true, false));
        assertThat(read(
                        "{\"model_type\": \"gpt2\", \"num_hidden_layers\": 2, \"num_attention_heads\": 3, \"hidden_size\": 6,"
                                + " \"max_position_embeddings\": 7, \"note\": NaN}"))
                .isEqualTo(new ModelConfig(2, 3, 6, 24, 7, 50257, 1e-5, Activation.GELU_NEW, true, true, false));
    }

    @Test
    void readsEveryVariant() throws IOException {
        ModelConfig config = read(ModelDirectory.CONFIG
                .replace("\"n_inner\": null", "\"n_inner\": 7")
                .replace(
                        "}",
                        ", \"tie_word_embeddings\": false, \"scale_attn_weights\": false,"
                                + " \"scale_attn_by_inverse_layer_idx\": true}"));
        assertThat(config).isEqualTo(new ModelConfig(2, 2, 4, 7, 6, 5, 1e-5, Activation.GELU_NEW, false, false, true));
        assertThat(read(new String(ConfigJson.write(config, "float32"), StandardCharsets.UTF_8)))
                .isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource({
        "gelu_new,GELU_NEW",
        "gelu_pytorch_tanh,GELU_NEW",
        "gelu_fast,GELU_NEW",
        "gelu_accurate,GELU_NEW",
        "gelu_python_tanh,GELU_NEW",
        "gelu_python,GELU",
        "gelu,GELU",
        "relu,RELU"
    })
    void knowsTheActivations(String name, Activation activation) throws IOException {
        assertThat(read(ModelDirectory.CONFIG.replace("gelu_new", name)).activation())
                .isEqualTo(activation);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"model_type\": \"gpt2\" | \"model_type\": \"bloom\" | model_type: found \"bloom\", expected one of \"gpt2\", \"llama\", \"mistral\", \"qwen2\", \"qwen3\"",
                "\"model_type\": \"gpt2\" | \"type\": \"gpt2\" | model_type: found no such field",
                "\"n_layer\": 2 | \"n_layer\": 2, \"num_hidden_layers\": 3 | n_layer: found 2, and 3 as num_hidden_layers",
                "\"n_layer\": 2 | \"n_layer\": null | n_layer: found null, expected a whole number",
                "\"n_inner\": null | \"quantization_config\": {\"bits\": 4} | quantization_config: found",
                "\"n_layer\": 2 | \"n_layer\": \"2\" | n_layer: found \"2\", expected a whole number",
                "\"n_layer\": 2 | \"n_layer\": 2.5 | n_layer: found 2.5, expected a whole number",
                "\"n_layer\": 2 | \"n_layer\": 0 | n_layer: found 0, expected a whole number of at least 1",
                "\"n_layer\": 2 | \"n_layer\": 12345678901 | n_layer: found 12345678901",
                "\"n_head\": 2 | \"n_head\": 3 | n_embd: found 4, expected a multiple of n_head (3)",
                "\"n_head\": 2 | \"n_head\": -2 | n_head: found -2",
                "\"n_embd\": 4 | \"n_embd\": 2000000000 | n_embd: found 2000000000, expected at most",
                "\"n_embd\": 4 | \"n_embd\": [4] | n_embd: found an array, expected a whole number",
                "\"n_inner\": null | \"n_inner\": true | n_inner: found true",
                "\"vocab_size\": 5 | \"vocab_size\": null | vocab_size: found null",
                "1e-05 | \"1e-5\" | layer_norm_epsilon: found \"1e-5\", expected a number",
                "1e-05 | 0 | layer_norm_epsilon: found 0.0, expected a finite number greater than 0",
                "1e-05 | 1e999 | layer_norm_epsilon: found Infinity",
                "gelu_new | silu | activation_function: found \"silu\", expected gelu_new",
                "\"n_inner\": null | \"tie_word_embeddings\": 1 | tie_word_embeddings: found 1, expected true or false",
                "\"n_inner\": null | \"add_cross_attention\": true | add_cross_attention: found true",
                "\"n_inner\": null | \"n_layer\": 3 | Duplicate field 'n_layer'",
            })
    void namesTheFieldThatIsWrong(String part, String by, String message) {
        assertThat(ModelDirectory.CONFIG).contains(part);
        assertThatThrownBy(() -> read(ModelDirectory.CONFIG.replace(part, by)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "3", "{} {}", "{\"n_layer\": 2,}", "not json", "{\"a\": [1, 2"})
    void refusesWhatIsNoConfiguration(String json) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("config.json: found ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void scalesAttention() {
        ModelConfig plain = new ModelConfig(2, 2, 8, 16, 6, 5, 1e-5, Activation.RELU, true, true, false);
        assertThat(plain.headWidth()).isEqualTo(4);
        assertThat(plain.attentionScale(1)).isEqualTo(0.5);
        ModelConfig byLayer = new ModelConfig(2, 2, 8, 16, 6, 5, 1e-5, Activation.RELU, true, true, true);
        assertThat(byLayer.attentionScale(1)).isEqualTo(0.25);
        ModelConfig unscaled = new ModelConfig(2, 2, 8, 16, 6, 5, 1e-5, Activation.RELU, true, false, true);
        assertThat(unscaled.attentionScale(1)).isEqualTo(0.5);
    }

    @Test
    void countsParametersAsTheLayoutDoes() {
        for (boolean tied : new boolean[] {true, false}) {
            ModelConfig config = new ModelConfig(3, 2, 8, 20, 6, 5, 1e-5, Activation.RELU, tied, true, false);
            long sum = ParameterLayout.shapes(config).values().stream()
                    .mapToLong(ParameterLayout::elements)
                    .sum();
            assertThat(config.parameters()).isEqualTo(sum);
        }
        assertThatThrownBy(() -> new ModelConfig(
                        2_000_000_000, 1, 500_000_000, 1, 1, 1, 1e-5, Activation.RELU, true, true, false))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("9e18 parameters");
    }

    @Test
    void checksTokens() {
        ModelConfig config = new ModelConfig(1, 1, 4, 16, 3, 5, 1e-5, Activation.RELU, true, true, false);
        config.checkTokens(new int[] {0, 4, 2});
        assertThatThrownBy(() -> config.checkTokens(new int[0]))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no tokens");
        assertThatThrownBy(() -> config.checkTokens(new int[4]))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("4 tokens, expected at most 3");
        assertThatThrownBy(() -> config.checkTokens(new int[] {0, 5}))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("token 1: found id 5, expected 0 to 4");
        assertThatThrownBy(() -> config.checkTokens(new int[] {-1}))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("found id -1");
    }
}

package dev.greenfield.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
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
                "llama | \"head_dim\": 7 | head_dim: found 8 elements of 7 that turn, expected 2 to 7",
                "llama | \"rms_norm_eps\": 0 | rms_norm_eps: found 0.0",
                "qwen2 | \"num_key_value_heads\": 2, \"layer_types\": [\"full_attention\"] | layer_types: found 1 entries",
                "qwen2 | \"num_key_value_heads\": 2, \"layer_types\": [\"linear\", \"linear\"] | layer_types: found \"linear\"",
                "gpt_neox | \"rotary_pct\": 0.5, \"partial_rotary_factor\": 0.25 | rotary_pct: found 0.5, and 0.25 as",
                "gpt_neox | \"rotary_pct\": 0.1 | head_dim: found 0 elements of 8 that turn",
                "gemma2 | \"num_key_value_heads\": 2, \"attn_logit_softcapping\": -1 | attn_logit_softcapping: found -1.0",
                "gemma2 | \"num_key_value_heads\": 2, \"final_logit_softcapping\": 1e-60 | final_logit_softcapping: found 1.0E-60",
                "gemma2 | \"num_key_value_heads\": 2, \"query_pre_attn_scalar\": 0 | query_pre_attn_scalar: found 0.0",
                "gemma3_text | \"num_key_value_heads\": 2, \"rope_parameters\": {\"rope_type\": \"linear\", \"factor\": 8.0} | rope_parameters: found no kind of blocks",
                "gemma2 | \"num_key_value_heads\": 2, \"layer_types\": {\"a\": 1} | layer_types: found an object, expected a list",
                "llama | \"partial_rotary_factor\": 0.5 | partial_rotary_factor: found 0.5, expected only keys",
                "gemma3_text | \"num_key_value_heads\": 2, \"sliding_window_pattern\": 0 | sliding_window_pattern: found 0",
                "gemma3_text | \"num_key_value_heads\": 2, \"use_bidirectional_attention\": true | use_bidirectional_attention",
                "gemma3 | \"text_config\": 7 | text_config: found 7, expected an object",
                "olmo2 | \"clip_qkv\": 8 | clip_qkv: found 8",
                "phi | \"x\": 1 | model_type: found \"phi\", expected one of \"gpt2\", \"llama\"",
            })
    void refusesWhatCouldChangeTheArithmetic(String type, String more, String message) {
        assertThatThrownBy(() -> read(type, more))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("config.json: ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    @Test
    void gemmasHaveTheDefaultsOfTheirClasses() throws IOException {
        ModelConfig two = read("gemma2", "");
        Architecture.Attention attention = two.architecture().attention();
        assertThat(two.tied()).isTrue();
        assertThat(attention.keyHeads()).isEqualTo(4);
        assertThat(attention.headWidth()).isEqualTo(256);
        assertThat(attention.scale()).isEqualTo(1 / 16.0);
        assertThat(attention.softCap()).isEqualTo(50);
        assertThat(attention.windows()).containsExactly(4096, 0);
        assertThat(two.architecture().stream().logitCap()).isEqualTo(30);
        assertThat(two.architecture().stream().embeddingScale()).isEqualTo((float) Math.sqrt(32));
        assertThat(two.architecture().norm().placement()).isEqualTo(Architecture.Placement.AROUND);
        assertThat(two.activation()).isEqualTo(Activation.GELU_NEW);
        assertThat(read("gemma2", "\"sliding_window_size\": 4096")
                        .architecture()
                        .attention()
                        .windows())
                .containsExactly(4096, 0);
        assertThat(read("gemma2", "\"attn_logit_softcapping\": null")
                        .architecture()
                        .attention()
                        .softCap())
                .isZero();
        ModelConfig three = read(
                "gemma3_text",
                "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 8.0},"
                        + " \"attn_logit_softcapping\": 50.0, \"sliding_window_pattern\": 2");
        attention = three.architecture().attention();
        assertThat(attention.windows()).containsExactly(4096, 0);
        assertThat(attention.rotary(0).frequencies().get(0)).isEqualTo(1);
        assertThat(attention.rotary(1).frequencies().get(0)).isEqualTo(1 / 8.0);
        assertThat(attention.rotary(0).frequencies().get(1)).isCloseTo(Math.pow(1e4, -1 / 128.0), within(1e-15));
        assertThat(attention.rotary(1).frequencies().get(1)).isCloseTo(Math.pow(1e6, -1 / 128.0) / 8, within(1e-15));
        assertThat(attention.softCap()).isZero();
        assertThat(three.architecture().stream().logitCap()).isZero();
        // The first files of Gemma say gelu, and mean its tanh form.
        assertThat(read("gemma", "\"hidden_act\": \"gelu\", \"num_key_value_heads\": 1")
                        .activation())
                .isEqualTo(Activation.GELU_NEW);
    }

    /** The published 4B's text_config: what is its class's default is left out. */
    @Test
    void nestedConfigurationsLeaveOutDefaults() throws IOException {
        String four = "{\"model_type\": \"gemma3\", \"vision_config\": {\"hidden_size\": 1152}, \"text_config\":"
                + " {\"hidden_size\": 2560, \"intermediate_size\": 10240, \"model_type\": \"gemma3_text\","
                + " \"num_hidden_layers\": 34, \"rope_scaling\": {\"factor\": 8.0, \"rope_type\": \"linear\"},"
                + " \"sliding_window\": 1024}}";
        ModelConfig config = ConfigJson.read(four.getBytes(StandardCharsets.UTF_8), "config.json");
        assertThat(config.vocabulary()).isEqualTo(262208);
        assertThat(config.heads()).isEqualTo(8);
        assertThat(config.headWidth()).isEqualTo(256);
        assertThat(config.architecture().attention().keyHeads()).isEqualTo(4);
        assertThat(config.architecture().attention().window(4)).isEqualTo(1024);
        assertThat(config.architecture().attention().window(5)).isZero();
        assertThat(config.positions()).isEqualTo(131072);
    }

    /** Keys of published files that say nothing of a forward pass. */
    @Test
    void keysOfDropoutAndSummariesAreHarmless() throws IOException {
        assertThat(read(
                                "gpt_neox",
                                "\"attention_probs_dropout_prob\": 0, \"hidden_dropout_prob\": 0, \"hidden_act\": \"gelu_fast\"")
                        .activation())
                .isEqualTo(Activation.GELU_NEW);
        String neo = "{\"model_type\": \"gpt_neo\", \"hidden_size\": 32, \"num_layers\": 2, \"num_heads\": 4,"
                + " \"max_position_embeddings\": 64, \"vocab_size\": 96, \"summary_first_dropout\": 0.1,"
                + " \"summary_type\": \"cls_index\", \"summary_use_proj\": true, \"summary_proj_to_labels\": true}";
        assertThat(ConfigJson.read(neo.getBytes(StandardCharsets.UTF_8), "config.json")
                        .layers())
                .isEqualTo(2);
    }

    @Test
    void eleutherAisFamiliesHaveTheDefaultsOfTheirClasses() throws IOException {
        ModelConfig neox = read("gpt_neox", "\"rotary_emb_base\": 100");
        assertThat(neox.architecture().stream().parallel()).isTrue();
        assertThat(neox.architecture().attention().rotary().frequencies()).containsExactly(1.0);
        assertThat(neox.activation()).isEqualTo(Activation.GELU);
        assertThat(neox.tied()).isFalse();
        String neo = "{\"model_type\": \"gpt_neo\", \"hidden_size\": 32, \"num_layers\": 4, \"num_heads\": 4,"
                + " \"max_position_embeddings\": 64, \"vocab_size\": 96";
        ModelConfig config = ConfigJson.read((neo + "}").getBytes(StandardCharsets.UTF_8), "config.json");
        assertThat(config.inner()).isEqualTo(128);
        assertThat(config.attentionScale(0)).isEqualTo(1);
        assertThat(config.architecture().attention().windows()).containsExactly(0, 256, 0, 256);
        String local = neo + ", \"attention_types\": [[[\"local\"], 3]]}";
        assertThatThrownBy(() -> ConfigJson.read(local.getBytes(StandardCharsets.UTF_8), "config.json"))
                .hasMessageContaining("attention_types: found 3 entries, expected one for each of the 4 blocks");
        String many = neo + ", \"attention_types\": [[[\"local\"], 2000000000]]}";
        assertThatThrownBy(() -> ConfigJson.read(many.getBytes(StandardCharsets.UTF_8), "config.json"))
                .hasMessageContaining("attention_types: found more entries");
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
        for (String type : new String[] {"qwen3", "gemma2", "gemma3_text", "olmo2", "llama"}) {
            ModelConfig config = read(type, "\"num_key_value_heads\": 2, \"head_dim\": 12");
            long elements = ParameterLayout.shapes(config).values().stream()
                    .mapToLong(ParameterLayout::elements)
                    .sum();
            assertThat(config.parameters()).as(type).isEqualTo(elements);
        }
    }

    /** What a file keeps as q1 k1 v1 q2 k2 v2 is read as q1 q2 k1 k2 v1 v2, wherever a reader begins. */
    @Test
    void headsOfNeoxAreTakenApart() {
        double[] stored = IntStream.range(0, 36).mapToDouble(i -> i).toArray(); // [3, 12], 2 heads of 2
        Parameter parameter = new HeadByHead(new Listed("w", new long[] {3, 12}, stored), 2);
        int[] columns = {0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11};
        for (int from = 0; from < 36; from += 5) {
            double[] found = new double[36 - from];
            parameter.read(from, found, 0, found.length);
            for (int i = 0; i < found.length; i++) {
                int element = from + i;
                assertThat(found[i]).isEqualTo(12 * (element / 12) + columns[element % 12]);
            }
        }
        float[] last = new float[1];
        parameter.read(35, last, 0, 1);
        assertThat(last[0]).isEqualTo(35f);
        assertThatThrownBy(() -> parameter.read(35, new double[2], 0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private record Listed(String name, long[] shape, double[] values) implements Parameter {
        @Override
        public boolean single() {
            return false;
        }

        @Override
        public void read(long from, double[] into, int at, int count) {
            System.arraycopy(values, (int) from, into, at, count);
        }

        @Override
        public void read(long from, float[] into, int at, int count) {
            throw new UnsupportedOperationException("float64 only");
        }
    }
}

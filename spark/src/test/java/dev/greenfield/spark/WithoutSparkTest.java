package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.Options;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.Precision;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be told without a session. */
class WithoutSparkTest {
    private static final String KOREA = "<|endoftext|> The capital of Korea is";
    private static final ModelSpec DEMO = ModelSpec.of("demo");

    @Test
    void specificationsTravel() throws Exception {
        ModelSpec spec = new ModelSpec(
                "gpt2",
                Options.defaults().backend("cuda").precision(Precision.TF32).memory(1L << 33));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(spec);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(spec);
        }
    }

    @Test
    void aTaskHasOneGpuWithANumber() {
        assertThat(TaskGpu.address()).isEmpty(); // no task here
        assertThat(TaskGpu.checked(new String[] {"3"})).isEqualTo("3");
        assertThatThrownBy(() -> TaskGpu.checked(new String[] {"0", "1"}))
                .isInstanceOf(InputException.class)
                .hasMessage("found 2 GPUs of a task [0, 1], expected one: set spark.task.resource.gpu.amount=1");
        assertThatThrownBy(() -> TaskGpu.checked(new String[] {"GPU-1f"}))
                .isInstanceOf(InputException.class)
                .hasMessage("found the GPU address 'GPU-1f', expected a number such as 0: let the discovery script"
                        + " print numbers");
    }

    private static Prompt read(PromptReader.Needs needs, StructType schema, Object... values) throws IOException {
        Row row = new GenericRowWithSchema(values, schema);
        return new PromptReader(DEMO, needs).read(row, 4);
    }

    private static StructType texts(String... names) {
        StructType schema = new StructType();
        for (String name : names) {
            schema = schema.add(name, DataTypes.StringType);
        }
        return schema;
    }

    @Test
    void aRowIsAPromptOfItsPlaceOrItsNumber() throws Exception {
        Prompt prompt = read(PromptReader.Needs.PROMPT, texts("prompt"), KOREA);
        assertThat(prompt.number()).isEqualTo(5);
        assertThat(prompt.length()).isEqualTo(6);
        StructType numbered = new StructType()
                .add("tokens", DataTypes.createArrayType(DataTypes.LongType))
                .add("number", DataTypes.LongType);
        Prompt ids = read(
                PromptReader.Needs.PROMPT,
                numbered,
                scala.jdk.javaapi.CollectionConverters.asScala(List.of(0L, 7L)).toSeq(),
                12L);
        assertThat(ids.number()).isEqualTo(12);
        assertThat(ids.tokens()).containsExactly(0, 7);
    }

    @Test
    void aPairHasBothPromptsAndAnAnswer() throws Exception {
        StructType pair = texts("clean", "corrupt", "answer", "foil");
        Prompt prompt =
                read(PromptReader.Needs.PAIR, pair, KOREA, "<|endoftext|> The capital of Norway is", "Seoul", "Oslo");
        assertThat(prompt.corrupt()).hasSameSizeAs(prompt.tokens()).isNotEqualTo(prompt.tokens());
        assertThat(prompt.observable().describe()).isEqualTo("logit(Seoul) - logit(Oslo)");
        assertRefused(
                "prompt 5: the prompt and the corrupt prompt are the same tokens.*",
                pair,
                KOREA,
                KOREA,
                "Seoul",
                "Oslo");
        assertRefused(
                "prompt 5: the prompt has 6 tokens, the corrupt prompt 2: .*",
                pair,
                KOREA,
                "<|endoftext|> The",
                "Seoul",
                "Oslo");
        assertRefused(
                "prompt 5: found no corrupt prompt, expected 'corrupt' or 'corrupt_tokens'",
                pair,
                KOREA,
                null,
                "Seoul",
                "Oslo");
        assertRefused("prompt 5: found no answer, .*", pair, KOREA, "<|endoftext|> The", null, "Oslo");
        assertRefused(
                "prompt 5: answer and foil are the same token, .*", pair, KOREA, "<|endoftext|> The", "Oslo", "Oslo");
        assertRefused("prompt 5: found no prompt, expected one of .*", pair, null, KOREA, "Seoul", "Oslo");
        assertRefused(
                "prompt 5: found the prompts \\[clean, prompt\\], expected one of .*",
                texts("clean", "prompt", "corrupt", "answer"),
                KOREA,
                KOREA,
                KOREA,
                "Seoul");
    }

    private static void assertRefused(String message, StructType schema, Object... values) {
        assertThatThrownBy(() -> read(PromptReader.Needs.PAIR, schema, values))
                .isInstanceOf(InputException.class)
                .hasMessageMatching(message);
    }

    @Test
    void elementsAreReadWhereRowsSayTheyAre(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("part.safetensors");
        try (SafetensorsWriter out = SafetensorsWriter.to(file)
                .tensor("a", DType.F32, 3)
                .tensor("b", DType.F64, 2, 2)
                .open()) {
            out.write(new double[] {1, 2, 3, 0.1, 0.2, 0.3, 0.4});
            out.commit();
        }
        try (Safetensors in = Safetensors.open(file);
                TensorReader reader = new TensorReader()) {
            String path = file.toString();
            assertThat(reader.read(path, "F32", in.tensor("a").offset(), 1, 2)).containsExactly(2, 3);
            assertThat(reader.read(path, "F64", in.tensor("b").offset(), 2, 2)).containsExactly(0.3, 0.4);
            assertThatThrownBy(() -> reader.read(path, "F64", in.tensor("b").offset(), 2, 3))
                    .isInstanceOf(EOFException.class)
                    .hasMessageMatching(
                            "file .*: found its end at byte \\d+, expected 8 more bytes of a tensor; compute"
                                    + " the part again");
        }
    }

    @Test
    void foldersAreOfASharedFileSystem() {
        assertThat(SparkWork.folder("file:///x/y")).isEqualTo(Path.of("/x/y"));
        assertThat(SparkWork.folder("x").isAbsolute()).isTrue();
        assertThatThrownBy(() -> SparkWork.folder("hdfs://host/x"))
                .isInstanceOf(InputException.class)
                .hasMessage("folder hdfs://host/x: found an address, expected a folder of a file system that all"
                        + " machines share");
    }
}

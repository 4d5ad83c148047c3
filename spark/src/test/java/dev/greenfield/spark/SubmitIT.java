package dev.greenfield.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that users submit. */
class SubmitIT {
    private static final Path SUITE =
            Path.of("src", "test", "data", "facts.json").toAbsolutePath();

    @TempDir
    Path folder;

    /** The command of README.md, with this machine's cluster and folders, up to Greenfield's own command. */
    private static List<String> command() throws Exception {
        String text = Files.readString(Path.of("README.md"));
        String submit = text.substring(text.indexOf("\nspark-submit ") + 1);
        submit = submit.substring(0, submit.indexOf("\n```")).replace("\\\n", " ");
        List<String> words = new ArrayList<>();
        for (String word : submit.strip().split(" +", -1)) {
            words.add(word.replace("spark://host:7077", "local-cluster[2,1,1024]")
                    .replace("/shared/greenfield-spark.jar", Cluster.JAR.toString())
                    .replace("cores=16", "cores=1")
                    .replace("cpus=16", "cpus=1")
                    .replace("8GiB", "256MiB")
                    .replace("/shared/prompts.json", SUITE.toString()));
        }
        words.set(0, Cluster.home().resolve("bin").resolve("spark-submit").toString());
        words.addAll(1, List.of("--executor-memory", "1g"));
        return words;
    }

    private static String submit(List<String> words) throws Exception {
        return Cluster.run(Map.of("JAVA_HOME", System.getProperty("java.home")), words);
    }

    @Test
    void theReadmesCommandMapsASuite() throws Exception {
        Path out = folder.resolve("maps");
        List<String> words = command();
        words.set(words.indexOf("/shared/maps"), out.toString());
        words.addAll(List.of("--prompts-a-part", "12"));
        String printed = submit(words);
        assertThat(printed.lines())
                .anyMatch(line -> line.matches("written to .*/maps: 48 rows, [0-9.]+ s"))
                .anyMatch(line -> line.matches("statistics in .*/maps/statistics: [0-9]+ lengths"));
        assertThat(Cluster.names(out)).contains("parts", "prompts", "rows", "statistics");
        assertThat(Files.size(out.resolve("parts").resolve("map-part-000003.safetensors")))
                .isPositive();
    }

    @Test
    void aMistakeIsOneLine() throws Exception {
        List<String> words = command();
        words.set(words.indexOf("demo"), "nowhere");
        words.set(words.indexOf("/shared/maps"), folder.toString());
        assertThatThrownBy(() -> submit(words))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("exit status 2 of ")
                .hasMessageContaining("\ngreenfield: ")
                .message()
                .doesNotContain("\tat ");
    }

    @Test
    void theJarListsTheLicencesOfWhatItHolds() throws Exception {
        try (JarFile jar = new JarFile(Cluster.JAR.toFile())) {
            String list = text(jar, "META-INF/THIRD-PARTY.txt");
            assertThat(list).contains("com.knuddels:jtokkit", "org.bytedeco:openblas", "ai.djl");
            assertThat(text(jar, "META-INF/NOTICE")).isNotBlank();
            assertThat(text(jar, "META-INF/LICENSE")).contains("Apache License");
        }
    }

    private static String text(JarFile jar, String name) throws IOException {
        try (InputStream in = jar.getInputStream(jar.getEntry(name))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}

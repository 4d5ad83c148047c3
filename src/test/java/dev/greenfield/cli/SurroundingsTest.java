package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Greenfield;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a report of a bug needs is said, and nothing that is nobody's business. */
class SurroundingsTest {
    @Test
    void variablesThatMatterAreShownAndSecretsAreNot() {
        Map<String, String> variables = Map.of(
                "HF_TOKEN", "hf_secret",
                "https_proxy", "http://me:secret@proxy:8080",
                "HF_ENDPOINT", "https://me:secret@hub",
                "LANG", "C\nUTF",
                "CUDA_VISIBLE_DEVICES", "1",
                "PASSWORD", "secret");
        assertThat(Surroundings.environment(variables))
                .containsExactly(
                        "LANG=C\\nUTF",
                        "CUDA_VISIBLE_DEVICES=1",
                        "also set, their values not shown: HF_TOKEN, HF_ENDPOINT, https_proxy");
        assertThat(Surroundings.environment(Map.of())).isEmpty();
    }

    @Test
    void optionsOfJavaThatChangeItAreShown() {
        assertThat(Surroundings.options(List.of(
                        "-Xmx1g", "-Dgreenfield.cuda.device=1", "-Dhttps.proxyPassword=secret", "-XX:+UseSerialGC")))
                .containsExactly("-Xmx1g", "-Dgreenfield.cuda.device=1", "-XX:+UseSerialGC");
    }

    @Test
    void doctorAndVersionSayOnWhat() {
        assertThat(Cli.done("version").out())
                .isEqualTo("greenfield " + Greenfield.version() + ", Java " + Runtime.version() + ", "
                        + System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch") + System.lineSeparator());
        assertThat(Cli.done("doctor").out().lines())
                .anyMatch(line -> line.startsWith("program     "))
                .anyMatch(line ->
                        line.startsWith("processors  " + Runtime.getRuntime().availableProcessors()))
                .anyMatch(line ->
                        line.equals("terminal    standard output is no terminal, COLUMNS says nothing, in UTF-8"))
                .anyMatch(line -> line.startsWith("memory      ") && line.contains("MiB for Java's heap"));
    }
}

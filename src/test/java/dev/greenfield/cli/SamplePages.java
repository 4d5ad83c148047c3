package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A page of every command that writes one, made once for all tests of a class. */
final class SamplePages {
    private static final List<String> SOFIA = List.of("--prompt", "<|endoftext|> Alice lives in Sofia so Alice speaks");
    private static final List<String> BERLIN =
            List.of("--corrupt", "<|endoftext|> Alice lives in Berlin so Alice speaks");
    private static final List<String> LANGUAGE = List.of("--answer", "Bulgarian", "--foil", "German");
    private static final List<String> SUITE = List.of("--suite", "docs/examples/suite.json");

    private SamplePages() {}

    /** The folders with the results of each command, by name. */
    static Map<String, Path> make(Path under) {
        Map<String, List<List<String>>> commands = new LinkedHashMap<>();
        commands.put("demo", List.of(List.of("demo")));
        commands.put("sensitivity", List.of(List.of("sensitivity"), SOFIA, LANGUAGE));
        commands.put("patch", List.of(List.of("patch"), SOFIA, BERLIN, LANGUAGE));
        commands.put("patch-head", List.of(List.of("patch", "--component", "head"), SOFIA, BERLIN, LANGUAGE));
        commands.put(
                "predict",
                List.of(
                        List.of("predict", "--limit", "1", "--kinds", "noise,zero", "--components", "resid,mlp"),
                        SUITE));
        commands.put("green", List.of(List.of("green", "--depth", "1", "--token", "4", "--rank", "4"), SOFIA));
        commands.put(
                "map",
                List.of(List.of("map", "--probes", "2", "--control", "--spectra", "3", "--through"), SOFIA, LANGUAGE));
        commands.put("maps", List.of(List.of("map", "--probes", "2"), SUITE));
        commands.put("lens", List.of(List.of("lens", "--half-depths"), SOFIA, LANGUAGE));
        commands.put("field", List.of(List.of("field", "--attention"), SOFIA));
        commands.put("regime", List.of(List.of("regime", "--depth", "1", "--token", "4"), SOFIA, LANGUAGE));
        commands.put("regimes", List.of(List.of("regime", "--all-sites", "--epsilon", "0.01,0.1,1"), SOFIA, LANGUAGE));
        commands.put(
                "propagate",
                List.of(
                        List.of("propagate", "--depth", "0", "--token", "4", "--randoms", "4", "--control"),
                        SOFIA,
                        LANGUAGE));
        commands.put("infer", List.of(List.of("infer", "--target-change", "10%"), SOFIA, LANGUAGE));
        commands.put("transfer", List.of(List.of("transfer"), SOFIA, BERLIN, LANGUAGE));
        commands.put("reduce", List.of(List.of("reduce", "--rank", "3", "--top", "3"), SOFIA, BERLIN, LANGUAGE));
        commands.put("scale", List.of(List.of("scale", "--model-b", "untrained", "--probes", "2"), SUITE));
        commands.put("study", List.of(List.of("study", "--limit", "1"), SUITE));
        Map<String, Path> folders = new LinkedHashMap<>();
        commands.forEach((name, parts) -> {
            Path out = under.resolve(name);
            String[] arguments = parts.stream().flatMap(List::stream).toArray(String[]::new);
            Cli.done(Cli.with(arguments, "--quiet", "--out", out.toString()));
            assertThat(out.resolve("report.html")).as(name).exists();
            folders.put(name, out);
        });
        return folders;
    }
}

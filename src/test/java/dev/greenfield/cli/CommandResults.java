package dev.greenfield.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What every computing command writes, in its main forms, made once for all tests about files of results. */
public final class CommandResults {
    private static final String[] ONE = {
        "--prompt", "<|endoftext|> The capital of Korea is", "--answer", "Seoul", "--foil", "Oslo"
    };
    private static final String[] TWO = Cli.with(ONE, "--corrupt", "<|endoftext|> The capital of Norway is");
    private static final String[] IDS = {"--model", Cli.SMALL, "--tokens", "3,1,4,1,5,9", "--answer", "#7"};
    private static final String[] IDS_SUITE = {
        "--model", "random:1,2,16,1800,20", "--suite", "docs/examples/craftgpt-suite.json", "--limit", "1"
    };
    private static final String[] SUITE = {"--suite", "docs/examples/suite.json"};

    private static final String LENS =
            Path.of("src", "test", "data", "lens", "published.pt").toString();

    private static Map<String, Path> made;

    private CommandResults() {}

    /** A directory of results by the name of its case, which begins with the command. */
    public static synchronized Map<String, Path> all() throws IOException {
        if (made == null) {
            made = make(Files.createTempDirectory(
                    Files.createDirectories(Path.of("target").toAbsolutePath()), "results-"));
        }
        return made;
    }

    /** The arguments of each case but {@code --out}, by its name. */
    static Map<String, String[]> cases() {
        Map<String, String[]> cases = new LinkedHashMap<>();
        cases.put("field", new String[] {"--prompt", ONE[1]});
        cases.put("field attention", Cli.with(IDS, "--attention"));
        cases.put("lens", Cli.with(ONE, "--half-depths", "--top", "2"));
        cases.put("lens jacobian", Cli.with(IDS, "--jacobian", LENS));
        cases.put("sensitivity", ONE);
        cases.put("sensitivity ids", Cli.with(IDS, "--position", "4"));
        cases.put("patch", Cli.with(TWO, "--direction", "denoise"));
        cases.put("patch noise", TWO);
        cases.put("patch mlp", Cli.with(IDS, "--corrupt-tokens", "3,1,4,1,6,9", "--component", "mlp"));
        cases.put("patch head", Cli.with(IDS, "--corrupt-tokens", "3,1,4,1,6,9", "--component", "head"));
        cases.put("predict", Cli.with(IDS_SUITE, "--kinds", "noise,random:0.1", "--components", "resid,head"));
        cases.put("green", Cli.with(IDS, "--depth", "1", "--token", "2"));
        cases.put("green rank", Cli.with(ONE, "--depth", "1", "--token", "4", "--to-depth", "3", "--rank", "3"));
        cases.put("green average", Cli.with(SUITE, "--average", "--skip-last", "1"));
        cases.put("map", Cli.with(ONE, "--probes", "4", "--through"));
        cases.put(
                "map ids",
                Cli.with(
                        IDS,
                        "--exact",
                        "--half-depths",
                        "--sites",
                        "0-1:*",
                        "--skip",
                        "1",
                        "--spectra",
                        "2",
                        "--control",
                        "--seed",
                        "3"));
        cases.put("map attention", Cli.with(IDS, "--probes", "2", "--attention"));
        cases.put("map shard 1", Cli.with(SUITE, "--probes", "2", "--shard", "1/2", "--half-depths"));
        cases.put("map shard 2", Cli.with(SUITE, "--probes", "2", "--shard", "2/2", "--half-depths"));
        cases.put("regime", Cli.with(ONE, "--depth", "1.5", "--token", "4", "--epsilon", "1e-2,0.1,1"));
        cases.put(
                "regime displacement",
                Cli.with(TWO, "--depth", "1", "--token", "4", "--direction", "displacement", "--epsilon", "0.1,1"));
        cases.put(
                "regime all",
                Cli.with(IDS, "--all-sites", "--half-depths", "--direction", "random", "--epsilon", "0.1,1"));
        cases.put(
                "propagate",
                Cli.with(IDS, "--depth", "1", "--token", "2", "--randoms", "3", "--control", "--seed", "3"));
        cases.put(
                "propagate jacobian",
                Cli.with(IDS, "--depth", "1", "--token", "2", "--randoms", "0", "--decode", "2", "--jacobian", LENS));
        cases.put("infer", Cli.with(ONE, "--target-change", "10%"));
        cases.put("infer stream", Cli.with(TWO, "--steps", "2", "--targets", "4:5", "--among", "0-1:4"));
        cases.put("infer sparse", Cli.with(IDS, "--target-change", "-0.01", "--sites", "2"));
        cases.put("transfer", Cli.with(TWO, "--alpha", "0,0.5,1", "--top", "2"));
        cases.put("reduce", Cli.with(TWO, "--top", "2", "--rank", "3", "--depths", "0,2,4"));
        cases.put("scale", Cli.with(SUITE, "--model-b", "untrained", "--probes", "2"));
        cases.put("study", IDS_SUITE);
        cases.put("demo", new String[0]);
        return cases;
    }

    private static Map<String, Path> make(Path folder) {
        Map<String, Path> results = new LinkedHashMap<>();
        cases().forEach((name, arguments) -> {
            List<String> line = new ArrayList<>(List.of(name.split(" ")[0]));
            line.addAll(List.of(arguments));
            results.put(name, run(folder, name, line));
        });
        String first = results.get("map shard 1").toString();
        String second = results.get("map shard 2").toString();
        results.put("merge", run(folder, "merge", List.of("merge", first, second)));
        return results;
    }

    private static Path run(Path folder, String name, List<String> line) {
        Path out = folder.resolve(name.replace(' ', '-'));
        Cli.done(Cli.with(line.toArray(String[]::new), "--quiet", "--out", out.toString()));
        return out;
    }
}

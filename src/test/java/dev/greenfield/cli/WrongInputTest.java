package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Each mistake has a status and one line of its own, and leaves nothing behind. */
class WrongInputTest {
    private static final String PROMPT = "<|endoftext|> The capital of Korea is";

    @TempDir
    private Path temporary;

    /** A mistake: the arguments, without {@code --out}, and words that the message must have. */
    record Mistake(int exit, List<String> args, String... words) {
        @Override
        public String toString() {
            return String.join(" ", args);
        }
    }

    private static Mistake bad(String[] args, String... words) {
        return new Mistake(2, List.of(args), words);
    }

    private static String[] args(String... args) {
        return args;
    }

    /** A sound sensitivity command, with more options. */
    private static String[] sound(String... more) {
        return Cli.with(args("sensitivity", "--prompt", PROMPT, "--answer", "Seoul"), more);
    }

    private static String[] gpt2(String answer) {
        return args("field", "--model", "random:1,1,4,50257,8", "--prompt", "In", "--answer", answer);
    }

    private static String[] green(String... more) {
        return Cli.with(args("green", "--model", Cli.SMALL, "--tokens", "1,2,3"), more);
    }

    private static String[] map(String... more) {
        return Cli.with(args("map", "--model", Cli.SMALL, "--tokens", "1,2,3"), more);
    }

    private static String[] suite(String command, String... more) {
        return Cli.with(args(command, "--suite", "docs/examples/suite.json"), more);
    }

    private static String[] patch(String... more) {
        return Cli.with(
                args("patch", "--model", Cli.SMALL, "--tokens", "1,2,3", "--answer", "#1", "--foil", "#2"), more);
    }

    private static String[] regime(String... more) {
        return Cli.with(
                args("regime", "--model", Cli.SMALL, "--tokens", "1,2,3", "--answer", "#1", "--foil", "#2"), more);
    }

    private static String[] propagate(String... more) {
        return Cli.with(args("propagate", "--model", Cli.SMALL, "--tokens", "1,2,3"), more);
    }

    private static String[] infer(String... more) {
        return Cli.with(
                args("infer", "--model", Cli.SMALL, "--tokens", "1,2,3", "--answer", "#1", "--foil", "#2"), more);
    }

    private static List<Mistake> inferences() {
        return List.of(
                bad(infer(), "nothing is wanted", "--target-change", "--corrupt"),
                bad(infer("--target-change", "1", "--corrupt", "a"), "both --target-change and --corrupt"),
                bad(infer("--corrupt", "a", "--corrupt-tokens", "1"), "both --corrupt"),
                bad(infer("--corrupt-tokens", "1,x"), "--corrupt-tokens", "'x'"),
                bad(infer("--corrupt-tokens", "1,2"), "3 tokens", "2", "equal length"),
                bad(infer("--corrupt-tokens", "1,2,3"), "same tokens"),
                bad(infer("--target-change", "much"), "--target-change 'much'", "percentage"),
                bad(infer("--target-change", "1%%"), "--target-change", "percentage"),
                bad(infer("--target-change", "0"), "--target-change '0'", "no source"),
                bad(infer("--target-change", "NaN"), "--target-change 'NaN'"),
                bad(
                        args("infer", "--model", Cli.SMALL, "--tokens", "1,2,3", "--target-change", "1"),
                        "no observable",
                        "--answer"),
                bad(infer("--target-change", "1", "--targets", "1:1"), "--targets without --corrupt"),
                bad(infer("--corrupt-tokens", "1,2,4", "--targets", "1"), "--targets '1'", "DEPTHS:TOKENS"),
                bad(infer("--corrupt-tokens", "1,2,4", "--targets", "0:0"), "wanted change is 0"),
                bad(infer("--target-change", "1", "--method", "magic"), "--method 'magic'", "sparse"),
                bad(infer("--target-change", "1", "--method", "ridge", "--sites", "1"), "both --sites and --method"),
                bad(infer("--target-change", "1", "--method", "least-norm", "--lambda", "1"), "both --lambda"),
                bad(infer("--target-change", "1", "--sites", "0"), "--sites '0'", "at least 1"),
                bad(infer("--target-change", "1", "--lambda", "-1"), "--lambda '-1'", "at least 0"),
                bad(infer("--target-change", "1", "--lambda", "x"), "--lambda 'x'"),
                bad(infer("--target-change", "1", "--among", "9:0"), "--among '9:0'", "depths from 0 to 2"),
                bad(infer("--target-change", "1", "--among", "0.5:*"), "--among '0.5:*'", "whole depths from 0 to 2"),
                bad(infer("--corrupt-tokens", "1,2,4", "--targets", "1-1.5:1"), "--targets '1-1.5:1'", "whole depths"),
                bad(infer("--target-change", "1", "--among", "here"), "--among 'here'", "DEPTHS:TOKENS"),
                bad(infer("--target-change", "1", "--among", "0:2", "--position", "1"), "none of the 1 allowed sites"),
                bad(infer("--target-change", "1", "--tolerance", "1"), "--tolerance '1'", "between 0 and 1"),
                bad(infer("--target-change", "1", "--steps", "0"), "--steps '0'", "at least 1"));
    }

    private static String[] transfer(String... more) {
        return Cli.with(
                args("transfer", "--model", Cli.SMALL, "--tokens", "1,2,3", "--answer", "#1", "--foil", "#2"), more);
    }

    private static String[] reduce(String... more) {
        return Cli.with(
                args(
                        "reduce",
                        "--model",
                        Cli.SMALL,
                        "--tokens",
                        "1,2,3",
                        "--corrupt-tokens",
                        "1,2,4",
                        "--answer",
                        "#1",
                        "--foil",
                        "#2"),
                more);
    }

    static Stream<Mistake> mistakes() {
        List<Mistake> all = new ArrayList<>();
        // prompts
        all.add(bad(args("field"), "no prompt", "--prompt", "--tokens"));
        all.add(bad(args("field", "--prompt", "The", "--tokens", "1"), "both --prompt and --tokens"));
        all.add(bad(args("field", "--prompt", ""), "--prompt is empty"));
        all.add(bad(args("field", "--prompt", "  "), "no tokens"));
        all.add(bad(args("field", "--prompt", "The xyzzy"), "xyzzy", "vocabulary"));
        all.add(bad(args("field", "--prompt", "The\nxyz\tzy"), "xyz"));
        all.add(bad(args("field", "--tokens", ""), "--tokens is empty"));
        all.add(bad(args("field", "--tokens", "1,,2"), "--tokens", "''", "place 1"));
        all.add(bad(args("field", "--tokens", "1,x"), "--tokens", "'x'"));
        all.add(bad(args("field", "--tokens", "1,2.5"), "'2.5'"));
        all.add(bad(args("field", "--tokens", "99999999999"), "'99999999999'"));
        all.add(bad(args("field", "--tokens", "1,-2"), "id -2", "0 to 290"));
        all.add(bad(args("field", "--tokens", "1,291"), "token 1", "id 291", "0 to 290"));
        all.add(bad(args("field", "--tokens", "1" + ",1".repeat(200)), "201 tokens", "at most"));
        all.add(bad(args("field", "--model", Cli.SMALL, "--prompt", "The"), "--tokens"));
        // observables
        all.add(bad(args("sensitivity", "--prompt", PROMPT), "no observable", "--answer"));
        all.add(bad(args("field", "--prompt", PROMPT, "--foil", "Oslo"), "--foil without --answer"));
        all.add(bad(sound("--foil", "Seoul"), "Seoul", "different"));
        all.add(bad(sound("--foil", "#116"), "same token", "116"));
        all.add(bad(sound("--foil", "Oslo Seoul"), "--foil", "2 tokens"));
        all.add(bad(sound("--foil", ""), "--foil", "no token"));
        all.add(bad(sound("--foil", "#291"), "--foil", "#291", "0 to 290"));
        all.add(bad(sound("--foil", "xyzzy"), "--foil", "xyzzy"));
        all.add(bad(sound("--position", "6"), "--position 6", "6 tokens", "0 to 5"));
        all.add(bad(sound("--position", "-1"), "--position '-1'", "from 0"));
        all.add(bad(sound("--position", "x"), "--position 'x'"));
        all.add(bad(args("field", "--prompt", PROMPT, "--position", "6"), "--position 6"));
        // how to run
        all.add(bad(sound("--backend", "gpu"), "--backend 'gpu'", "reference"));
        all.add(bad(sound("--bos", "maybe"), "--bos 'maybe'", "auto, yes or no"));
        all.add(bad(sound("--precision", "fp16"), "--precision 'fp16'", "fp64"));
        all.add(bad(sound("--backend", "cpu", "--precision", "fp64"), "--precision fp64", "reference"));
        all.add(bad(sound("--memory", "4G"), "--memory '4G'", "4GiB"));
        all.add(bad(sound("--memory", "much"), "--memory 'much'"));
        all.add(bad(sound("--memory", "0"), "--memory '0'"));
        all.add(bad(sound("--memory", "-1GiB"), "--memory '-1GiB'"));
        all.add(bad(sound("--memory", "99999999999TiB"), "--memory"));
        all.add(bad(sound("--threads", "0"), "--threads '0'", "at least 1"));
        all.add(bad(sound("--threads", "-2"), "--threads '-2'"));
        all.add(bad(sound("--threads", "two"), "--threads 'two'"));
        all.add(bad(sound("--seed", "x"), "--seed 'x'"));
        all.add(bad(args("field", "--tokens", "1", "--out", "x", "--out", "y"), "--out"));
        // models, by every way of naming one
        for (String model : List.of("gpt2", "openai-community/gpt2", "gpt2@main", "./gpt2", "/no/such/gpt2")) {
            String[] ways = {"demo, a model directory", "random:gpt2", "fetch"};
            if (model.contains("./") || model.startsWith("/")) {
                ways[0] = "give such a directory, demo";
            }
            all.add(bad(args("field", "--tokens", "1", "--model", model), ways));
            String[] second = {"--model-b", ways[0], ways[1], ways[2]};
            all.add(bad(suite("scale", "--model-b", model), second));
            all.add(bad(suite("study", "--model-b", model), second));
        }
        all.add(bad(args("field", "--tokens", "1", "--model", "docs"), "docs/config.json", "fetch"));
        all.add(bad(args("field", "--tokens", "1", "--model", "no/such"), "no/such", "directory"));
        all.add(bad(args("field", "--tokens", "1", "--model", "random:gpt9"), "gpt9"));
        all.add(bad(args("field", "--tokens", "1", "--model", ""), "config.json"));
        // patches
        all.add(bad(patch(), "no corrupt prompt", "--corrupt"));
        all.add(bad(patch("--corrupt", "a", "--corrupt-tokens", "1"), "both --corrupt"));
        all.add(bad(patch("--corrupt-tokens", "1,x"), "--corrupt-tokens", "'x'"));
        all.add(bad(patch("--corrupt-tokens", "1,2"), "3 tokens", "2", "equal length"));
        all.add(bad(patch("--corrupt-tokens", "1,2,3"), "same tokens", "changes nothing"));
        all.add(bad(patch("--corrupt-tokens", "1,2,4", "--position", "1"), "differ first at token 2", "token 1"));
        all.add(bad(patch("--corrupt-tokens", "1,2,99"), "id 99"));
        all.add(bad(patch("--corrupt-tokens", "1,2,4", "--direction", "up"), "--direction 'up'", "denoise"));
        all.add(bad(patch("--corrupt-tokens", "1,2,4", "--component", "heads"), "--component", "'heads'", "attn"));
        // predictions
        all.add(bad(args("predict"), "no suite", "--suite"));
        all.add(bad(suite("predict", "--prompt", "The"), "both --suite and --prompt"));
        all.add(bad(suite("predict", "--kinds", "noise,erase"), "--kinds", "'erase'", "denoise"));
        all.add(bad(suite("predict", "--kinds", "scaled:big"), "--kinds", "'scaled:big'", "scaled:0.1"));
        all.add(bad(suite("predict", "--kinds", "zero:2"), "--kinds", "'zero:2'", "without a size"));
        all.add(bad(suite("predict", "--kinds", "zero,zero"), "--kinds", "'zero' twice"));
        all.add(bad(suite("predict", "--components", "neuron"), "--components", "'neuron'", "head"));
        all.add(bad(suite("predict", "--components", ""), "--components", "''", "head"));
        all.add(bad(suite("predict", "--methods", "zeroth"), "--methods", "'zeroth'", "path"));
        all.add(bad(suite("predict", "--methods", "path", "--kinds", "zero"), "--methods 'path'", "zero", "first"));
        all.add(bad(suite("predict", "--steps", "0"), "--steps '0'", "at least 1"));
        all.add(bad(suite("predict", "--limit", "none"), "--limit 'none'"));
        all.add(bad(suite("predict", "--model", Cli.SMALL), "entry 1", "the keys 'tokens'"));
        all.add(bad(suite("map", "--model", Cli.SMALL), "entry 1", "the keys 'tokens'"));
        // displacements
        all.add(bad(transfer(), "no corrupt prompt", "--corrupt"));
        all.add(bad(transfer("--corrupt", "The", "--corrupt-tokens", "1"), "both --corrupt and"));
        all.add(bad(transfer("--corrupt-tokens", "1,2"), "3 tokens", "2", "equal length"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,3"), "same tokens"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,4", "--alpha", "0,x"), "--alpha", "'x'", "place 1"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,4", "--alpha", ""), "--alpha", "''"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,4", "--alpha", "NaN"), "--alpha", "'NaN'"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,4", "--alpha", "0,1e999"), "'1e999'"));
        all.add(bad(transfer("--corrupt-tokens", "1,2,4", "--top", "0"), "--top '0'", "at least 1"));
        all.add(bad(args("transfer", "--tokens", "1,2", "--corrupt-tokens", "1,3"), "no observable"));
        all.add(bad(reduce("--top", "few"), "--top 'few'"));
        all.add(bad(reduce("--rank", "0"), "--rank '0'"));
        all.add(bad(reduce("--depths", "0"), "--depths '0'", "0 to 2"));
        all.add(bad(reduce("--depths", "1,0"), "--depths '1,0'", "rising"));
        all.add(bad(reduce("--depths", "0,3"), "--depths '0,3'"));
        all.add(bad(reduce("--depths", "0,1.5"), "--depths '0,1.5'"));
        all.add(bad(reduce("--depths", "0,b"), "'b'", "place 1"));
        // two models
        all.add(bad(args("scale", "--suite", "docs/examples/suite.json"), "--model-b"));
        all.add(bad(args("scale", "--model-b", "demo"), "--suite"));
        all.add(bad(suite("scale", "--model-b", "no/such"), "no/such"));
        all.add(bad(suite("scale", "--model-b", Cli.SMALL), "291 tokens", "40", "share a tokenizer"));
        all.add(bad(suite("scale", "--model-b", "random:1,1,8,291,16"), "token 0", "'#0'", "share a tokenizer"));
        all.add(bad(suite("scale", "--model-b", "demo", "--top", "0"), "--top '0'"));
        all.add(bad(suite("scale", "--model-b", "demo", "--probes", "1"), "--probes '1'", "at least 2"));
        all.add(bad(suite("scale", "--model-b", "demo", "--ridge", "0"), "--ridge '0'", "above 0"));
        all.add(bad(suite("scale", "--model-b", "demo", "--ridge", "1,2"), "--ridge '1,2'"));
        all.add(bad(suite("scale", "--model-b", "demo", "--answer", "#1"), "both --suite and --answer"));
        // studies
        all.add(bad(args("study"), "no suite", "--suite"));
        all.add(bad(suite("study", "--limit", "0"), "--limit '0'", "at least 1"));
        all.add(bad(suite("study", "--prompt", "The"), "both --suite and --prompt"));
        all.add(bad(suite("study", "--model-b", "no/such"), "no/such"));
        all.add(bad(suite("study", "--model-b", Cli.SMALL), "291 tokens", "share a tokenizer"));
        // maps
        all.add(bad(map("--exact", "--probes", "4"), "both --exact and --probes"));
        all.add(bad(map("--probes", "1"), "--probes '1'", "at least 2"));
        all.add(bad(map("--probes", "many"), "--probes 'many'"));
        all.add(bad(map("--mode", "sideways"), "--mode 'sideways'", "adjoint"));
        all.add(bad(map("--sites", "3"), "--sites '3'", "DEPTHS:TOKENS"));
        all.add(bad(map("--sites", "0:1,x:2"), "'x:2'", "DEPTHS:TOKENS"));
        all.add(bad(map("--sites", "0-9:1"), "'0-9:1'", "depths from 0 to 2"));
        all.add(bad(map("--sites", "1-0:1"), "'1-0:1'", "the lower one first"));
        all.add(bad(map("--targets", "1:3"), "--targets '1:3'", "tokens from 0 to 2"));
        all.add(bad(map("--targets", "0.5:1"), "'0.5:1'", "--half-depths"));
        all.add(bad(map("--through"), "--through without --answer"));
        all.add(bad(map("--spectra", "0"), "--spectra '0'", "at least 1"));
        all.add(bad(map("--spectra", "few"), "--spectra 'few'"));
        all.add(bad(map("--spectra", "49"), "--spectra '49'", "1 to 48"));
        all.add(bad(map("--spectra", "17", "--sites", "0:*,1:2"), "--spectra '17'", "1 to 16"));
        // suites
        all.add(bad(args("map", "--shard", "1/2"), "--shard without --suite"));
        all.add(bad(args("map", "--suite", "no/such.json"), "no/such.json", "no such file"));
        all.add(bad(args("map", "--suite", ""), "--suite ''"));
        all.add(bad(args("map", "--suite", "docs"), "--suite 'docs'", "found a directory"));
        all.add(bad(suite("map", "--shard", "0/2"), "--shard '0/2'", "i/n"));
        all.add(bad(suite("map", "--shard", "3/2"), "--shard '3/2'"));
        all.add(bad(suite("map", "--shard", "half"), "--shard 'half'"));
        all.add(bad(suite("map", "--shard", "1/9999"), "--shard 1/9999", "prompts"));
        all.add(bad(suite("map", "--prompt", "The"), "both --suite and --prompt"));
        all.add(bad(suite("map", "--tokens", "1"), "both --suite and --tokens"));
        all.add(bad(suite("map", "--answer", "#1"), "both --suite and --answer"));
        all.add(bad(suite("map", "--position", "1"), "both --suite and --position"));
        all.add(bad(suite("map", "--exact", "--probes", "4"), "both --exact and --probes"));
        all.add(bad(suite("map", "--seed", "x"), "--seed 'x'"));
        all.add(bad(suite("map", "--through"), "both --suite and --through"));
        all.add(bad(suite("map", "--spectra", "2"), "both --suite and --spectra"));
        all.add(bad(suite("map", "--control"), "both --suite and --control"));
        all.add(bad(suite("map", "--front", "0.1"), "both --suite and --front"));
        all.add(bad(suite("green"), "--suite without --average"));
        all.add(bad(suite("green", "--average", "--depth", "1"), "both --average and --depth"));
        all.add(bad(suite("green", "--average", "--rank", "1"), "both --average and --rank"));
        all.add(bad(suite("green", "--average", "--tokens", "1"), "both --suite and --tokens"));
        all.add(bad(suite("green", "--average", "--skip", "-1"), "--skip '-1'", "at least 0"));
        all.add(bad(suite("green", "--average", "--skip", "6"), "--skip 6, entry 1 of the suite", "6 tokens"));
        all.add(bad(green("--average"), "--average without --suite"));
        all.add(bad(green("--skip", "1"), "--skip without --average"));
        all.add(bad(args("merge"), "SHARD_DIR"));
        all.add(bad(args("merge", "docs"), "shard 'docs'", "no result.json"));
        all.addAll(inferences());
        // Green operators
        all.add(bad(green("--depth", "1"), "--token"));
        all.add(bad(green("--token", "1"), "--depth"));
        all.add(bad(green("--depth", "3", "--token", "0"), "--depth '3'", "0 to 2"));
        all.add(bad(green("--depth", "-1", "--token", "0"), "--depth '-1'"));
        all.add(bad(green("--depth", "0", "--token", "3"), "--token '3'", "0 to 2"));
        all.add(bad(green("--depth", "0", "--token", "0", "--to-depth", "3"), "--to-depth '3'"));
        all.add(bad(green("--depth", "2", "--token", "0", "--to-depth", "1"), "--to-depth 1", "zero"));
        all.add(bad(green("--depth", "0", "--token", "0", "--rank", "0"), "--rank '0'"));
        all.add(bad(green("--depth", "0", "--token", "0", "--rank", "17"), "--rank '17'", "1 to 16"));
        // linear regimes
        all.add(bad(regime(), "no source site", "--depth", "--token"));
        all.add(bad(regime("--all-sites", "--token", "1"), "both --all-sites and --token"));
        all.add(bad(regime("--depth", "x", "--token", "1"), "--depth 'x'", "2.5"));
        all.add(bad(regime("--depth", "2.5", "--token", "1"), "--depth '2.5'", "0 to 2"));
        all.add(bad(regime("--depth", "1", "--token", "3"), "--token '3'", "0 to 2"));
        all.add(bad(regime("--depth", "2", "--token", "1"), "(depth 2, token 1)", "token 2", "cannot change F"));
        all.add(bad(regime("--depth", "2", "--token", "1", "--direction", "random"), "cannot change F"));
        all.add(bad(regime("--depth", "1", "--token", "1", "--direction", "up"), "--direction 'up'", "random"));
        all.add(bad(regime("--depth", "1", "--token", "1", "--epsilon", "0.1,0"), "--epsilon", "'0'", "place 1"));
        all.add(bad(regime("--depth", "1", "--token", "1", "--epsilon", "0.1,,2"), "--epsilon", "''", "place 1"));
        all.add(bad(regime("--depth", "1", "--token", "1", "--epsilon", "NaN"), "--epsilon", "'NaN'"));
        all.add(bad(regime("--all-sites", "--direction", "displacement"), "without a corrupt prompt", "--corrupt"));
        all.add(bad(regime("--all-sites", "--corrupt-tokens", "1,2,4"), "add --direction displacement"));
        all.add(bad(
                regime("--depth", "1", "--token", "1", "--direction", "displacement", "--corrupt-tokens", "1,2,4"),
                "same residual",
                "a word that differs"));
        all.add(bad(regime("--depth", "1", "--token", "1", "--half-depths"), "--half-depths without --all-sites"));
        all.add(bad(
                args("regime", "--model", Cli.SMALL, "--tokens", "1,2,3", "--all-sites"), "no observable", "--answer"));
        all.add(bad(propagate(), "no source site"));
        all.add(bad(propagate("--depth", "0", "--token", "1"), "--direction sensitivity without --answer"));
        all.add(bad(propagate("--depth", "0.5", "--token", "1", "--direction", "random"), "a whole depth"));
        all.add(bad(
                propagate("--depth", "0", "--token", "1", "--direction", "random", "--randoms", "-1"),
                "--randoms '-1'"));
        all.add(bad(
                propagate("--depth", "0", "--token", "1", "--direction", "random", "--control", "--seed", "1"),
                "seed"));
        // misspelled
        all.add(bad(args("field", "--promt", "The"), "unknown option '--promt'", "did you mean \"--prompt\"?"));
        all.add(bad(args("field", "--model=demo", "--promt=The"), "'--promt'", "did you mean \"--prompt\"?"));
        all.add(bad(suite("predict", "--sed", "1"), "did you mean \"--seed\"?"));
        all.add(bad(args("field", "--prompt", "The capitol of Korea"), "\"capitol\"", "did you mean \"capital\"?"));
        all.add(bad(sound("--foil", "olso"), "\"olso\"", "did you mean \"Oslo\"?"));
        all.add(bad(sound("--foil", "OSLO"), "did you mean \"Oslo\"?"));
        all.add(bad(gpt2("bulgarain"), "3 tokens", "did you mean \" Bulgarian\"?"));
        all.add(bad(gpt2(" pariss"), "2 tokens", "did you mean \" Paris\"?"));
        all.add(bad(args("map", "--suite", "docs/examples/siute.json"), "did you mean \"docs/examples/suite.json\"?"));
        all.add(bad(args("field", "--tokens", "1", "--model", "dmeo"), "did you mean \"demo\"?"));
        all.add(bad(args("field", "--tokens", "1", "--model", "random:gtp2"), "did you mean \"gpt2\"?"));
        all.add(bad(args("field", "--tokens", "1", "--model", "random:lama:layers=1"), "did you mean \"llama\"?"));
        // usage
        all.add(bad(sound("--foo"), "--foo"));
        all.add(bad(sound("stray"), "stray"));
        all.add(bad(sound("--seed"), "--seed"));
        all.add(bad(sound("--seed", "1", "--seed", "2"), "--seed"));
        // demo
        all.add(bad(args("demo", "--prompt", "The"), "--corrupt", "none of them"));
        all.add(bad(args("demo", "--model", Cli.SMALL), "--model"));
        // backends and memory
        all.add(new Mistake(3, List.of(sound("--backend", "cuda")), "cuda"));
        all.add(new Mistake(4, List.of(sound("--memory", "1KiB")), "memory budget", "--memory"));
        all.add(new Mistake(4, List.of(green("--depth", "0", "--token", "0", "--memory", "33KiB")), "--memory"));
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isRefusedInOneLine(Mistake mistake) throws IOException {
        String[] args = mistake.args().toArray(String[]::new);
        Cli cli = Cli.run(
                Cli.with(args, "--quiet", "--out", temporary.resolve("a/b").toString()));
        assertThat(cli.exit()).as(cli.err()).isEqualTo(mistake.exit());
        assertThat(cli.err()).startsWith("greenfield: ").endsWith("\n").contains(mistake.words());
        assertThat(cli.err().strip()).doesNotContain("\n").doesNotContain("Exception");
        assertThat(optionsOf(args[0]))
                .as("%s names options that %s takes", cli.err(), args[0])
                .containsAll(named(cli.err()));
        assertThat(Cli.list(temporary)).isEmpty();
    }

    /** The options that a message names for this command; what it quotes is the user's. */
    private static List<String> named(String message) {
        String own = message.replaceAll("'[^']*'|(?<!mean )\"[^\"]*\"|map --suite FILE --shard I/N", "");
        return Pattern.compile("--[a-z][a-z-]*")
                .matcher(own)
                .results()
                .map(MatchResult::group)
                .distinct()
                .toList();
    }

    private static Set<String> optionsOf(String command) {
        Commands.Entry entry = Commands.byName().get(command);
        CommandLine line = new CommandLine(entry.make().get());
        Help.hide(line.getCommandSpec(), entry.without());
        Set<String> options = new TreeSet<>(Help.names(line.getCommandSpec()));
        // A message may say of an option that it has no place beside a suite.
        options.addAll(entry.without());
        return options;
    }

    @Test
    void commandsThatAreNone() {
        for (String[] args : List.of(args(), args("nonsense"), args("--model", "demo"), args(""))) {
            Cli cli = Cli.run(args);
            assertThat(cli.exit()).isEqualTo(2);
            assertThat(cli.out()).isEmpty();
            assertThat(cli.err().strip())
                    .startsWith("greenfield: ")
                    .contains("sensitivity")
                    .doesNotContain("\n");
        }
    }

    @Test
    void exportNeedsAModelAndAFreePlace() throws IOException {
        assertThat(Cli.run("export", "--model", Cli.SMALL).err()).contains("--out");
        assertThat(Cli.run("export", "--out", "x").err()).contains("--model");
        Files.writeString(temporary.resolve("mine"), "x");
        Cli taken = Cli.run("export", "--model", Cli.SMALL, "--out", temporary.toString());
        assertThat(taken.exit()).isEqualTo(2);
        assertThat(taken.err()).contains("not empty");
        Cli wrong = Cli.run(
                "export",
                "--model",
                "random:1,2",
                "--out",
                temporary.resolve("a/b").toString());
        assertThat(wrong.exit()).isEqualTo(2);
        assertThat(Cli.list(temporary)).containsExactly("mine");
    }

    @Test
    void aStackTraceOnlyWhenVerbose() {
        assertThat(Cli.run("field", "--tokens", "x").err()).doesNotContain("\tat ");
        assertThat(Cli.run("field", "--tokens", "x", "--verbose").err()).contains("\tat ");
    }
}

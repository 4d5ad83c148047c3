package dev.greenfield.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jazzer looks for files that lead somewhere new and do harm, a few seconds for each kind; {@code greenfield.campaign.jazzer} says how
 * many.
 */
@Tag("slow")
@EnabledOnOs({OS.LINUX, OS.MAC})
class JazzerTest {
    private static final int SHORT = 2;
    private static final int SECONDS = Integer.getInteger("greenfield.campaign.jazzer", SHORT);
    private static final int AT_ONCE = 2;

    /** A start takes longer than the seconds of a build; the campaign takes all. */
    private static final Set<FuzzTarget.Kind> IN_THE_BUILD = EnumSet.of(
            FuzzTarget.Kind.SAFETENSORS, FuzzTarget.Kind.CONFIG, FuzzTarget.Kind.TOKENIZER, FuzzTarget.Kind.CHECKPOINT);

    /** What is watched: to prepare the engine's classes takes longer than the reading. */
    private static final String READERS = Stream.of("safetensors", "model", "text", "checkpoint", "study", "cli.job")
            .map(room -> "dev.greenfield." + room + ".**")
            .collect(Collectors.joining(File.pathSeparator));

    private static final Pattern RUNS = Pattern.compile("Done ([0-9]+) runs");
    private static final Pattern COVERED = Pattern.compile("cov: ([0-9]+) ");

    @TempDir
    private Path temporary;

    private record Running(FuzzTarget.Kind kind, Process process, Path output) {}

    @Test
    void findsNothing() throws Exception {
        List<Running> running = new ArrayList<>();
        try {
            for (FuzzTarget.Kind kind : FuzzTarget.Kind.values()) {
                // A whole command each is too few for coverage to lead anywhere; most of a short run's time is its
                // start.
                if (kind == FuzzTarget.Kind.MERGE || SECONDS == SHORT && !IN_THE_BUILD.contains(kind)) {
                    continue;
                }
                running.add(start(kind));
                if (running.size() == AT_ONCE) {
                    end(running.remove(0));
                }
            }
            while (!running.isEmpty()) {
                end(running.remove(0));
            }
        } finally {
            running.forEach(one -> one.process().destroyForcibly());
        }
    }

    private Running start(FuzzTarget.Kind kind) throws IOException {
        Path folder = Files.createDirectories(temporary.resolve(kind.name()));
        Path corpus = Files.createDirectories(folder.resolve("corpus"));
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 12; i++) {
            byte[] bytes = new byte[20 + 12 * i];
            random.nextBytes(bytes);
            Files.write(corpus.resolve(Integer.toString(i)), bytes);
        }
        Path output = folder.resolve("output");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "com.code_intelligence.jazzer.Jazzer",
                        "--target_class=" + FuzzTarget.class.getName(),
                        "--target_args=" + kind,
                        "--instrumentation_includes=" + READERS,
                        "--reproducer_path=" + folder,
                        "-artifact_prefix=" + folder + File.separator,
                        "-max_total_time=" + SECONDS,
                        "-max_len=256",
                        "-timeout=20",
                        "-rss_limit_mb=0",
                        "-seed=1",
                        corpus.toString())
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new Running(kind, process, output);
    }

    private static void end(Running one) throws Exception {
        boolean ended = one.process().waitFor(SECONDS + 100L, TimeUnit.SECONDS);
        String said = Files.readString(one.output());
        assertThat(ended).as(said).isTrue();
        assertThat(one.process().exitValue()).as(said).isZero();
        Matcher runs = RUNS.matcher(said);
        assertThat(runs.find()).as(said).isTrue();
        String covered = "?";
        for (Matcher all = COVERED.matcher(said); all.find(); ) {
            covered = all.group(1);
        }
        System.out.println("jazzer, " + one.kind() + ": " + runs.group(1) + " files in " + SECONDS + " s, " + covered
                + " edges, no fault");
    }
}

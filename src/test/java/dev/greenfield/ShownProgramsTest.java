package dev.greenfield;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.testing.JavaShell;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import jdk.jshell.Snippet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the Java that the pages show in jshell, as a reader who pastes it would. */
@Tag("slow")
class ShownProgramsTest {
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Path README = Path.of("README.md");
    private static final Path GUIDE = Path.of("docs/guide.md");
    private static final Path THEORY = Path.of("docs/theory.md");

    @Test
    void theSampleOfTheReadmeRunsAndPrints() throws IOException {
        String printed = run(blocks(README));
        String[] numbers = printed.strip().split(" ");
        assertThat(numbers).as(printed).hasSize(4);
        assertThat(Double.parseDouble(numbers[0])).as("F").isBetween(11.0, 12.0);
        assertThat(Double.parseDouble(numbers[1]))
                .as("patching the country turns the answer over")
                .isLessThan(-20);
        assertThat(Double.parseDouble(numbers[2])).as("|G|").isPositive();
        assertThat(Double.parseDouble(numbers[3])).as("|G| of a pair").isPositive();
    }

    /** The guide's samples are one program in pieces. */
    @Test
    void theProgramOfTheGuideRuns() throws IOException {
        List<String> blocks = blocks(GUIDE);
        assertThat(blocks).hasSizeGreaterThan(12);
        run(blocks);
    }

    /** The theory's are whole ones, with the guide's imports. */
    @Test
    void theProgramsOfTheTheoryRun() throws IOException {
        String imports = blocks(GUIDE)
                .get(0)
                .lines()
                .filter(line -> line.startsWith("import "))
                .reduce("", (a, b) -> a + b + "\n");
        List<String> blocks = blocks(THEORY);
        assertThat(blocks).hasSizeGreaterThanOrEqualTo(2);
        for (String block : blocks) {
            run(List.of(imports, block));
        }
    }

    private static List<String> blocks(Path page) throws IOException {
        return BLOCK.matcher(Files.readString(page))
                .results()
                .map(match -> match.group(1))
                .toList();
    }

    /** Types blocks into a fresh jshell, one after the other, and returns what they print. */
    private static String run(List<String> blocks) throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = System.out;
        // The snippets run in this process, for its class path, and print where it prints.
        try (JavaShell shell = new JavaShell();
                PrintStream caught = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
            System.setOut(caught);
            blocks.forEach(block -> shell.type(block, Snippet.Status.VALID, Snippet.Status.OVERWRITTEN));
        } finally {
            System.setOut(out);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}

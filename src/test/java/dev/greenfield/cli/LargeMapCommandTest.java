package dev.greenfield.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A map of more pairs of sites than a tensor of all pairs may have, from the command line: 98,308 sites. */
@Tag("slow")
class LargeMapCommandTest {
    private static final int TOKENS = 24_577;
    private static final String MODEL = "random:3,1,4,8," + TOKENS;

    @TempDir
    private Path temporary;

    @Test
    void isWrittenInBlocksAndShownInPart() throws Exception {
        int[] ids = IntStream.range(0, TOKENS).map(i -> (5 * i + i / 9) % 8).toArray();
        Path out = temporary.resolve("out");
        Cli cli = Cli.done(
                "map",
                "--model",
                MODEL,
                "--tokens",
                IntStream.of(ids).mapToObj(Integer::toString).collect(Collectors.joining(",")),
                "--probes",
                "2",
                "--sites",
                "0-3:24540-24543",
                "--targets",
                "1-3:24500-24576",
                "--mode",
                "forward",
                "--out",
                out.toString());
        assertThat(cli.err()).doesNotContain("Exception");
        JsonNode blocks = Cli.result(out).at("/results/blocks");
        assertThat(blocks.path("count").asInt()).isEqualTo(1);
        assertThat(blocks.path("sources").asInt()).isEqualTo(16);
        assertThat(blocks.path("targets").asInt()).isEqualTo(3 * 77);
        List<Site> sources = IntStream.range(0, 16)
                .mapToObj(i -> Site.of(i / 4, 24_540 + i % 4))
                .toList();
        List<Site> targets = IntStream.range(0, 3 * 77)
                .mapToObj(i -> Site.of(1 + i / 77, 24_500 + i % 77))
                .toList();
        try (Model model = Greenfield.load(MODEL, Options.defaults().backend("cpu"));
                Safetensors file = Safetensors.open(out.resolve("tensors.safetensors"))) {
            ResponseMap map = model.run(ids)
                    .responseMap()
                    .probes(2)
                    .sources(sources)
                    .targets(targets)
                    .compute();
            assertThat(file.names())
                    .contains("map.frobenius.block.0", "map.stderr.block.0", "map.rows")
                    .doesNotContain("map.frobenius");
            long[] rows = file.tensor("map.rows").toLongs();
            double[] block = file.tensor("map.frobenius.block.0").toDoubles();
            assertThat(block).hasSize((int) rows[16]);
            for (int s = 0; s < sources.size(); s++) {
                long next = rows[s];
                for (Site target : targets) {
                    if (dev.greenfield.lattice.Causality.reaches(sources.get(s), target)) {
                        assertThat(block[(int) next++]).isEqualTo((float) map.frobenius(sources.get(s), target));
                    }
                }
                assertThat(next).isEqualTo(rows[s + 1]);
            }
            assertThat(map.frobenius(Site.of(0, 24_540), Site.of(3, 24_576))).isPositive();
        }
        String page = Files.readString(out.resolve("report.html"));
        assertThat(page).contains("Of the 24577 tokens 12289 are shown, one in 2");
        assertThat(page.length()).isLessThan(40_000_000);
    }
}

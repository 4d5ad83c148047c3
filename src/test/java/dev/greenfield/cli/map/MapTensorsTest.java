package dev.greenfield.cli.map;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.cli.io.TensorSet;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.MapRequest;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A map in blocks is read back as the reference describes it, and is the map. */
public class MapTensorsTest {
    @TempDir
    private Path temporary;

    /**
     * Reads a tensor that is in blocks, as docs/reference.md says: [levels T, levels T], zero where a target is not reached and NaN where
     * a pair was not asked for.
     */
    public static double[][] read(Safetensors file, String name, int levels, int tokens, boolean halfDepths)
            throws IOException {
        long[] sources = file.tensor("map.sources").toLongs();
        long[] targets = file.tensor("map.targets").toLongs();
        long[] rows = file.tensor("map.rows").toLongs();
        long[] blocks = file.tensor("map.blocks").toLongs();
        double[][] map = new double[levels * tokens][levels * tokens];
        for (double[] row : map) {
            Arrays.fill(row, Double.NaN);
        }
        for (int b = 0; b + 1 < blocks.length; b++) {
            double[] block = file.tensor(name + ".block." + b).toDoubles();
            assertThat(block).hasSize((int) (rows[(int) blocks[b + 1]] - rows[(int) blocks[b]]));
            int next = 0;
            for (int s = (int) blocks[b]; s < blocks[b + 1]; s++) {
                long level = sources[2 * s];
                long token = sources[2 * s + 1];
                assertThat(rows[s] - rows[(int) blocks[b]]).isEqualTo(next);
                double[] row = map[(int) (level * tokens + token)];
                for (int t = 0; t < targets.length; t += 2) {
                    long up = targets[t] - level;
                    long on = targets[t + 1] - token;
                    boolean mlpOnly = halfDepths && level % 2 == 1 && up == 1;
                    boolean held = on == 0 && up >= 0 || on > 0 && up > 0 && !mlpOnly;
                    row[(int) (targets[t] * tokens + targets[t + 1])] = held ? block[next++] : 0;
                }
            }
            assertThat(next).isEqualTo(block.length);
        }
        return map;
    }

    private void assertReadBack(MapRequest request, long mostOfBlock, int blocks) throws IOException {
        ResponseMap map = request.compute();
        int levels = map.levels();
        int tokens = map.tokens();
        TensorSet set = new TensorSet();
        MapTensors tensors = new MapTensors(set, map, 0, mostOfBlock);
        tensors.add("map.frobenius", map::frobenius);
        tensors.add("map.stderr", map::standardErrors);
        tensors.add("map.through", source -> map.gain().norms(source, 0));
        Path file = temporary.resolve("tensors.safetensors");
        set.write(file, DType.F64, Map.of());
        assertThat(tensors.blocks()).containsEntry("count", blocks);
        try (Safetensors written = Safetensors.open(file)) {
            double[][] norms = read(written, "map.frobenius", levels, tokens, map.halfDepths());
            double[][] errors = read(written, "map.stderr", levels, tokens, map.halfDepths());
            double[][] gains = read(written, "map.through", levels, tokens, map.halfDepths());
            for (int p = 0; p < levels * tokens; p++) {
                Site source = Site.at(HalfDepth.numbered(p / tokens, map.halfDepths()), p % tokens);
                assertThat(norms[p]).containsExactly(map.frobenius(source));
                assertThat(errors[p]).containsExactly(map.standardErrors(source));
                assertThat(gains[p]).containsExactly(map.gain().norms(source, 0));
            }
            assertThat(written.tensor("map.frobenius.block.0").elements()).isLessThanOrEqualTo(mostOfBlock);
        }
    }

    @Test
    void blocksHoldTheMap() throws IOException {
        try (Model model =
                Greenfield.load("random:2,2,16,30,12,seed=4", Options.defaults().backend("reference"))) {
            var run = model.run(3, 17, 9, 4);
            var sensitivity = run.sensitivity(Observable.logit("#5"));
            // 12 sources: at depth 0 with rows of 1 + 8, 1 + 6, 1 + 4, 1 + 2, and so on.
            assertReadBack(run.responseMap().probes(3).gain(sensitivity), 20, 3);
            assertReadBack(run.responseMap().probes(3).gain(sensitivity), 1 << 20, 1);
            assertReadBack(run.responseMap().halfDepths().probes(3).gain(sensitivity), 20, 7);
            List<Site> sources = List.of(Site.of(1, 2), Site.of(0, 1));
            List<Site> targets = List.of(Site.of(2, 3), Site.of(1, 0), Site.of(1, 2), Site.of(2, 1));
            assertReadBack(
                    run.responseMap()
                            .probes(3)
                            .gain(sensitivity)
                            .sources(sources)
                            .targets(targets),
                    3,
                    2);
        }
    }

    @Test
    void smallMapsHaveAllPairs() throws IOException {
        try (Model model =
                Greenfield.load("random:2,2,16,30,12,seed=4", Options.defaults().backend("cpu"))) {
            ResponseMap map = model.run(3, 17, 9, 4).responseMap().probes(3).compute();
            TensorSet set = new TensorSet();
            MapTensors tensors = new MapTensors(set, map);
            tensors.add("map.frobenius", map::frobenius);
            Path file = temporary.resolve("tensors.safetensors");
            set.write(file, DType.F32, Map.of());
            assertThat(tensors.blocks()).isNull();
            try (Safetensors written = Safetensors.open(file)) {
                assertThat(written.names()).containsExactly("map.frobenius");
                double[] norms = written.tensor("map.frobenius").toDoubles();
                double[] expected = map.frobenius();
                for (int i = 0; i < norms.length; i++) {
                    assertThat(norms[i]).isEqualTo((float) expected[i]);
                }
            }
        }
    }

    @Test
    void aPageShowsSomeTokensOfALongPrompt() {
        ShownTokens all = new ShownTokens(3, 5, 15);
        assertThat(all.of(List.of("a", "b", "c", "d", "e"))).containsExactly("a", "b", "c", "d", "e");
        assertThat(all.note()).isEmpty();
        ShownTokens some = new ShownTokens(2, 5, 6);
        assertThat(some.count()).isEqualTo(3);
        assertThat(some.of(List.of("a", "b", "c", "d", "e"))).containsExactly("a", "c", "e");
        assertThat(some.of(new double[][] {{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}})).isDeepEqualTo(new double[][] {
            {0, 2, 4}, {5, 7, 9}
        });
        assertThat(some.note()).isEqualTo(" Of the 5 tokens 3 are shown, one in 2: all would make the page too large.");
    }
}

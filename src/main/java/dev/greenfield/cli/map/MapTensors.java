package dev.greenfield.cli.map;

import dev.greenfield.cli.io.TensorSet;
import dev.greenfield.lattice.Causality;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.map.ResponseMap;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The tensors of a response map, made source by source when they are written. Of a map with at most {@link #MOST_DENSE} pairs of sites
 * each is [levels, T, levels, T]. A larger one is written in blocks that hold what was asked for and can be nonzero, source by source:
 * of each source first its own site, if that is a target, then the targets that it reaches, in the order of {@code map.targets}.
 */
final class MapTensors {
    /** Pairs of sites up to which a tensor has all of them: 1 GiB of float32. */
    static final long MOST_DENSE = 1L << 28;

    /** Numbers of a block, if it has more than one source. */
    static final long MOST_OF_BLOCK = 1L << 28;

    private final TensorSet tensors;
    private final ResponseMap map;
    private final boolean[] target; // by place
    private final long[] rows; // per source its first number in blocks, and the end
    private final List<Integer> blocks = new ArrayList<>(); // first source of each, and the end; none of a dense map

    /** The tensors of a map, none yet but those that say what is in blocks. */
    MapTensors(TensorSet tensors, ResponseMap map) {
        this(tensors, map, MOST_DENSE, MOST_OF_BLOCK);
    }

    /** With other limits. */
    MapTensors(TensorSet tensors, ResponseMap map, long mostDense, long mostOfBlock) {
        this.tensors = tensors;
        this.map = map;
        this.target = new boolean[map.places().size()];
        map.targets().forEach(site -> target[place(site)] = true);
        this.rows = new long[map.sources().size() + 1];
        if ((long) target.length * target.length > mostDense) {
            cut(mostOfBlock);
            tensors.add("map.sources", numbers(map.sources()), map.sources().size(), 2);
            tensors.add("map.targets", numbers(map.targets()), map.targets().size(), 2);
            tensors.add("map.rows", rows, rows.length);
            tensors.add("map.blocks", blocks.stream().mapToLong(i -> i).toArray(), blocks.size());
        }
    }

    private void cut(long mostOfBlock) {
        blocks.add(0);
        for (int s = 0; s + 1 < rows.length; s++) {
            rows[s + 1] = rows[s] + held(map.sources().get(s), null, null);
            int first = blocks.get(blocks.size() - 1);
            if (s > first && rows[s + 1] - rows[first] > mostOfBlock) {
                blocks.add(s);
            }
        }
        blocks.add(rows.length - 1);
    }

    private int place(Site site) {
        return site.halfDepth().number(map.halfDepths()) * map.tokens() + site.token();
    }

    /** Sites as pairs of level and token. */
    private long[] numbers(List<Site> sites) {
        return sites.stream()
                .flatMap(site -> Arrays.asList(place(site) / map.tokens(), site.token()).stream())
                .mapToLong(i -> i)
                .toArray();
    }

    /** What goes into blocks of a source's row [levels, T], when it is given; how many numbers that are. */
    private int held(Site source, double[] row, double[] into) {
        HalfDepth own = source.halfDepth();
        int count = 0;
        for (int level = own.number(map.halfDepths()); level < map.levels(); level++) {
            HalfDepth far = HalfDepth.numbered(level, map.halfDepths());
            int until = Causality.attentionBetween(own, far) ? map.tokens() : source.token() + 1;
            for (int t = source.token(); t < until; t++) {
                int place = level * map.tokens() + t;
                if (target[place]) {
                    if (row != null) {
                        into[count] = row[place];
                    }
                    count++;
                }
            }
        }
        return count;
    }

    /**
     * Adds a tensor.
     *
     * @param row gives of a site of the map the numbers at all sites, [levels, T]
     */
    void add(String name, Function<Site, double[]> row) {
        if (blocks.isEmpty()) {
            tensors.add(
                    name,
                    file -> {
                        for (Site site : map.places()) {
                            file.write(row.apply(site));
                        }
                    },
                    map.levels(),
                    map.tokens(),
                    map.levels(),
                    map.tokens());
            return;
        }
        for (int b = 0; b + 1 < blocks.size(); b++) {
            int from = blocks.get(b);
            int until = blocks.get(b + 1);
            tensors.add(name + ".block." + b, file -> write(file, from, until, row), rows[until] - rows[from]);
        }
    }

    private void write(SafetensorsWriter file, int from, int until, Function<Site, double[]> row) throws IOException {
        double[] held = new double[target.length];
        for (int s = from; s < until; s++) {
            Site source = map.sources().get(s);
            file.write(held, 0, held(source, row.apply(source), held));
        }
    }

    /** What {@code result.json} says of blocks; null where there are none. */
    Map<String, Object> blocks() {
        if (blocks.isEmpty()) {
            return null;
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("count", blocks.size() - 1);
        fields.put("sources", map.sources().size());
        fields.put("targets", map.targets().size());
        fields.put("numbers", rows[rows.length - 1]);
        return fields;
    }
}

package dev.greenfield.cli.show;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Values over depths and tokens: their largest sites, and labels. */
public final class Sites {
    private Sites() {}

    /** A site as {@code result.json} has it: its depth, a whole number or a half one, and its token. */
    public static Map<String, Object> fields(Site site) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("depth", Numbers.half(site.halfDepth().index()));
        map.put("token", site.token());
        return map;
    }

    /** Sites as {@code result.json} has them. */
    public static List<Map<String, Object>> fields(List<Site> sites) {
        return sites.stream().map(Sites::fields).toList();
    }

    /** A site as people read it; {@code labels} are those of the tokens. */
    public static String named(Site site, List<String> labels) {
        return "(depth " + site.halfDepth() + ", token " + labels.get(site.token()) + ")";
    }

    /** A site and its value. */
    public record Ranked(int depth, int token, double value) {
        /** For {@code result.json}. */
        public Map<String, Object> toMap() {
            return toMap(false);
        }

        /** Likewise, where {@link #depth} counts half depths. */
        public Map<String, Object> toMap(boolean halfDepths) {
            Map<String, Object> map = fields(Site.at(HalfDepth.numbered(depth, halfDepths), token));
            map.put("value", value);
            return map;
        }
    }

    /** The sites of largest magnitude, at most {@code count} of them, none where the value is zero or not known. */
    public static List<Ranked> largest(double[][] values, int count) {
        List<Ranked> sites = new ArrayList<>();
        for (int l = 0; l < values.length; l++) {
            for (int t = 0; t < values[l].length; t++) {
                if (values[l][t] != 0 && !Double.isNaN(values[l][t])) {
                    sites.add(new Ranked(l, t, values[l][t]));
                }
            }
        }
        sites.sort(Comparator.comparingDouble((Ranked site) -> -Math.abs(site.value())));
        return List.copyOf(sites.subList(0, Math.min(count, sites.size())));
    }

    /** Labels of depths 0 to {@code count - 1}. */
    static List<String> depths(int count) {
        List<String> labels = new ArrayList<>();
        for (int l = 0; l < count; l++) {
            labels.add("depth " + l);
        }
        return labels;
    }

    /** Labels of levels: depths, or depths and half depths. */
    public static List<String> levels(int count, boolean halfDepths) {
        return IntStream.range(0, count)
                .mapToObj(number -> "depth " + HalfDepth.numbered(number, halfDepths))
                .toList();
    }
}

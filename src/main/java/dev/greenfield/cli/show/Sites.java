package dev.greenfield.cli.show;

import dev.greenfield.lattice.HalfDepth;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Values over depths and tokens: their largest sites, and how two of them agree. */
public final class Sites {
    private Sites() {}

    /** A site and its value. */
    public record Ranked(int depth, int token, double value) {
        /** For {@code result.json}. */
        public Map<String, Object> toMap() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("depth", depth);
            map.put("token", token);
            map.put("value", value);
            return map;
        }
    }

    /** The sites of largest magnitude, at most {@code count} of them, none where the value is zero. */
    public static List<Ranked> largest(double[][] values, int count) {
        List<Ranked> sites = new ArrayList<>();
        for (int l = 0; l < values.length; l++) {
            for (int t = 0; t < values[l].length; t++) {
                if (values[l][t] != 0) {
                    sites.add(new Ranked(l, t, values[l][t]));
                }
            }
        }
        sites.sort(Comparator.comparingDouble((Ranked site) -> -Math.abs(site.value())));
        return List.copyOf(sites.subList(0, Math.min(count, sites.size())));
    }

    /**
     * Pearson's correlation of two maps over the sites where either is not zero; NaN where it is not defined. Sites where
     * both must be zero would only flatter it.
     */
    public static double correlation(double[][] a, double[][] b) {
        double n = 0;
        double sumA = 0;
        double sumB = 0;
        for (int l = 0; l < a.length; l++) {
            for (int t = 0; t < a[l].length; t++) {
                if (a[l][t] != 0 || b[l][t] != 0) {
                    n++;
                    sumA += a[l][t];
                    sumB += b[l][t];
                }
            }
        }
        double aa = 0;
        double bb = 0;
        double ab = 0;
        for (int l = 0; l < a.length; l++) {
            for (int t = 0; t < a[l].length; t++) {
                if (a[l][t] != 0 || b[l][t] != 0) {
                    double x = a[l][t] - sumA / n;
                    double y = b[l][t] - sumB / n;
                    aa += x * x;
                    bb += y * y;
                    ab += x * y;
                }
            }
        }
        return n < 2 || aa == 0 || bb == 0 ? Double.NaN : ab / Math.sqrt(aa * bb);
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

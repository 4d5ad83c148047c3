package dev.greenfield.report;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;

/**
 * The response of every site to every site, to be walked through: on the left all sources, coloured by how far each reaches; on
 * the right the response of all targets to the one that is selected by a click, the arrow keys, or the fragment {@code
 * #figure-N.source=LEVEL,TOKEN} of the page's address.
 *
 * <p>Responses are causal: a target before its source, in level or in token, must be zero or NaN. The page holds the rest alone,
 * about a quarter of the pairs, as 32-bit floats. At most {@value #MOST_PAIRS} of them are kept, a page of about 12 MB; a map
 * that holds more keeps the response to its farthest-reaching sources, the first of every level before the second of any, and the
 * figure says how many. So a map of any size can be walked through at all levels, and the page stays quick to open.
 *
 * <p>The reach of a source is the norm of its response over the tokens of the last level that holds any number, NaN if nothing is
 * known of the source.
 */
public final class ResponseMapChart implements Chart {

    static final int MOST_PAIRS = 1 << 21;

    private final String title;
    private final String caption;
    private final List<String> levels;
    private final List<String> tokens;
    private final String valueName;
    private final int reachLevel;
    private final double[][] reach; // [levels, T]
    private final List<Integer> sources = new ArrayList<>(); // level * T + token of the sources whose response is kept
    private final int known; // sources with a response, kept or not
    // Per kept source [levels from its own on, tokens from its own on], little-endian floats.
    private final ByteBuffer pairs;

    /** A map that is read source by source. */
    public interface Rows {
        /**
         * The response of all sites to a source, {@code [levels, T]}, NaN where nothing is known; null where nothing is known of the
         * source. Asked for several times.
         */
        double[] of(int level, int token);
    }

    /**
     * Checks the numbers and keeps what the page will hold; the array may be reused afterwards.
     *
     * @param title heading of the figure
     * @param caption what the figure shows; may be empty
     * @param levels labels of the levels, from the bottom up
     * @param tokens T labels
     * @param values {@code [levels, T, levels, T]} in the order source level, source token, target level, target token; NaN where
     *     nothing is known
     * @param valueName what a value is: the heading of the colour bar and of tooltips
     * @throws IllegalArgumentException if values and labels disagree in number, a value is negative, or a target before its source
     *     responds
     */
    public ResponseMapChart(
            String title, String caption, List<String> levels, List<String> tokens, double[] values, String valueName) {
        this(title, caption, levels, tokens, values, valueName, MOST_PAIRS);
    }

    /**
     * Likewise of a map that may be too large for an array.
     *
     * @param rows the responses to each source, which must not be changed until the chart is made
     */
    public ResponseMapChart(
            String title, String caption, List<String> levels, List<String> tokens, Rows rows, String valueName) {
        this(title, caption, levels, tokens, rows, valueName, MOST_PAIRS);
    }

    /** With another limit of pairs. */
    ResponseMapChart(
            String title,
            String caption,
            List<String> levels,
            List<String> tokens,
            double[] values,
            String valueName,
            int mostPairs) {
        this(title, caption, levels, tokens, rows(title, levels, tokens, values), valueName, mostPairs);
    }

    private static Rows rows(String title, List<String> levels, List<String> tokens, double[] values) {
        int sites = levels.size() * tokens.size();
        if (values.length != (long) sites * sites) {
            throw new IllegalArgumentException("response map \"" + title + "\": " + values.length + " values for "
                    + levels.size() + " levels and " + tokens.size() + " tokens; give one for each pair of sites, "
                    + (long) sites * sites);
        }
        return (level, token) -> {
            int from = (level * tokens.size() + token) * sites;
            return Arrays.copyOfRange(values, from, from + sites);
        };
    }

    private ResponseMapChart(
            String title,
            String caption,
            List<String> levels,
            List<String> tokens,
            Rows rows,
            String valueName,
            int mostPairs) {
        this.title = Objects.requireNonNull(title, "title");
        this.caption = Objects.requireNonNull(caption, "caption");
        this.valueName = Objects.requireNonNull(valueName, "valueName");
        this.levels = List.copyOf(levels);
        this.tokens = List.copyOf(tokens);
        Cone cone = new Cone(levels.size(), tokens.size(), rows);
        cone.check(title);
        reachLevel = cone.lastLevel();
        reach = cone.reach(reachLevel);
        List<Integer> ranked = ranked();
        known = ranked.size();
        long kept = 0;
        for (int source : ranked) {
            kept += cone.size(source);
            if (kept > mostPairs) {
                break;
            }
            sources.add(source);
        }
        sources.sort(Comparator.naturalOrder());
        pairs = ByteBuffer.allocate(4 * sources.stream().mapToInt(cone::size).sum())
                .order(ByteOrder.LITTLE_ENDIAN);
        sources.forEach(source -> cone.write(source, pairs));
        pairs.flip();
    }

    /** Sources of which something is known: the farthest-reaching of each level, then the second of each, and so on. */
    private List<Integer> ranked() {
        int count = tokens.size();
        List<int[]> ranks = new ArrayList<>(); // rank within its level, site
        for (int l = 0; l < reach.length; l++) {
            double[] row = reach[l];
            List<Integer> order = new ArrayList<>();
            for (int t = 0; t < count; t++) {
                if (!Double.isNaN(row[t])) {
                    order.add(t);
                }
            }
            order.sort(Comparator.comparingDouble(t -> -row[t]));
            for (int rank = 0; rank < order.size(); rank++) {
                ranks.add(new int[] {rank, l * count + order.get(rank)});
            }
        }
        ranks.sort(Comparator.comparingInt(entry -> entry[0]));
        return ranks.stream().map(entry -> entry[1]).toList();
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public String caption() {
        return caption;
    }

    List<String> levels() {
        return levels;
    }

    List<String> tokens() {
        return tokens;
    }

    String valueName() {
        return valueName;
    }

    /** The level whose response a source's reach is the norm of. */
    int reachLevel() {
        return reachLevel;
    }

    /** {@code [levels, T]}: the chart's own array, which must not be changed. */
    double[][] reach() {
        return reach;
    }

    /** The sources whose response is kept, {@code level * T + token}, ascending. */
    List<Integer> sources() {
        return sources;
    }

    /** How many sources have a response that is not kept. */
    int dropped() {
        return known - sources.size();
    }

    /**
     * For each of {@link #sources()} in turn {@code [levels from its own on, tokens from its own on]} as little-endian floats.
     */
    byte[] pairs() {
        return pairs.array();
    }

    /** The pairs of a map that causality lets respond: targets at or after their source in level and in token. */
    private record Cone(int levels, int tokens, Rows rows) {
        /** Takes what is known of a source. */
        private interface Visitor {
            void visit(int source, double[] row);
        }

        private void forEach(Visitor visitor) {
            for (int source = 0; source < levels * tokens; source++) {
                double[] row = rows.of(source / tokens, source % tokens);
                if (row != null) {
                    visitor.visit(source, row);
                }
            }
        }

        int size(int source) {
            return (levels - source / tokens) * (tokens - source % tokens);
        }

        void check(String title) {
            forEach((source, row) -> {
                if (row.length != levels * tokens) {
                    throw new IllegalArgumentException("response map \"" + title + "\": " + row.length
                            + " responses to a source; give one for each of " + levels * tokens + " sites");
                }
                for (int to = 0; to < row.length; to++) {
                    double v = row[to];
                    boolean before = to / tokens < source / tokens || to % tokens < source % tokens;
                    if (v < 0 || (before && v > 0)) {
                        throw new IllegalArgumentException("response map \"" + title + "\": " + v + " from level "
                                + source / tokens + ", token " + source % tokens + " to level " + to / tokens
                                + ", token " + to % tokens
                                + (v < 0
                                        ? "; a norm is not negative"
                                        : "; a target before its source must be zero or NaN"));
                    }
                }
            });
        }

        /** The last level of which anything is known; 0 if nothing is. */
        int lastLevel() {
            int[] last = {0};
            forEach((source, row) -> {
                for (int to = row.length - 1; to / tokens > last[0]; to--) {
                    if (!Double.isNaN(row[to])) {
                        last[0] = to / tokens;
                    }
                }
            });
            return last[0];
        }

        double[][] reach(int last) {
            double[][] reach = new double[levels][tokens];
            for (double[] level : reach) {
                Arrays.fill(level, Double.NaN);
            }
            forEach((source, row) -> {
                boolean known = false;
                double sum = 0;
                for (int l = source / tokens; l < levels; l++) {
                    for (int t = source % tokens; t < tokens; t++) {
                        double v = row[l * tokens + t];
                        known |= !Double.isNaN(v);
                        sum += l == last && !Double.isNaN(v) ? v * v : 0;
                    }
                }
                reach[source / tokens][source % tokens] = known ? Math.sqrt(sum) : Double.NaN;
            });
            return reach;
        }

        void write(int source, ByteBuffer out) {
            double[] row = rows.of(source / tokens, source % tokens);
            for (int l = source / tokens; l < levels; l++) {
                for (int t = source % tokens; t < tokens; t++) {
                    double v = row[l * tokens + t];
                    // A value too small for a float is still not a zero.
                    out.putFloat(v > 0 ? Math.max(Float.MIN_VALUE, (float) v) : (float) v);
                }
            }
        }
    }
}

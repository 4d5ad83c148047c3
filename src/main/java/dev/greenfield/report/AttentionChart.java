package dev.greenfield.report;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Where each head of a run looks: a small picture a head, queries down and keys across, and the selected one enlarged. Patterns are
 * causal, so that the page holds the lower triangles alone, in steps of 1 / 65535. At most {@value #MOST_NUMBERS} of them are kept, a page of about 11 MB:
 * of more, the heads that look elsewhere than at the first token and their own the most, and the figure says how many.
 *
 * @param title heading of the figure
 * @param caption what the figure shows; may be empty
 * @param tokens T labels
 * @param blocks L
 * @param heads H of a block
 * @param kept numbers of the heads that are shown, block H + head, rising
 * @param patterns of the kept heads, their lower triangles row by row: 65535 times a probability, 16 bits, little endian
 */
// A chart is handed over and drawn, never compared.
@SuppressWarnings("ArrayRecordComponent")
public record AttentionChart(
        String title, String caption, List<String> tokens, int blocks, int heads, List<Integer> kept, byte[] patterns)
        implements Chart {
    static final int MOST_NUMBERS = 1 << 22;

    /** The patterns of a block, asked for one after another. */
    public interface Blocks {
        /** [H, T, T] in the order head, query, key. */
        double[] of(int block);
    }

    /** Copies. */
    public AttentionChart {
        Objects.requireNonNull(title, "title");
        Objects.requireNonNull(caption, "caption");
        tokens = List.copyOf(tokens);
        kept = List.copyOf(kept);
        patterns = patterns.clone();
    }

    /** The kept triangles; a copy. */
    @Override
    public byte[] patterns() {
        return patterns.clone();
    }

    /**
     * A chart of all heads, or of as many as a page holds.
     *
     * @param elsewhere for each head, block after block, how much of it looks elsewhere than at the first token and its own: the more, the sooner it is
     *     kept; NaN is last
     * @throws IllegalArgumentException if the numbers of heads disagree, or a pattern has another size
     */
    public static AttentionChart of(
            String title, String caption, List<String> tokens, int blocks, double[] elsewhere, Blocks patterns) {
        int heads = blocks == 0 ? 0 : elsewhere.length / blocks;
        if (heads * blocks != elsewhere.length) {
            throw new IllegalArgumentException("attention chart \"" + title + "\": " + elsewhere.length
                    + " heads are not as many for each of " + blocks + " blocks");
        }
        int length = tokens.size();
        long each = (long) length * (length + 1) / 2;
        int room = (int) Math.min(elsewhere.length, MOST_NUMBERS / Math.max(1, each));
        Set<Integer> kept = new HashSet<>(IntStream.range(0, elsewhere.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> Double.isNaN(elsewhere[i]) ? 1 : -elsewhere[i]))
                .limit(room)
                .toList());
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.toIntExact(2 * each * kept.size())).order(ByteOrder.LITTLE_ENDIAN);
        List<Integer> order = new ArrayList<>();
        for (int block = 0; block < blocks; block++) {
            int first = block * heads;
            if (IntStream.range(first, first + heads).noneMatch(kept::contains)) {
                continue;
            }
            double[] all = patterns.of(block);
            Shapes.sameLength(
                    "attention chart \"" + title + "\"", "patterns", all.length, "heads", heads * length * length);
            for (int head = 0; head < heads; head++) {
                if (kept.contains(first + head)) {
                    order.add(first + head);
                    put(bytes, all, head * length * length, length);
                }
            }
        }
        return new AttentionChart(title, caption, tokens, blocks, heads, order, bytes.array());
    }

    private static void put(ByteBuffer bytes, double[] pattern, int at, int length) {
        for (int i = 0; i < length; i++) {
            for (int j = 0; j <= i; j++) {
                bytes.putShort((short) Math.round(65535 * pattern[at + i * length + j]));
            }
        }
    }
}

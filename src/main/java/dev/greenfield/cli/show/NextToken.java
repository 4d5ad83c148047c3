package dev.greenfield.cli.show;

import dev.greenfield.model.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A token that the model may say next.
 *
 * @param id the token
 * @param text what it reads
 * @param logit its logit
 * @param probability its probability among all tokens
 */
public record NextToken(int id, String text, double logit, double probability) {
    /** The most probable tokens, at most {@code count} of them, from the logits of one position. */
    static List<NextToken> top(double[] logits, int count, Tokenizer tokenizer) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - largest);
        }
        List<Integer> order = IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer v) -> -logits[v]))
                .limit(count)
                .toList();
        List<NextToken> top = new ArrayList<>();
        for (int v : order) {
            double logit = logits[v];
            top.add(new NextToken(v, tokenizer.text(v), logit, Math.exp(logit - largest) / sum));
        }
        return top;
    }

    /** One token among all, from the logits of one position. */
    static NextToken of(int id, double[] logits, Tokenizer tokenizer) {
        double largest = Arrays.stream(logits).max().orElseThrow();
        double sum =
                Arrays.stream(logits).map(logit -> Math.exp(logit - largest)).sum();
        return new NextToken(id, tokenizer.text(id), logits[id], Math.exp(logits[id] - largest) / sum);
    }

    /** How many tokens are more probable than one, and one. */
    static long rank(int id, double[] logits) {
        return 1 + Arrays.stream(logits).filter(logit -> logit > logits[id]).count();
    }

    /** For {@code result.json}. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("token_id", id);
        map.put("text", text);
        map.put("logit", logit);
        map.put("probability", probability);
        return map;
    }
}

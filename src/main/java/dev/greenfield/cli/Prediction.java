package dev.greenfield.cli;

import dev.greenfield.model.Tokenizer;
import java.util.ArrayList;
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
record Prediction(int id, String text, double logit, double probability) {
    /** The most probable tokens at a position, at most {@code count} of them, from logits [T, V]. */
    static List<Prediction> top(double[] logits, int vocabulary, int position, int count, Tokenizer tokenizer) {
        int from = position * vocabulary;
        double largest = Double.NEGATIVE_INFINITY;
        for (int v = 0; v < vocabulary; v++) {
            largest = Math.max(largest, logits[from + v]);
        }
        double sum = 0;
        for (int v = 0; v < vocabulary; v++) {
            sum += Math.exp(logits[from + v] - largest);
        }
        List<Integer> order = IntStream.range(0, vocabulary)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer v) -> -logits[from + v]))
                .limit(count)
                .toList();
        List<Prediction> top = new ArrayList<>();
        for (int v : order) {
            double logit = logits[from + v];
            top.add(new Prediction(v, tokenizer.text(v), logit, Math.exp(logit - largest) / sum));
        }
        return top;
    }

    /** For {@code result.json}. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("token", id);
        map.put("text", text);
        map.put("logit", logit);
        map.put("probability", probability);
        return map;
    }
}

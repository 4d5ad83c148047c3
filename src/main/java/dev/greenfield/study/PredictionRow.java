package dev.greenfield.study;

import dev.greenfield.prediction.PredictionSummary;

/**
 * How well one method predicts one kind of intervention on one component.
 *
 * @param kind as {@code predict --kinds} takes it
 * @param component resid, attn, mlp or head
 * @param method first, second or path
 * @param summary over the prompts
 */
public record PredictionRow(String kind, String component, String method, PredictionSummary summary) {
    static PredictionRow of(String key, PredictionSummary summary) {
        String[] names = key.split("\\|", -1);
        return new PredictionRow(names[0], names[1], names[2], summary);
    }
}

package dev.greenfield.lens;

import dev.greenfield.engine.TokenLead;
import dev.greenfield.failure.InputException;
import dev.greenfield.model.Tokenizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What one lens reads at every level and token: the most probable tokens, and where the chosen token stands. Levels are those of {@link
 * Lens#levels}, R of them. A level that the lens cannot read, for want of a Jacobian, has no tokens, and NaN for numbers.
 */
public final class LensReading {
    private final TokenLead[][] leads; // [R][T]; null for a level that is not read
    private final int tokens;
    private final Tokenizer tokenizer;

    LensReading(TokenLead[][] leads, int tokens, Tokenizer tokenizer) {
        this.leads = leads;
        this.tokens = tokens;
        this.tokenizer = tokenizer;
    }

    /** Whether the lens reads a level, by its place in {@link Lens#levels}. */
    public boolean reads(int level) {
        return leads[level] != null;
    }

    /**
     * The most probable tokens at a site, falling; none where the level is not read.
     *
     * @param level its place in {@link Lens#levels}
     * @throws InputException if there is no such token
     */
    public List<LensToken> top(int level, int token) {
        if (token < 0 || token >= tokens) {
            throw new InputException("found token " + token + ", expected 0 to " + (tokens - 1));
        }
        if (!reads(level)) {
            return List.of();
        }
        TokenLead lead = leads[level][token];
        int[] ids = lead.top();
        double[] logits = lead.topScores();
        List<LensToken> top = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            top.add(new LensToken(ids[i], tokenizer.text(ids[i]), logits[i], Math.exp(logits[i] - lead.logSumExp())));
        }
        return Collections.unmodifiableList(top);
    }

    /** The rank of the chosen token, [R][T]: 1 is the most probable. */
    public double[][] ranks() {
        return numbers(TokenLead::rank);
    }

    /** The probability of the chosen token, [R][T]. */
    public double[][] probabilities() {
        return numbers(lead -> Math.exp(lead.chosenScore() - lead.logSumExp()));
    }

    /** The logit of the chosen token, [R][T]. */
    public double[][] logits() {
        return numbers(TokenLead::chosenScore);
    }

    private double[][] numbers(ToDoubleFunction<TokenLead> number) {
        double[][] numbers = new double[leads.length][tokens];
        for (int r = 0; r < leads.length; r++) {
            for (int t = 0; t < tokens; t++) {
                numbers[r][t] = reads(r) ? number.applyAsDouble(leads[r][t]) : Double.NaN;
            }
        }
        return numbers;
    }
}

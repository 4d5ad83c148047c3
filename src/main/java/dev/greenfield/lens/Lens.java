package dev.greenfield.lens;

import dev.greenfield.lattice.HalfDepth;
import java.util.List;
import java.util.Optional;

/**
 * The tokens that lenses read from the stream of one run.
 *
 * <p>The <em>logit lens</em> takes the stream R[l][t] for the last residual: logits = W_U N(R[l][t]), with N the model's own last norm
 * at that vector, gain and bias included, and not its linearization (nostalgebraist, interpreting GPT: the logit lens, 2020). The
 * <em>Jacobian lens</em> brings it to the last depth first, by the averaged Jacobian of its depth: W_U N(J_l R[l][t]) (Gurnee,
 * Sofroniew, Lindsey et al., Verbalizable Representations Form a Global Workspace in Language Models, 2026). At depth L both are the
 * model's own logits.
 */
public final class Lens {
    private final List<HalfDepth> levels;
    private final int chosen;
    private final String chosenText;
    private final LensReading logit;
    private final LensReading jacobian; // null without Jacobians

    Lens(List<HalfDepth> levels, int chosen, String chosenText, LensReading logit, LensReading jacobian) {
        this.levels = levels;
        this.chosen = chosen;
        this.chosenText = chosenText;
        this.logit = logit;
        this.jacobian = jacobian;
    }

    /** The levels that are read, from below up: depths 0 to L, or with half depths 2 L + 1. */
    public List<HalfDepth> levels() {
        return levels;
    }

    /** The token whose rank is followed. */
    public int chosen() {
        return chosen;
    }

    /** What that token reads. */
    public String chosenText() {
        return chosenText;
    }

    /** What the logit lens reads. */
    public LensReading logit() {
        return logit;
    }

    /** What the Jacobian lens reads; empty where no Jacobians were given. Half depths, which have none, are not read. */
    public Optional<LensReading> jacobian() {
        return Optional.ofNullable(jacobian);
    }

    @Override
    public String toString() {
        return "lens over " + levels.size() + " levels, rank of token " + chosen
                + (jacobian == null ? ", logit lens" : ", logit and Jacobian lens");
    }
}

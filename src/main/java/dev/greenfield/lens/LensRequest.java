package dev.greenfield.lens;

import dev.greenfield.engine.Scope;
import dev.greenfield.engine.TokenLead;
import dev.greenfield.engine.VocabularyScan.Level;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.HalfDepth;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** What lenses are to read of a run; say how with its methods, then {@link #compute} it. Not for use by several threads. */
public final class LensRequest {
    private static final int DEFAULT_TOP = 5;

    private final Scope scope;
    private int top = DEFAULT_TOP;
    private String answer; // null for what the model says last
    private Jacobians jacobians;
    private boolean halfDepths;

    /** A request to a run. */
    public LensRequest(Scope scope) {
        this.scope = scope;
    }

    /**
     * How many of the most probable tokens are kept at each site; {@value #DEFAULT_TOP} unless said otherwise.
     *
     * @throws InputException if that is less than 1
     */
    public LensRequest top(int count) {
        if (count < 1) {
            throw new InputException("found " + count + " tokens a site, expected at least 1");
        }
        this.top = count;
        return this;
    }

    /** The token whose rank is followed: a text, or {@code #id}. The model's most probable one after the last token, unless said. */
    public LensRequest of(String token) {
        this.answer = Objects.requireNonNull(token, "token");
        return this;
    }

    /** Reads with the Jacobian lens too. */
    public LensRequest jacobians(Jacobians averages) {
        this.jacobians = Objects.requireNonNull(averages, "averages");
        return this;
    }

    /** Reads the middle of each block too, by the logit lens. */
    public LensRequest halfDepths() {
        this.halfDepths = true;
        return this;
    }

    /**
     * Reads. The logits of some sites are there at a time; each lens goes through the output matrix once, as far as the memory budget
     * lets the stream of all levels stand beside it.
     *
     * @throws InputException if the token is none of the model's, or its blocks have no middle
     * @throws dev.greenfield.failure.MemoryBudgetException if the output matrix does not fit
     */
    public Lens compute() {
        if (halfDepths) {
            scope.config().requireMiddles("half depths");
        }
        int chosen = answer == null ? said() : scope.tokenizer().single(answer);
        List<HalfDepth> levels = HalfDepth.levels(scope.config().layers(), halfDepths);
        return Task.call("lens", "lenses", jacobians == null ? 1 : 2, task -> {
            LensReading logit = task.call(1, () -> read(levels, null, chosen));
            LensReading jacobian = jacobians == null ? null : task.call(1, () -> read(levels, jacobians, chosen));
            return new Lens(List.copyOf(levels), chosen, scope.tokenizer().text(chosen), logit, jacobian);
        });
    }

    /** The most probable token after the run's last one. */
    private int said() {
        double[] logits = scope.run().logits(scope.length() - 1);
        int best = 0;
        for (int v = 1; v < logits.length; v++) {
            best = logits[v] > logits[best] ? v : best;
        }
        return best;
    }

    private LensReading read(List<HalfDepth> levels, Jacobians by, int chosen) {
        List<Level> read = new ArrayList<>();
        for (HalfDepth level : levels) {
            boolean top = level.equals(scope.model().top());
            if (by == null || top) {
                read.add(new Level(level, null)); // J_L is the identity
            } else if (!level.isMiddle() && by.has(level.block())) {
                read.add(new Level(level, () -> by.at(level.block())));
            }
        }
        TokenLead[][] found = scope.vocabulary(top).logits(scope.run(), read, chosen);
        TokenLead[][] leads = new TokenLead[levels.size()][];
        for (int i = 0; i < found.length; i++) {
            leads[levels.indexOf(read.get(i).level())] = found[i];
        }
        return new LensReading(leads, scope.length(), scope.tokenizer());
    }
}

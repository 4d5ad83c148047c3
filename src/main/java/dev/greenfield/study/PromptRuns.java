package dev.greenfield.study;

import dev.greenfield.Model;
import dev.greenfield.Run;
import dev.greenfield.transfer.DisplacementTransfer;

/** The runs of one prompt pair that the parts of a study share, each made when a part first asks for it. */
final class PromptRuns implements AutoCloseable {
    private final Model model;
    private final Model other;
    private final Model untrained;
    private final PromptPair pair;
    private final long seed;
    private Sides own;
    private Sides beside;
    private Sides control;

    /**
     * @param other the second model; or null
     * @param untrained the control; or null
     * @param seed of this prompt
     */
    PromptRuns(Model model, Model other, Model untrained, PromptPair pair, long seed) {
        this.model = model;
        this.other = other;
        this.untrained = untrained;
        this.pair = pair;
        this.seed = seed;
    }

    /** A pair in one model. */
    record Sides(Run clean, Run corrupt, DisplacementTransfer transfer) implements AutoCloseable {
        static Sides of(Model model, PromptPair pair) {
            Run clean = model.run(pair.tokens());
            Run corrupt = null;
            try {
                corrupt = model.run(pair.corrupt());
                return new Sides(clean, corrupt, clean.transfer(corrupt, pair.observable()));
            } catch (RuntimeException | Error e) {
                clean.close();
                if (corrupt != null) {
                    corrupt.close();
                }
                throw e;
            }
        }

        @Override
        public void close() {
            clean.close();
            corrupt.close();
        }
    }

    PromptPair pair() {
        return pair;
    }

    long seed() {
        return seed;
    }

    int layers() {
        return model.config().layers();
    }

    boolean hasUntrained() {
        return untrained != null;
    }

    Run clean() {
        return own().clean();
    }

    Run corrupt() {
        return own().corrupt();
    }

    DisplacementTransfer transfer() {
        return own().transfer();
    }

    private Sides own() {
        if (own == null) {
            own = Sides.of(model, pair);
        }
        return own;
    }

    /** In the second model. */
    Sides other() {
        if (beside == null) {
            beside = Sides.of(other, pair);
        }
        return beside;
    }

    /** In the untrained control. */
    Sides untrained() {
        if (control == null) {
            control = Sides.of(untrained, pair);
        }
        return control;
    }

    @Override
    public void close() {
        for (Sides sides : new Sides[] {own, beside, control}) {
            if (sides != null) {
                sides.close();
            }
        }
    }
}

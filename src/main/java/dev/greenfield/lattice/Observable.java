package dev.greenfield.lattice;

import dev.greenfield.failure.InputException;
import java.util.Arrays;
import java.util.Objects;

/**
 * A scalar F of a run, read at one position. Tokens are named by their text, which must be one token of the model, or as
 * {@code #id}.
 *
 * @param kind what is read
 * @param answer the token whose logit or log-probability is read; null for {@link Kind#LINEAR}
 * @param foil the token whose logit is subtracted; null unless {@link Kind#LOGIT_DIFFERENCE}
 * @param weights for {@link Kind#LINEAR} the weights [D] on the final residual R[L]; null otherwise
 * @param position the token at which F is read; {@link #LAST} for the last of the run
 */
public record Observable(Kind kind, String answer, String foil, double[] weights, int position) {
    /** Stands for the last position of whatever run the observable is taken of. */
    public static final int LAST = -1;

    /** What an observable reads. */
    public enum Kind {
        /** logit(answer) - logit(foil). */
        LOGIT_DIFFERENCE,
        /** logit(answer). */
        LOGIT,
        /** log softmax(logits)(answer), in nats. */
        LOG_PROBABILITY,
        /** The inner product of given weights with the final residual, before the last LayerNorm. */
        LINEAR
    }

    public Observable {
        Objects.requireNonNull(kind, "kind");
        weights = weights == null ? null : weights.clone();
        if (position < LAST) {
            throw new InputException("position " + position + ": expected a token of the prompt, counted from 0");
        }
        if ((kind == Kind.LINEAR) == (answer != null)
                || (kind == Kind.LINEAR) != (weights != null)
                || (kind == Kind.LOGIT_DIFFERENCE) != (foil != null)) {
            throw new InputException("an observable of kind " + kind + " takes "
                    + (kind == Kind.LINEAR
                            ? "weights and no tokens"
                            : kind == Kind.LOGIT_DIFFERENCE ? "an answer and a foil" : "an answer and no foil"));
        }
        if (kind == Kind.LOGIT_DIFFERENCE && answer.equals(foil)) {
            throw new InputException("answer and foil are both '" + answer
                    + "', so their logit difference is always 0: choose two different tokens");
        }
    }

    /** logit(answer) - logit(foil) at the last position. */
    public static Observable logitDifference(String answer, String foil) {
        Objects.requireNonNull(answer, "answer");
        Objects.requireNonNull(foil, "foil");
        return new Observable(Kind.LOGIT_DIFFERENCE, answer, foil, null, LAST);
    }

    /** logit(answer) - logit(foil) at the last position, of token ids. */
    public static Observable logitDifference(int answer, int foil) {
        return logitDifference("#" + answer, "#" + foil);
    }

    /** logit(answer) at the last position. */
    public static Observable logit(String answer) {
        return new Observable(Kind.LOGIT, Objects.requireNonNull(answer, "answer"), null, null, LAST);
    }

    /** log-probability of the answer at the last position, in nats. */
    public static Observable logProbability(String answer) {
        return new Observable(Kind.LOG_PROBABILITY, Objects.requireNonNull(answer, "answer"), null, null, LAST);
    }

    /** The inner product of {@code weights} [D] with the final residual at the last position. */
    public static Observable linear(double[] weights) {
        return new Observable(Kind.LINEAR, null, null, Objects.requireNonNull(weights, "weights"), LAST);
    }

    /** The same observable read at another position. */
    public Observable at(int token) {
        return new Observable(kind, answer, foil, weights, token);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Observable o
                && kind == o.kind
                && Objects.equals(answer, o.answer)
                && Objects.equals(foil, o.foil)
                && Arrays.equals(weights, o.weights)
                && position == o.position;
    }

    @Override
    public int hashCode() {
        return Objects.hash(kind, answer, foil, Arrays.hashCode(weights), position);
    }

    @Override
    public double[] weights() {
        return weights == null ? null : weights.clone();
    }

    /** For people: {@code logit(Paris) - logit(Rome)}. */
    public String describe() {
        String what = switch (kind) {
            case LOGIT_DIFFERENCE -> "logit(" + answer + ") - logit(" + foil + ")";
            case LOGIT -> "logit(" + answer + ")";
            case LOG_PROBABILITY -> "log p(" + answer + ")";
            case LINEAR -> "<w, R[L]>";
        };
        return position == LAST ? what : what + " at token " + position;
    }

    /** What {@link #describe} says. */
    @Override
    public String toString() {
        return describe();
    }
}

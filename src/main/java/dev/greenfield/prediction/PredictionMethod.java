package dev.greenfield.prediction;

import dev.greenfield.failure.InputException;
import dev.greenfield.response.SecondOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/** How the change of F by a source is predicted. */
public enum PredictionMethod {
    /** The sensitivity of the run times the source. */
    FIRST("first", "first order"),
    /** F' + F''/2 along the source; see {@link SecondOrder}. */
    SECOND("second", "second order"),
    /** The sensitivity averaged along the path between both prompts' embeddings times the source; see {@link InputPath}. */
    PATH("path", "path-integrated");

    private final String label;
    private final String description;

    PredictionMethod(String label, String description) {
        this.label = label;
        this.description = description;
    }

    /** As in options and results. */
    public String label() {
        return label;
    }

    /** For people. */
    public String description() {
        return description;
    }

    /** Whether it says anything about a kind: paths lead to a donor. */
    public boolean predicts(InterventionKind kind) {
        return this != PATH || kind.needsDonor();
    }

    /**
     * The method of a label.
     *
     * @throws InputException if there is none
     */
    public static PredictionMethod of(String label) {
        return Arrays.stream(values())
                .filter(m -> m.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new InputException("found method '" + label + "', expected one of "
                        + Arrays.stream(values()).map(PredictionMethod::label).collect(Collectors.joining(", "))));
    }
}

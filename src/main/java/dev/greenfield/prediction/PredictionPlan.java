package dev.greenfield.prediction;

import dev.greenfield.failure.InputException;
import java.io.Serializable;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Which interventions are measured and how they are predicted.
 *
 * @param kinds in order, each once
 * @param components likewise
 * @param methods likewise
 * @param steps n of the path; see {@link InputPath}
 * @param seed of random directions
 */
public record PredictionPlan(
        List<InterventionKind> kinds, List<Component> components, List<PredictionMethod> methods, int steps, long seed)
        implements Serializable {
    /** Steps of the path unless others are asked for. */
    public static final int STEPS = 8;

    /**
     * Checks and copies.
     *
     * @throws InputException if a list is empty or names something twice, or there is no step
     */
    public PredictionPlan {
        kinds = once("kind", kinds);
        components = once("component", components);
        methods = once("method", methods);
        if (steps < 1) {
            throw new InputException("found " + steps + " steps of the path, expected at least 1");
        }
    }

    /** All kinds at their usual sizes, all components, all methods. */
    public static PredictionPlan defaults() {
        return new PredictionPlan(
                InterventionKind.DEFAULTS, List.of(Component.values()), List.of(PredictionMethod.values()), STEPS, 0);
    }

    private static <T> List<T> once(String what, List<T> values) {
        if (values.isEmpty()) {
            throw new InputException("found no " + what + ", expected one at least");
        }
        if (new LinkedHashSet<>(values).size() < values.size()) {
            throw new InputException("found a " + what + " twice in " + values + ", expected each once");
        }
        return List.copyOf(values);
    }

    /** The same with another seed. */
    public PredictionPlan seed(long other) {
        return new PredictionPlan(kinds, components, methods, steps, other);
    }

    /** Whether any kind needs a second run. */
    public boolean needsDonor() {
        return kinds.stream().anyMatch(InterventionKind::needsDonor);
    }
}

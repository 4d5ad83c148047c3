package dev.greenfield.prediction;

import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SecondOrder;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SourceColumns;
import dev.greenfield.response.SourceEffects;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Measured and predicted changes of F for the interventions of a plan on one prompt. Immutable. */
public final class PromptPredictions {
    private final List<Case> cases;

    private PromptPredictions(List<Case> cases) {
        this.cases = List.copyOf(cases);
    }

    /**
     * One kind of intervention at every row and token of one component.
     *
     * @param kind what is done
     * @param component to what
     * @param rows rows of the component
     * @param tokens T
     * @param idle [rows T] in the order row, token: which interventions change nothing, because their source is zero or F cannot see
     *     its site. Their change is 0, measured and predicted
     * @param measured [rows T], change of F in the run with the source in it
     * @param predicted by method [rows T]; methods that say nothing about the kind are missing
     */
    @SuppressWarnings("ArrayRecordComponent") // handed over, never compared
    public record Case(
            InterventionKind kind,
            Component component,
            int rows,
            int tokens,
            boolean[] idle,
            double[] measured,
            Map<PredictionMethod, double[]> predicted) {

        /** How many interventions change nothing. */
        public int idles() {
            int count = 0;
            for (boolean nothing : idle) {
                count += nothing ? 1 : 0;
            }
            return count;
        }

        /** The measured changes of those that are not idle, in order. */
        public double[] activeMeasured() {
            return active(measured);
        }

        /** Likewise what a method predicts; null where it says nothing about the kind. */
        public double[] activePredicted(PredictionMethod method) {
            double[] all = predicted.get(method);
            return all == null ? null : active(all);
        }

        /** The elements of an array [rows T] that belong to interventions that are not idle, in order. */
        public double[] active(double[] values) {
            double[] chosen = new double[values.length - idles()];
            int n = 0;
            for (int i = 0; i < values.length; i++) {
                if (!idle[i]) {
                    chosen[n++] = values[i];
                }
            }
            return chosen;
        }
    }

    /**
     * Measures and predicts.
     *
     * @param run the prompt's
     * @param donor of the other prompt; null where the plan needs none
     * @throws InputException if the donor does not fit, or is missing
     */
    public static PromptPredictions compute(Scope run, Scope donor, Observable f, PredictionPlan plan) {
        if (plan.needsDonor()) {
            if (donor == null) {
                throw new InputException("the kinds asked for include patches, and there is no second run to take"
                        + " them from: give a donor, or ask for ablations and steering only");
            }
            run.requireAlike(donor, "a patch");
        }
        Side own = new Side(run, donor, f, plan);
        Side other = donor == null ? null : new Side(donor, run, f, plan);
        int count = plan.kinds().size() * plan.components().size();
        return Task.call("predictions", "kinds of intervention", count, task -> {
            List<Case> cases = new ArrayList<>();
            for (InterventionKind kind : plan.kinds()) {
                Side side = kind.family() == InterventionKind.Family.DENOISE ? other : own;
                for (Component component : plan.components()) {
                    cases.add(task.call(1, () -> side.measure(kind, component, side == own ? other : own)));
                }
            }
            return new PromptPredictions(cases);
        });
    }

    /** One run as the one that is intervened on, with what is computed of it once. */
    private static final class Side {
        private final Scope run;
        private final Scope donor;
        private final Observable f;
        private final PredictionPlan plan;
        private final ComponentOutputs outputs;
        private final Map<Double, SensitivityField> paths = new HashMap<>();
        private SensitivityField sensitivity;

        Side(Scope run, Scope donor, Observable f, PredictionPlan plan) {
            this.run = run;
            this.donor = donor;
            this.f = f;
            this.plan = plan;
            this.outputs = new ComponentOutputs(run);
        }

        Case measure(InterventionKind kind, Component component, Side other) {
            int steps = 1 + plan.methods().size();
            return Task.call("interventions", "ways to tell", steps, task -> measure(kind, component, other, task));
        }

        private Case measure(InterventionKind kind, Component component, Side other, Task task) {
            Interventions all = interventions(kind, component, other);
            List<Source> sources = all.sources();
            int position = run.position(f);
            boolean[] idle = new boolean[sources.size()];
            for (int i = 0; i < idle.length; i++) {
                Source source = sources.get(i);
                idle[i] = source.isZero()
                        || source.vectors().keySet().stream()
                                .noneMatch(site -> SourceColumns.seen(run, position, site));
            }
            int[] active = IntStream.range(0, idle.length).filter(i -> !idle[i]).toArray();
            List<Source> effective = IntStream.of(active).mapToObj(sources::get).toList();
            double[] measured = task.call(1, () -> SourceEffects.added(run, f, effective));
            Map<PredictionMethod, double[]> predicted = new EnumMap<>(PredictionMethod.class);
            for (PredictionMethod method : plan.methods()) {
                if (method.predicts(kind)) {
                    double[] found = task.call(1, () -> predict(method, kind, effective));
                    predicted.put(method, spread(found, active, idle.length));
                }
            }
            return new Case(
                    kind, component, all.rows(), all.tokens(), idle, spread(measured, active, idle.length), predicted);
        }

        private static double[] spread(double[] values, int[] places, int count) {
            double[] all = new double[count];
            for (int i = 0; i < places.length; i++) {
                all[places[i]] = values[i];
            }
            return all;
        }

        private Interventions interventions(InterventionKind kind, Component component, Side other) {
            return switch (kind.family()) {
                case NOISE, DENOISE -> Interventions.patches(outputs, other.outputs, component);
                case SCALED ->
                    Interventions.patches(outputs, other.outputs, component).times(kind.size());
                case ZERO -> Interventions.zeroAblations(outputs, component);
                case MEAN -> Interventions.meanAblations(outputs, component);
                case RANDOM -> Interventions.randomSteering(outputs, component, kind.size(), plan.seed());
                case SENSITIVITY -> Interventions.sensitivitySteering(outputs, component, kind.size(), sensitivity());
            };
        }

        private double[] predict(PredictionMethod method, InterventionKind kind, List<Source> sources) {
            return switch (method) {
                case FIRST -> products(sensitivity(), sources);
                case SECOND -> SecondOrder.compute(run, f, sources).predicted(1);
                case PATH -> products(path(kind.size()), sources);
            };
        }

        private static double[] products(SensitivityField s, List<Source> sources) {
            return sources.stream().mapToDouble(s::predict).toArray();
        }

        private SensitivityField sensitivity() {
            if (sensitivity == null) {
                sensitivity = SensitivityField.compute(run, f);
            }
            return sensitivity;
        }

        private SensitivityField path(double fraction) {
            SensitivityField known = paths.get(fraction);
            if (known == null) {
                known = InputPath.mean(run, donor, f, fraction, plan.steps());
                paths.put(fraction, known);
            }
            return known;
        }
    }

    /** Kinds in the plan's order, and of each its components. */
    public List<Case> cases() {
        return cases;
    }
}

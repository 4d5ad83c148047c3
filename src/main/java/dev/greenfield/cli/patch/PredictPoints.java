package dev.greenfield.cli.patch;

import dev.greenfield.cli.io.TensorSet;
import dev.greenfield.prediction.Component;
import dev.greenfield.prediction.InterventionKind;
import dev.greenfield.prediction.PredictionMethod;
import dev.greenfield.prediction.PredictionPlan;
import dev.greenfield.prediction.PromptPredictions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every measured and predicted change that is not idle, of all prompts, for the tensors and the scatter figures. */
final class PredictPoints {
    private final PredictionPlan plan;
    private final Map<String, Group> groups = new LinkedHashMap<>();

    PredictPoints(PredictionPlan plan) {
        this.plan = plan;
    }

    /** The changes of one kind and component, in the order prompt, row, token. */
    static final class Group {
        private final List<double[]> sites = new ArrayList<>(); // prompt number, row, token
        private final List<double[]> measured = new ArrayList<>();
        private final Map<PredictionMethod, List<double[]>> predicted = new EnumMap<>(PredictionMethod.class);

        /** Prompt number, row and token of each, [n 3]. */
        double[] sites() {
            return joined(sites);
        }

        /** [n]. */
        double[] measured() {
            return joined(measured);
        }

        /** [n]; null where the method says nothing about the kind. */
        double[] predicted(PredictionMethod method) {
            return predicted.containsKey(method) ? joined(predicted.get(method)) : null;
        }
    }

    /** Adds a prompt. */
    void add(int number, PromptPredictions found) {
        for (PromptPredictions.Case one : found.cases()) {
            Group group = groups.computeIfAbsent(key(one.kind(), one.component()), key -> new Group());
            double[] sites = new double[3 * (one.idle().length - one.idles())];
            int n = 0;
            for (int i = 0; i < one.idle().length; i++) {
                if (!one.idle()[i]) {
                    int row = i / one.tokens();
                    sites[n++] = number;
                    sites[n++] = row;
                    sites[n++] = i - row * one.tokens();
                }
            }
            group.sites.add(sites);
            group.measured.add(one.activeMeasured());
            one.predicted()
                    .keySet()
                    .forEach(method -> group.predicted
                            .computeIfAbsent(method, key -> new ArrayList<>())
                            .add(one.activePredicted(method)));
        }
    }

    /** The changes of a kind and component. */
    Group of(InterventionKind kind, Component component) {
        return groups.get(key(kind, component));
    }

    /** Writes {@code predict.KIND.COMPONENT.sites}, {@code .measured} and one tensor a method. */
    void addTo(TensorSet tensors) {
        for (InterventionKind kind : plan.kinds()) {
            for (Component component : plan.components()) {
                String name = "predict." + key(kind, component);
                Group group = of(kind, component);
                double[] measured = group.measured();
                tensors.add(name + ".sites", group.sites(), measured.length, 3);
                tensors.add(name + ".measured", measured, measured.length);
                for (PredictionMethod method : plan.methods()) {
                    double[] predicted = group.predicted(method);
                    if (predicted != null) {
                        tensors.add(name + "." + method.label(), predicted, measured.length);
                    }
                }
            }
        }
    }

    private static String key(InterventionKind kind, Component component) {
        return kind.label() + "." + component.label();
    }

    private static double[] joined(List<double[]> parts) {
        return parts.stream().flatMapToDouble(Arrays::stream).toArray();
    }
}

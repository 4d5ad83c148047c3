package dev.greenfield.prediction;

import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Source;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.UnitSphereSampler;

/**
 * One intervention at every row and token of a component, each of them a {@link Source} by itself: what the component's output there
 * becomes, minus what it is. Immutable.
 */
public final class Interventions {
    private final Component component;
    private final int rows;
    private final int tokens;
    private final List<Source> sources;

    private Interventions(Component component, int rows, int tokens, List<Source> sources) {
        this.component = component;
        this.rows = rows;
        this.tokens = tokens;
        this.sources = sources;
    }

    /** The vector [D] that an intervention adds to an output. */
    private interface Change {
        double[] of(int row, int token);
    }

    private static Interventions of(ComponentOutputs own, Component component, Change change) {
        Field outputs = own.of(component);
        List<Source> sources = new ArrayList<>();
        for (int row = 0; row < outputs.depths(); row++) {
            for (int t = 0; t < outputs.tokens(); t++) {
                sources.add(Source.of(component.site(own.config(), row, t), change.of(row, t)));
            }
        }
        return new Interventions(component, outputs.depths(), outputs.tokens(), List.copyOf(sources));
    }

    /**
     * Patches: each output is replaced by the donor's, so that the sources are displacements.
     *
     * @throws dev.greenfield.failure.InputException if the runs are of different models or lengths
     */
    public static Interventions patches(ComponentOutputs own, ComponentOutputs donor, Component component) {
        own.scope().requireAlike(donor.scope(), "a patch");
        Field displacement = donor.of(component).minus(own.of(component));
        return replacing(own, component, displacement::vector);
    }

    /** Outputs that become others: what the stream receives of that. */
    private static Interventions replacing(ComponentOutputs own, Component component, Change change) {
        return of(own, component, (row, t) -> own.received(component, row, t, change.of(row, t)));
    }

    /** Zero ablations: each output is replaced by zero. */
    public static Interventions zeroAblations(ComponentOutputs own, Component component) {
        Field outputs = own.of(component);
        return replacing(own, component, (row, t) -> scaled(-1, outputs.vector(row, t)));
    }

    /** Mean ablations: each output is replaced by the mean of its row over the tokens of the prompt. */
    public static Interventions meanAblations(ComponentOutputs own, Component component) {
        Field outputs = own.of(component);
        double[][] means = new double[outputs.depths()][outputs.width()];
        for (int row = 0; row < means.length; row++) {
            for (int t = 0; t < outputs.tokens(); t++) {
                for (int i = 0; i < outputs.width(); i++) {
                    means[row][i] += outputs.at(row, t, i) / outputs.tokens();
                }
            }
        }
        return replacing(own, component, (row, t) -> {
            double[] change = outputs.vector(row, t);
            for (int i = 0; i < change.length; i++) {
                change[i] = means[row][i] - change[i];
            }
            return change;
        });
    }

    /**
     * Steering along random directions, drawn anew and uniformly for each row and token: vectors that are added to the stream where the output
     * enters it.
     *
     * @param size length of the added vector in units of the output's own
     * @param seed the same seed draws the same directions
     */
    public static Interventions randomSteering(ComponentOutputs own, Component component, double size, long seed) {
        Field outputs = own.of(component);
        UniformRandomProvider random = RandomStreams.generator(
                RandomStreams.seed(RandomStreams.seed(seed, Purpose.STEERING), component.label()));
        UnitSphereSampler directions = UnitSphereSampler.of(random, outputs.width());
        return of(own, component, (row, t) -> scaled(size * outputs.norm(row, t), directions.sample()));
    }

    /**
     * Steering along the sensitivity at the site where the output enters the stream, which raises F; nothing where that is zero.
     *
     * @param size length of the added vector in units of the output's own
     */
    public static Interventions sensitivitySteering(
            ComponentOutputs own, Component component, double size, SensitivityField sensitivity) {
        Field outputs = own.of(component);
        return of(own, component, (row, t) -> {
            double[] direction = sensitivity.at(component.site(own.config(), row, t));
            double length = Math.sqrt(Arrays.stream(direction).map(x -> x * x).sum());
            return scaled(length == 0 ? 0 : size * outputs.norm(row, t) / length, direction);
        });
    }

    /** The same interventions, each times a factor. */
    public Interventions times(double factor) {
        return new Interventions(
                component,
                rows,
                tokens,
                sources.stream().map(source -> source.times(factor)).toList());
    }

    private static double[] scaled(double factor, double[] vector) {
        return Arrays.stream(vector).map(x -> factor * x).toArray();
    }

    /** What is changed. */
    public Component component() {
        return component;
    }

    /** Rows of the component, such as depths. */
    public int rows() {
        return rows;
    }

    /** Tokens T. */
    public int tokens() {
        return tokens;
    }

    /** The sources, [rows T] in the order row, token. */
    public List<Source> sources() {
        return sources;
    }
}

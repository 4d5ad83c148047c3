package dev.greenfield.cli.show;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.statistics.Bootstrap;
import dev.greenfield.statistics.Estimate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Numbers of one prompt after another under their names, and their means with bootstrap intervals over prompts. */
public final class Averages {
    private final Map<String, List<Double>> values = new LinkedHashMap<>();
    private final Bootstrap bootstrap;

    /** @param seed of the resamples */
    public Averages(long seed) {
        bootstrap = new Bootstrap(Bootstrap.RESAMPLES, seed);
    }

    /** Adds a prompt's number; NaN where it is not defined. */
    public void add(String name, double value) {
        values.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
    }

    /** The names, in the order in which they were first added. */
    List<String> names() {
        return List.copyOf(values.keySet());
    }

    /** The numbers of the prompts. */
    public double[] values(String name) {
        return values.get(name).stream().mapToDouble(Double::doubleValue).toArray();
    }

    /** The mean with its 95 % interval. */
    public Estimate mean(String name) {
        return bootstrap.mean(values(name));
    }

    /** For people: {@code 0.91 (0.88 to 0.93)}. */
    public String shown(String name) {
        return Numbers.interval(mean(name), value -> Numbers.format("%.3f", value));
    }

    /** For {@code result.json}: mean, low and high by name. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        for (String name : values.keySet()) {
            map.put(name, Numbers.fields(mean(name)));
        }
        return map;
    }
}

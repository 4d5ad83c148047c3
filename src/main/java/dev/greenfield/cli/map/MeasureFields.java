package dev.greenfield.cli.map;

import dev.greenfield.cli.io.Numbers;
import dev.greenfield.propagation.Decay;
import dev.greenfield.propagation.MapMeasures;
import dev.greenfield.statistics.Estimate;
import dev.greenfield.statistics.LineFit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The measures of a map as fields of {@code result.json}; what is not defined is NaN, which is written as null. */
public final class MeasureFields {
    private MeasureFields() {}

    /** All measures. {@code levelsADepth} is 2 with half depths. */
    static Map<String, Object> of(MapMeasures measures, MapMeasures.Settings settings, int levelsADepth) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("confidence", settings.confidence());
        fields.put("front_fraction", settings.front());
        fields.put("sources", measures.sources());
        fields.put("all_sources", measures.allSources());
        fields.put("resamples", measures.resamples());
        fields.put("exponent_resamples", measures.exponentResamples());
        fields.put(
                "decay",
                decay(measures.decay(), measures.exponent(), measures.profile().moved()));
        List<Object> distances = new ArrayList<>();
        for (MapMeasures.AtDistance at : measures.distances()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("depth_distance", Numbers.half(2 * at.levels() / levelsADepth));
            one.put("rows", at.rows());
            one.put("incomplete_rows", at.incomplete());
            one.put("zero_rows", at.zero());
            one.put("room", at.room());
            one.put("token_share", Numbers.fields(at.tokenShare()));
            one.put("displacement", Numbers.fields(at.displacement()));
            one.put("front", Numbers.fields(at.front()));
            one.put("entropy", Numbers.fields(at.entropy()));
            one.put("normalized_entropy", Numbers.fields(at.normalizedEntropy()));
            one.put("participation", Numbers.fields(at.participation()));
            one.put("decay", decay(at.decay(), at.exponent(), measures.profile().moved(at.levels())));
            distances.add(one);
        }
        fields.put("depth_distances", distances);
        return fields;
    }

    private static Map<String, Object> decay(Decay decay, Estimate bootstrap, long pairs) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("pairs", pairs);
        fields.put("token_distances", decay.distances());
        fields.put("zero_distances", decay.zeros());
        if (!decay.defined()) {
            fields.put("undefined", decay.undefined());
        }
        fields.put("exponent", decay.exponent().value());
        fields.put("low", decay.exponent().low());
        fields.put("high", decay.exponent().high());
        fields.put("bootstrap_low", bootstrap.low());
        fields.put("bootstrap_high", bootstrap.high());
        fields.put("r_squared", rSquared(decay.power()));
        Map<String, Object> exponential = new LinkedHashMap<>();
        exponential.put("rate", decay.rate().value());
        exponential.put("low", decay.rate().low());
        exponential.put("high", decay.rate().high());
        exponential.put("length", decay.length().value());
        exponential.put("length_low", decay.length().low());
        exponential.put("length_high", decay.length().high());
        exponential.put("r_squared", rSquared(decay.exponential()));
        fields.put("exponential", exponential);
        return fields;
    }

    private static double rSquared(LineFit fit) {
        return fit == null ? Double.NaN : fit.rSquared();
    }
}

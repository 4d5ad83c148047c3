package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Rotary positions as a {@code config.json} has them: {@code rope_parameters} as transformers 5 writes it, or {@code rope_theta} and
 * {@code rope_scaling} as versions before did. Pair i of n has the frequency theta^(-i/n), changed as the scaling says: linear, llama3
 * (Llama 3.1) or yarn (Peng et al., 2023).
 */
final class RotaryConfig {
    private static final Set<String> KNOWN = Set.of(
            "type",
            "rope_type",
            "rope_theta",
            "partial_rotary_factor",
            "factor",
            "low_freq_factor",
            "high_freq_factor",
            "original_max_position_embeddings",
            "attention_factor",
            "beta_fast",
            "beta_slow",
            "mscale",
            "mscale_all_dim",
            "truncate");

    private final JsonNode scaling;
    private final String where;
    private final int headWidth;
    private final int positions;

    RotaryConfig(ConfigFields fields, int headWidth, int positions) {

        this.where = fields.absent("rope_parameters") ? "rope_scaling" : "rope_parameters";
        this.scaling = fields.read(where);
        fields.read("rope_scaling");
        this.headWidth = headWidth;
        this.positions = positions;
    }

    /** The positions of blocks of one kind, where the kinds may have positions of their own. */
    private RotaryConfig(JsonNode scaling, String where, int headWidth, int positions) {

        this.where = where;
        this.scaling = scaling;
        this.headWidth = headWidth;
        this.positions = positions;
    }

    /**
     * Positions of a family whose blocks with and without a window have their own: {@code rope_parameters} by kind as transformers 5 writes
     * it, or as before {@code rope_scaling} for blocks without a window alone, and a theta for each kind.
     *
     * @param kind of the blocks, a value of {@code layer_types}
     * @param thetaKey the name of this kind's theta in the old form
     * @throws InputException if a value is out of range or asks for what is not supported
     */
    static Rotary ofLayers(
            ConfigFields fields, String kind, int headWidth, int positions, String thetaKey, double otherwise) {
        JsonNode now = fields.read("rope_parameters");
        JsonNode old = fields.read("rope_scaling");
        double theta = positive(thetaKey, fields.number(thetaKey, otherwise));
        boolean byKind =
                now.path(Windows.FULL).isObject() || now.path(Windows.SLIDING).isObject();
        if (now.isObject() && !now.isEmpty() && (!byKind || old.isObject())) {
            throw new InputException(
                    "rope_parameters: found " + (byKind ? "rope_scaling beside it" : "no kind of blocks in it")
                            + ", expected " + Windows.FULL + " and " + Windows.SLIDING
                            + " with all that each has; save the configuration again with transformers 5");
        }
        JsonNode own = byKind ? now.path(kind) : kind.equals(Windows.FULL) ? old : null;
        String where = byKind ? "rope_parameters." + kind : "rope_scaling";
        return new RotaryConfig(own == null ? MissingNode.getInstance() : own, where, headWidth, positions)
                .read(theta, 1);
    }

    /**
     * The positions.
     *
     * @param theta what stands beside the scaling, or the class's default
     * @param part of a head that turns, likewise
     * @throws InputException if a value is out of range or asks for what is not supported
     */
    Rotary read(double theta, double part) {
        if (!scaling.isMissingNode() && !scaling.isNull() && !scaling.isObject()) {
            throw ConfigFields.wrong(where, scaling, "an object");
        }
        scaling.fieldNames().forEachRemaining(name -> {
            if (!KNOWN.contains(name)) {
                throw new InputException(where + ": found " + Lines.quoted(name)
                        + ", expected the keys of one rotary scaling; what it does is not known");
            }
        });
        return of(inside("rope_theta", theta), inside("partial_rotary_factor", part));
    }

    private Rotary of(double theta, double part) {
        int width = (int) (headWidth * part);
        int turned = width + width % 2; // transformers turns one more where the number is odd
        if (turned > headWidth || turned == 0) {
            throw new InputException("head_dim: found " + turned + " elements of " + headWidth
                    + " that turn, expected 2 to " + headWidth + "; correct head_dim or partial_rotary_factor");
        }
        List<Double> frequencies = new ArrayList<>();
        for (int i = 0; i < width; i += 2) {
            frequencies.add(1 / Math.pow(theta, (double) i / width));
        }
        String type = type();
        return switch (type) {
            case "default" -> new Rotary(frequencies, 1);
            case "linear" -> {
                double factor = positive("factor");
                frequencies.replaceAll(f -> f / factor);
                yield new Rotary(frequencies, 1);
            }
            case "llama3" -> new Rotary(llama3(frequencies), 1);
            case "yarn" -> yarn(frequencies, theta);
            default ->
                throw new InputException(where + ": found the type " + Lines.quoted(type)
                        + ", expected default, linear, llama3 or yarn; other scalings are not supported");
        };
    }

    /** A number that stands among the scaling's or, as it used to, beside them. */
    private double inside(String key, double beside) {
        return scaling.hasNonNull(key) ? positive(key) : positive(key, beside);
    }

    private String type() {
        for (String key : List.of("rope_type", "type")) {
            if (scaling.has(key)) {
                return scaling.get(key).asText();
            }
        }
        return "default";
    }

    private List<Double> llama3(List<Double> frequencies) {
        double factor = positive("factor");
        double low = positive("low_freq_factor");
        double high = positive("high_freq_factor");
        double old = positive("original_max_position_embeddings");
        List<Double> scaled = new ArrayList<>();
        for (double f : frequencies) {
            double wavelength = 2 * Math.PI / f;
            double smooth = (old / wavelength - low) / (high - low);
            if (wavelength < old / high) {
                scaled.add(f);
            } else if (wavelength > old / low) {
                scaled.add(f / factor);
            } else {
                scaled.add((1 - smooth) * f / factor + smooth * f);
            }
        }
        return scaled;
    }

    private Rotary yarn(List<Double> frequencies, double theta) {
        double factor = positive("factor");
        double old = scaling.hasNonNull("original_max_position_embeddings")
                ? positive("original_max_position_embeddings")
                : positions;
        int width = 2 * frequencies.size();
        double low = dimension(optional("beta_fast", 32), width, old, theta);
        double high = dimension(optional("beta_slow", 1), width, old, theta);
        if (scaling.hasNonNull("truncate") && !scaling.get("truncate").isBoolean()) {
            throw ConfigFields.wrong(where + ".truncate", scaling.get("truncate"), "true or false");
        }
        if (!scaling.hasNonNull("truncate") || scaling.get("truncate").asBoolean()) {
            low = Math.floor(low);
            high = Math.ceil(high);
        }
        low = Math.max(low, 0);
        high = Math.min(high, width - 1);
        if (low == high) {
            high += 0.001; // no division by zero, as in transformers
        }
        List<Double> scaled = new ArrayList<>();
        for (int i = 0; i < frequencies.size(); i++) {
            double ramp = Math.max(0, Math.min(1, (i - low) / (high - low)));
            double f = frequencies.get(i);
            scaled.add(f / factor * ramp + f * (1 - ramp));
        }
        return new Rotary(scaled, magnitude(factor));
    }

    /** At which element a wave turns {@code rotations} times over the old context. */
    private static double dimension(double rotations, int width, double old, double theta) {
        return width * Math.log(old / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    private double magnitude(double factor) {
        if (scaling.hasNonNull("attention_factor")) {
            return positive("attention_factor");
        }
        double scale = optional("mscale", 0);
        double all = optional("mscale_all_dim", 0);
        return scale != 0 && all != 0 ? grown(factor, scale) / grown(factor, all) : grown(factor, 1);
    }

    private static double grown(double factor, double scale) {
        return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
    }

    private double optional(String key, double otherwise) {
        return scaling.hasNonNull(key) ? positive(key) : otherwise;
    }

    private double positive(String key) {
        JsonNode value = scaling.path(key);
        if (!value.isNumber()) {
            throw ConfigFields.wrong(where + "." + key, value, "a number");
        }
        return positive(where + "." + key, value.doubleValue());
    }

    static double positive(String name, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new InputException(
                    name + ": found " + value + ", expected a finite number greater than 0; correct " + name);
        }
        return value;
    }
}

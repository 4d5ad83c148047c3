package dev.greenfield.testing;

import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.ModelSource;
import dev.greenfield.model.Parameter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * A GPT-2 written out token by token in float64 from the equations of its layers, sharing nothing with the engine: LayerNorm
 * keeps its gain and bias, attention its T x T probabilities, a patch is a vector put into the stream on the way up.
 */
public final class NaiveTransformer {
    private final ModelSource source;
    private final ModelConfig config;
    private final Map<String, double[]> parameters = new HashMap<>();

    public NaiveTransformer(ModelSource source) {
        this.source = source;
        this.config = source.config();
    }

    /**
     * The stream at every half depth, [2L+1][T][D].
     *
     * @param site where {@code vector} replaces the stream; null for no patch
     */
    public double[][][] run(int[] tokens, Site site, double[] vector) {
        return run(tokens, site == null ? Map.of() : Map.of(site, vector));
    }

    /** Likewise where the stream at each of several sites is replaced by the vector there. */
    public double[][][] run(int[] tokens, Map<Site, double[]> replaced) {
        int width = config.width();
        double[][] x = new double[tokens.length][width];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < width; i++) {
                x[t][i] = parameter("wte.weight")[tokens[t] * width + i] + parameter("wpe.weight")[t * width + i];
            }
        }
        double[][][] stream = new double[2 * config.layers() + 1][][];
        for (int h = 0; h < stream.length; h++) {
            if (h > 0) {
                x = h % 2 == 1 ? attention(h / 2, x) : mlp(h / 2 - 1, x);
            }
            for (Map.Entry<Site, double[]> at : replaced.entrySet()) {
                if (at.getKey().halfDepth().index() == h) {
                    x[at.getKey().token()] = at.getValue().clone();
                }
            }
            stream[h] = copy(x);
        }
        return stream;
    }

    private double[][] attention(int l, double[][] x) {
        String block = "h." + l + ".";
        int width = config.width();
        int h = width / config.heads();
        double scale = config.scaleAttention() ? 1 / Math.sqrt(h) : 1;
        if (config.scaleByInverseLayer()) {
            scale /= l + 1;
        }
        double[][] out = copy(x);
        double[][] qkv = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            qkv[t] = linear(block + "attn.c_attn", norm(block + "ln_1", x[t]));
        }
        for (int t = 0; t < x.length; t++) {
            double[] z = new double[width];
            for (int head = 0; head < config.heads(); head++) {
                double[] p = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    for (int i = head * h; i < (head + 1) * h; i++) {
                        p[s] += scale * qkv[t][i] * qkv[s][width + i];
                    }
                    p[s] = Math.exp(p[s]);
                    sum += p[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = head * h; i < (head + 1) * h; i++) {
                        z[i] += p[s] / sum * qkv[s][2 * width + i];
                    }
                }
            }
            add(out[t], linear(block + "attn.c_proj", z));
        }
        return out;
    }

    private double[][] mlp(int l, double[][] x) {
        String block = "h." + l + ".";
        double[][] out = copy(x);
        for (double[] row : out) {
            double[] u = linear(block + "mlp.c_fc", norm(block + "ln_2", row));
            for (int i = 0; i < u.length; i++) {
                u[i] = activation(u[i]);
            }
            add(row, linear(block + "mlp.c_proj", u));
        }
        return out;
    }

    private double activation(double u) {
        return switch (config.activation()) {
            case GELU_NEW -> 0.5 * u * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * Math.pow(u, 3))));
            case GELU -> u * normal(u);
            case RELU -> Math.max(0, u);
            case SILU -> u / (1 + Math.exp(-u));
        };
    }

    /** The normal distribution function by the series of its odd powers: phi(u) (u + u^3/3 + u^5/15 + ...) + 1/2. */
    private static double normal(double u) {
        double sum = 0;
        double term = u;
        for (int n = 1; n < 200; n++) {
            sum += term;
            term *= u * u / (2 * n + 1);
        }
        return 0.5 + sum * Math.exp(-u * u / 2) / Math.sqrt(2 * Math.PI);
    }

    private double[] norm(String name, double[] x) {
        double mean = 0;
        for (double v : x) {
            mean += v / x.length;
        }
        double variance = 0;
        for (double v : x) {
            variance += (v - mean) * (v - mean) / x.length;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            double n = (x[i] - mean) / Math.sqrt(variance + config.epsilon());
            y[i] = n * parameter(name + ".weight")[i] + parameter(name + ".bias")[i];
        }
        return y;
    }

    private double[] linear(String name, double[] x) {
        double[] y = parameter(name + ".bias").clone();
        double[] w = parameter(name + ".weight");
        for (int i = 0; i < x.length; i++) {
            for (int j = 0; j < y.length; j++) {
                y[j] += x[i] * w[i * y.length + j];
            }
        }
        return y;
    }

    /** The logits of one final residual. */
    public double[] logits(double[] residual) {
        double[] n = norm("ln_f", residual);
        double[] head = parameter("lm_head.weight");
        double[] logits = new double[config.vocabulary()];
        for (int v = 0; v < logits.length; v++) {
            for (int i = 0; i < n.length; i++) {
                logits[v] += n[i] * head[v * n.length + i];
            }
        }
        return logits;
    }

    /** F of a run; tokens of the observable must be given as {@code #id}. */
    public double value(double[][][] stream, Observable f) {
        double[][] last = stream[stream.length - 1];
        double[] residual = last[f.position() == Observable.LAST ? last.length - 1 : f.position()];
        if (f.kind() == Observable.Kind.LINEAR) {
            return Vectors.dot(f.weights(), residual);
        }
        double[] logits = logits(residual);
        double answer = logits[id(f.answer())];
        return switch (f.kind()) {
            case LOGIT_DIFFERENCE -> answer - logits[id(f.foil())];
            case LOGIT -> answer;
            default -> {
                double sum = 0;
                for (double logit : logits) {
                    sum += Math.exp(logit - answer);
                }
                yield -Math.log(sum);
            }
        };
    }

    private static int id(String token) {
        return Integer.parseInt(token.substring(1));
    }

    /** Replaces elements {@code from} (inclusive) to {@code to} (exclusive) of a parameter by zero in all runs from now on. */
    public NaiveTransformer zeroed(String name, int from, int to) {
        Arrays.fill(parameter(name), from, to, 0);
        return this;
    }

    private double[] parameter(String name) {
        return parameters.computeIfAbsent(name, key -> {
            Parameter parameter = source.parameter(key);
            int count = 1;
            for (long extent : parameter.shape()) {
                count *= (int) extent;
            }
            double[] values = new double[count];
            parameter.read(0, values, 0, count);
            return values;
        });
    }

    private static void add(double[] to, double[] what) {
        for (int i = 0; i < to.length; i++) {
            to[i] += what[i];
        }
    }

    private static double[][] copy(double[][] rows) {
        double[][] copy = new double[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            copy[i] = rows[i].clone();
        }
        return copy;
    }
}

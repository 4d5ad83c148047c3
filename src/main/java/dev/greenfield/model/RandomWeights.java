package dev.greenfield.model;

import dev.greenfield.statistics.RandomStreams;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * GPT-2's initialization, made when it is read: matrices and embeddings are normal with standard deviation 0.02, those that
 * write into the residual stream ({@code c_proj}) 0.02 / sqrt(2 L), gains of norms are 1 and biases 0. Every value is a
 * float32. Each run of {@value #BLOCK} elements has a generator of its own, seeded from the seed, the name and the run, so that
 * any part can be made alone or in parallel and is always the same.
 */
final class RandomWeights implements Weights {
    private static final int BLOCK = 4096;
    private static final int WIDENED = 64 * BLOCK; // elements made as float32 at a time when float64 is asked for
    private static final double STANDARD_DEVIATION = 0.02;

    private final ModelConfig config;
    private final long seed;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();

    RandomWeights(RandomSpec spec) {
        config = spec.config();
        seed = spec.seed();
        double residual = STANDARD_DEVIATION / Math.sqrt(2.0 * config.layers());
        ParameterLayout.shapes(config).forEach((name, shape) -> {
            Parameter parameter;
            if (name.endsWith(".bias")) {
                parameter = new Constant(name, shape, 0);
            } else if (shape.length == 1) {
                parameter = new Constant(
                        name, shape, (float) (1 - config.architecture().norm().gainOffset()));
            } else {
                double deviation = name.endsWith("c_proj.weight") ? residual : STANDARD_DEVIATION;
                parameter = new Normal(name, shape, deviation, RandomStreams.seed(spec.seed(), name));
            }
            parameters.put(name, parameter);
        });
    }

    long seed() {
        return seed;
    }

    @Override
    public Parameter parameter(String name) {
        return parameters.get(name);
    }

    @Override
    public String sha256() throws IOException {
        Digest digest = new Digest();
        WeightsFile.write(config, this, digest);
        return digest.hex();
    }

    @Override
    public void close() {}

    /** A parameter that is made when it is read. */
    private abstract static class Made implements Parameter {
        private final String name;
        private final long[] shape;
        private final long elements;

        Made(String name, long[] shape) {
            this.name = name;
            this.shape = shape;
            elements = ParameterLayout.elements(shape);
        }

        /** Makes elements that are known to exist. */
        abstract void make(long from, float[] into, int at, int count);

        @Override
        public final String name() {
            return name;
        }

        @Override
        public final long[] shape() {
            return shape.clone();
        }

        @Override
        public final void read(long from, double[] into, int at, int count) {
            check(from, into.length, at, count);
            float[] part = new float[Math.min(WIDENED, count)];
            for (int done = 0; done < count; done += part.length) {
                int length = Math.min(part.length, count - done);
                make(from + done, part, 0, length);
                for (int i = 0; i < length; i++) {
                    into[at + done + i] = part[i];
                }
            }
        }

        @Override
        public final void read(long from, float[] into, int at, int count) {
            check(from, into.length, at, count);
            make(from, into, at, count);
        }

        private void check(long from, int length, int at, int count) {
            Objects.checkFromIndexSize(from, count, elements);
            Objects.checkFromIndexSize(at, count, length);
        }
    }

    /** The same value everywhere. */
    private static final class Constant extends Made {
        private final float value;

        Constant(String name, long[] shape, float value) {
            super(name, shape);
            this.value = value;
        }

        @Override
        void make(long from, float[] into, int at, int count) {
            Arrays.fill(into, at, at + count, value);
        }
    }

    /** Normally distributed values. */
    private static final class Normal extends Made {
        private final double deviation;
        private final long stream;

        Normal(String name, long[] shape, double deviation, long stream) {
            super(name, shape);
            this.deviation = deviation;
            this.stream = stream;
        }

        @Override
        void make(long from, float[] into, int at, int count) {
            if (count == 0) {
                return;
            }
            long first = from / BLOCK;
            int blocks = Math.toIntExact((from + count - 1) / BLOCK - first + 1);
            IntStream all = IntStream.range(0, blocks);
            (blocks > 1 ? all.parallel() : all).forEach(b -> {
                long start = (first + b) * BLOCK;
                int skipped = (int) Math.max(0, from - start);
                int end = (int) Math.min(BLOCK, from + count - start);
                fill(first + b, skipped, end, into, at + (int) (start + skipped - from));
            });
        }

        /** Elements {@code skipped} to {@code end} of one run, which has to be made from its beginning. */
        private void fill(long block, int skipped, int end, float[] into, int at) {
            UniformRandomProvider generator = RandomStreams.generator(stream ^ RandomStreams.mix(block));
            ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(generator);
            for (int i = 0; i < skipped; i++) {
                normal.sample();
            }
            for (int i = skipped; i < end; i++) {
                into[at + i - skipped] = (float) (deviation * normal.sample());
            }
        }
    }
}

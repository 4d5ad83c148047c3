package dev.greenfield.benchmarks;

import dev.greenfield.BackendChoice;
import dev.greenfield.Greenfield;
import dev.greenfield.Model;
import dev.greenfield.Options;
import dev.greenfield.Run;
import dev.greenfield.backend.Backend;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.response.ResponseMap;
import java.util.Locale;

/**
 * Times the response map over all sites on a backend against the rate of plain products of its rows, in the same process. Arguments:
 * model, tokens, probes (0 for exact), backend, seconds.
 */
public final class MapTable {
    private MapTable() {}

    public static void main(String[] args) throws Exception {
        int tokens = Integer.parseInt(args[1]);
        int probes = Integer.parseInt(args[2]);
        double seconds = Double.parseDouble(args[4]);
        try (BackendHolder holder = new BackendHolder(args[3]);
                Model model = Greenfield.load(args[0], Options.defaults().backend(args[3]))) {
            ModelConfig config = model.config();
            Run run = model.run(GpuCase.prompt(0, tokens, config.vocabulary()));
            ResponseMap[] map = new ResponseMap[1];
            Spread time = Spread.measure(seconds, () -> {
                ResponseMap.Request request = run.responseMap();
                map[0] = (probes == 0 ? request.exact() : request.probes(probes)).compute();
            });
            int directions = probes == 0 ? config.width() : probes;
            double rows = directions * tokens * (tokens + 1.0) / 2; // of the sources of one depth
            double blocks = config.layers() * (config.layers() + 1.0) / 2;
            double flops = 24.0 * config.width() * config.width() * rows * blocks;
            double rate = new DeviceRates(holder.backend(), seconds)
                    .blockProducts(
                            (int) Math.min(rows * config.layers(), 8192), config.width(), config.layers(), false);
            double total = 0;
            int places = map[0].levels() * tokens;
            double[] norms = map[0].frobenius();
            for (int i = 0; i < norms.length; i++) {
                boolean above = i % places / tokens > i / places / tokens;
                total += above ? norms[i] * norms[i] : 0;
            }
            System.out.printf(
                    Locale.ROOT,
                    "%s T=%d %s on %s: %.2f s (%.2f .. %.2f), %.1f GFLOP/s useful, %.3f of %.1f GFLOP/s; sum of squares %.6g%n",
                    args[0],
                    tokens,
                    probes == 0 ? "exact" : probes + " probes",
                    args[3],
                    time.median(),
                    time.low(),
                    time.high(),
                    flops / time.median() / 1e9,
                    flops / time.median() / rate,
                    rate / 1e9,
                    total);
        }
    }

    /** A second backend of the same kind, for the products. */
    private static final class BackendHolder implements AutoCloseable {
        private final Backend backend;

        BackendHolder(String name) {
            backend = BackendChoice.open(name, null, 0).backend();
        }

        Backend backend() {
            return backend;
        }

        @Override
        public void close() {
            backend.close();
        }
    }
}

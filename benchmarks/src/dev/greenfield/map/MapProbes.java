package dev.greenfield.map;

import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.Site;
import dev.greenfield.safetensors.DType;
import dev.greenfield.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The random directions that a {@link ResponseMap} of seed 0 takes, as a file, so that a peer can push the same ones and come to the
 * same numbers. Here because the library does not hand them out.
 */
public final class MapProbes {
    private MapProbes() {}

    /** Writes {@code directions} [L, T, k, D] in float32: of every site below the last depth. */
    public static void write(Linearization run, int probes, Path file) throws IOException {
        int layers = run.model().config().layers();
        int width = run.model().config().width();
        Directions directions = new Directions(width, probes, false, 0);
        try (SafetensorsWriter out = SafetensorsWriter.to(file)
                .tensor("directions", DType.F32, layers, run.length(), probes, width)
                .open()) {
            for (int l = 0; l < layers; l++) {
                for (int t = 0; t < run.length(); t++) {
                    for (int i = 0; i < probes; i++) {
                        out.write(directions.of(Site.of(l, t), i));
                    }
                }
            }
            out.commit();
        }
    }
}

package dev.greenfield.map;

import dev.greenfield.backend.Backend;
import dev.greenfield.checkpoint.Manifest;
import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Version;
import dev.greenfield.response.SiteVectors;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the numbers of a map depend on, as texts: a checkpoint goes on only with results of equal facts. */
final class MapFacts {
    private static final Comparator<Site> ORDER =
            Comparator.comparing(Site::halfDepth).thenComparingInt(Site::token);

    private MapFacts() {}

    /**
     * All that a map's numbers depend on but the plan. Whatever a request is given that changes them belongs here too.
     */
    static Map<String, Object> of(
            Linearization run,
            boolean halfDepths,
            Collection<Site> sources,
            Collection<Site> targets,
            Directions directions,
            MapReadings readings) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put(Manifest.FORMAT_FACT, Integer.toString(Manifest.FORMAT));
        facts.put("version", Version.current());
        facts.put(Manifest.MODEL + "sha256", run.model().source().sha256());
        for (RecordComponent part : ModelConfig.class.getRecordComponents()) {
            try {
                Object value = part.getAccessor().invoke(run.model().config());
                facts.put(Manifest.MODEL + part.getName(), String.valueOf(value));
            } catch (ReflectiveOperationException hidden) {
                throw new IllegalStateException("a public record hides its " + part.getName(), hidden);
            }
        }
        facts.put(
                "token_ids",
                Arrays.stream(run.tokens()).mapToObj(Integer::toString).toList());
        if (run.source() != null) {
            Map<Site, double[][]> vectors = new LinkedHashMap<>();
            run.source().vectors().forEach((site, vector) -> vectors.put(site, new double[][] {vector}));
            facts.put("source_in_the_run", SiteVectors.of(vectors).describe());
        }
        Backend backend = run.model().backend();
        facts.put("backend", backend.name());
        facts.put("precision", backend.precision().label());
        facts.put("device", backend.device());
        facts.put("arrangement", run.model().arrangement());
        facts.put("directions", directions.describe());
        if (!directions.exact()) {
            facts.put("seed", Long.toString(directions.seed()));
        }
        facts.put("half_depths", Boolean.toString(halfDepths));
        facts.put("vectors_at_targets", readings.describe());
        facts.put("sources", sources.stream().sorted(ORDER).map(Site::toString).toList());
        facts.put("targets", targets.stream().sorted(ORDER).map(Site::toString).toList());
        return facts;
    }
}

package dev.greenfield.map;

import dev.greenfield.backend.Backend;
import dev.greenfield.checkpoint.Manifest;
import dev.greenfield.engine.Linearization;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Version;
import dev.greenfield.response.SiteVectors;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the numbers of a map depend on, as texts: a checkpoint goes on only with results of equal facts. */
final class MapFacts {
    /** Sites that a manifest names one by one: it must stay small enough to be read again. */
    private static final int MOST_NAMED = 4096;

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
        facts.put("sources", described(sources));
        facts.put("targets", described(targets));
        return facts;
    }

    /** Sites by themselves, or very many by the runs of tokens that they are at each level. */
    private static List<String> described(Collection<Site> sites) {
        List<Site> sorted = sites.stream().sorted(ORDER).toList();
        if (sorted.size() <= MOST_NAMED) {
            return sorted.stream().map(Site::toString).toList();
        }
        List<String> runs = new ArrayList<>();
        for (int from = 0; from < sorted.size(); ) {
            Site first = sorted.get(from);
            int to = from + 1;
            while (to < sorted.size() && sorted.get(to).equals(Site.at(first.halfDepth(), first.token() + to - from))) {
                to++;
            }
            runs.add("(depth " + first.halfDepth() + ", tokens " + first.token() + "-" + (first.token() + to - from - 1)
                    + ")");
            from = to;
        }
        return runs;
    }
}

package dev.greenfield.study;

import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import dev.greenfield.regime.FlagAgreement;
import dev.greenfield.regime.LinearRegime;
import dev.greenfield.regime.Radius;
import dev.greenfield.regime.RegimeGrid;
import dev.greenfield.regime.RegimeMap;
import dev.greenfield.response.SiteVectors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.statistics.descriptive.Median;

/** E1: how far first order holds at every site, along the displacement and along the sensitivity. */
final class RegimePart implements StudyPart {
    static final List<String> DIRECTIONS = List.of("displacement", "sensitivity");
    /** Predicted radii within this factor of the measured count as right. */
    private static final double FACTOR = 2;

    private static final RegimeGrid GRID = RegimeGrid.of(1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.2, 0.5, 1, 3, 10);

    @Override
    public String name() {
        return "regime";
    }

    @Override
    public Claim claim() {
        return Claim.E1;
    }

    @Override
    public void measure(PromptRuns runs, Measures into) {
        Field displacement = runs.transfer().displacement();
        Map<String, Field> fields = new LinkedHashMap<>();
        fields.put("displacement", displacement);
        fields.put("sensitivity", runs.transfer().sensitivity().field());
        fields.forEach((name, field) -> {
            RegimeMap map =
                    runs.clean().regimeMap(SiteVectors.of(field), runs.pair().observable(), GRID);
            radii(name, map, into);
            flags(name, map, into);
            if (field == displacement) {
                within(map, runs.transfer().own(), displacement, into);
            }
        });
    }

    static String key(String direction, double tolerance) {
        return direction + ".radius." + tolerance;
    }

    private static void radii(String direction, RegimeMap map, Measures into) {
        double[] tolerances = GRID.tolerances();
        into.put(direction + ".sites", map.regimes().size());
        for (int i = 0; i < tolerances.length; i++) {
            int tolerance = i;
            String key = key(direction, tolerances[i]);
            double[][] radii = map.radius(i);
            into.put(
                    key,
                    median(Arrays.stream(radii).flatMapToDouble(Arrays::stream).toArray()));
            into.put(
                    key + ".by_depth",
                    Arrays.stream(radii).mapToDouble(RegimePart::median).toArray());
            for (Radius.Kind kind : Radius.Kind.values()) {
                into.put(key + "." + kind.name().toLowerCase(Locale.ROOT), (double) map.regimes().stream()
                        .filter(r -> r.radius(tolerance).kind() == kind)
                        .count());
            }
        }
    }

    private static void flags(String direction, RegimeMap map, Measures into) {
        double[] tolerances = GRID.tolerances();
        for (int i = 0; i < tolerances.length; i++) {
            FlagAgreement flag = map.agreement(i, FACTOR);
            String key = direction + ".flag." + tolerances[i];
            into.put(key + ".sources", flag.sources());
            into.put(key + ".agree", flag.agree());
            into.put(key + ".found", flag.found());
            into.put(key + ".found_agree", flag.foundAgree());
            into.put(
                    key + ".verdicts",
                    flag.amplitudes().stream()
                            .mapToInt(FlagAgreement.AtAmplitude::sources)
                            .sum());
            into.put(
                    key + ".verdicts_right",
                    flag.amplitudes().stream()
                            .mapToInt(FlagAgreement.AtAmplitude::agree)
                            .sum());
            into.put(
                    key + ".falsely_reliable",
                    flag.amplitudes().stream()
                            .mapToInt(FlagAgreement.AtAmplitude::falselyReliable)
                            .sum());
        }
    }

    /** At how many sites the whole displacement is within the radius along it. */
    private static void within(RegimeMap map, Field own, Field displacement, Measures into) {
        double[] tolerances = GRID.tolerances();
        int[] inside = new int[tolerances.length];
        int sites = 0;
        for (int l = 0; l < own.depths(); l++) {
            for (int t = 0; t < own.tokens(); t++) {
                LinearRegime regime = map.at(Site.of(l, t)).orElse(null);
                if (regime == null) {
                    continue;
                }
                sites++;
                double relative = displacement.norm(l, t) / own.norm(l, t);
                for (int i = 0; i < inside.length; i++) {
                    inside[i] += relative <= regime.positiveRadius(i).low() ? 1 : 0;
                }
            }
        }
        into.put("patch.sites", sites);
        for (int i = 0; i < inside.length; i++) {
            into.put("patch.within." + tolerances[i], inside[i]);
        }
    }

    private static double median(double[] values) {
        double[] known = Arrays.stream(values).filter(v -> !Double.isNaN(v)).toArray();
        return known.length == 0 ? Double.NaN : Median.withDefaults().evaluate(known);
    }

    @Override
    public void findings(Findings findings) {
        for (String direction : DIRECTIONS) {
            for (double q : GRID.tolerances()) {
                String key = key(direction, q);
                String percent = Math.round(100 * q) + " %";
                findings.median(
                        key,
                        Finding.Expectation.above(0),
                        "Relative amplitude along the " + direction + " up to which first order is within " + percent
                                + ", median over sites, then over prompts; a regime exists where it is above 0.");
                findings.share(
                        key + ".censored",
                        key + ".above",
                        direction + ".sites",
                        Finding.Expectation.below(0.5),
                        "Share of sites whose radius at " + percent + " lies above the largest amplitude, 10: there"
                                + " no bound was seen.");
                findings.share(
                        key + ".below_grid",
                        key + ".below",
                        direction + ".sites",
                        Finding.Expectation.below(0.05),
                        "Share of sites where first order is off by " + percent
                                + " at the least amplitude that rounding leaves certain: there no regime was seen, and the radius"
                                + " may be anywhere below.");
            }
            flagFindings(direction, findings);
        }
        for (double q : GRID.tolerances()) {
            findings.share(
                    "patch.within." + q + ".share",
                    "patch.within." + q,
                    "patch.sites",
                    Finding.Expectation.above(0.5),
                    "Share of sites whose whole displacement between the prompts is within the radius at "
                            + Math.round(100 * q) + " %; at the others a full patch leaves the linear regime.");
        }
    }

    private static void flagFindings(String direction, Findings findings) {
        String key = direction + ".flag.0.1";
        findings.share(
                key + ".radius_right",
                key + ".found_agree",
                key + ".found",
                Finding.Expectation.above(0.5),
                "Share of measured radii at 10 % that the first two derivatives predict within a factor of 2.");
        findings.share(
                key + ".right",
                key + ".verdicts_right",
                key + ".verdicts",
                Finding.Expectation.above(0.9),
                "Share of sites and amplitudes where the flag rightly says whether first order is within 10 %.");
        findings.share(
                key + ".wrongly_reliable",
                key + ".falsely_reliable",
                key + ".verdicts",
                Finding.Expectation.below(0.05),
                "Share of sites and amplitudes that the flag calls reliable though first order is off by more than 10 %.");
    }
}

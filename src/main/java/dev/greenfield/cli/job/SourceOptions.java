package dev.greenfield.cli.job;

import dev.greenfield.Run;
import dev.greenfield.cli.io.Numbers;
import dev.greenfield.cli.io.Quantities;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import dev.greenfield.response.SensitivityField;
import dev.greenfield.response.SiteVectors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of commands about one source: where it is, along which direction, how large. */
public final class SourceOptions {
    private static final List<String> DIRECTIONS = List.of("sensitivity", "random", "displacement");
    private static final Pattern DEPTH = Pattern.compile("\\d{1,6}(\\.[05])?");

    @Option(
            names = "--depth",
            paramLabel = "L",
            description = "Depth of the source; of regime also a half depth such as 1.5.",
            order = -20)
    private String depth;

    @Option(names = "--token", paramLabel = "T", description = "Token of the source, from 0.", order = -19)
    private String token;

    @Option(
            names = "--direction",
            paramLabel = "D",
            description =
                    "sensitivity: along dF/dR at the site (default). random: any, from --seed. displacement: to the"
                            + " residual of the --corrupt prompt's run.",
            order = -18)
    private String direction = "sensitivity";

    @Mixin
    private final CorruptPrompt corrupt = new CorruptPrompt();

    @Option(
            names = "--epsilon",
            paramLabel = "LIST",
            description = "Amplitudes of the source, as parts of the stream's norm at the site: 1e-3,1e-2.",
            order = -15)
    private String epsilon;

    /** Refuses what can be seen to be wrong without a model. */
    public void check(CommonOptions common, boolean allSites) {
        if (allSites && (depth != null || token != null)) {
            throw new InputException("both --all-sites and " + (depth != null ? "--depth" : "--token")
                    + " are given: give a site or ask for all of them");
        }
        if (!allSites && (depth == null || token == null)) {
            throw new InputException("no source site: give both --depth L and --token T");
        }
        if (!allSites) {
            if (!DEPTH.matcher(depth.strip()).matches()) {
                throw new InputException("--depth " + Quantities.quoted(depth) + ": expected a depth such as 2 or 2.5");
            }
            Quantities.atLeast("--token", token, 0, "a token of the prompt, counted from 0");
        }
        if (!DIRECTIONS.contains(direction)) {
            throw new InputException("--direction " + Quantities.quoted(direction) + ": expected "
                    + "sensitivity, random or displacement");
        }
        if (direction.equals("sensitivity") && common.answer == null) {
            throw new InputException(
                    "--direction sensitivity without --answer: it is the gradient of an observable, give"
                            + " --answer and --foil, or --direction random");
        }
        checkCorrupt();
        epsilons(new double[] {1});
    }

    private void checkCorrupt() {
        boolean displacement = direction.equals("displacement");
        if (displacement && !corrupt.given()) {
            throw new InputException("--direction displacement without a corrupt prompt: give --corrupt TEXT or"
                    + " --corrupt-tokens 1,2,3");
        }
        corrupt.checkForm();
        if (!displacement && corrupt.given()) {
            throw new InputException("--corrupt with --direction " + direction
                    + ": the corrupt prompt is where a displacement leads, add --direction displacement");
        }
    }

    /** The amplitudes as given, of either sign, or others. */
    public double[] epsilons(double[] otherwise) {
        if (epsilon == null) {
            return otherwise;
        }
        String[] parts = epsilon.split(",", -1);
        double[] values = new double[parts.length];
        for (int i = 0; i < parts.length; i++) {
            String wrong = "--epsilon: found " + Quantities.quoted(parts[i]) + " at place " + i
                    + ", expected numbers other than 0 separated by commas, such as 1e-3,1e-2";
            try {
                values[i] = Double.parseDouble(parts[i].strip());
            } catch (NumberFormatException e) {
                throw new InputException(wrong, e);
            }
            if (values[i] == 0 || !Double.isFinite(values[i])) {
                throw new InputException(wrong);
            }
        }
        return values;
    }

    /** The source's site; refuses half depths where the command has none. */
    public Site site(Job job, boolean halfDepths) {
        int layers = job.model().config().layers();
        double l = Double.parseDouble(depth.strip());
        boolean middle = l != Math.rint(l);
        if (l > layers || (middle && !halfDepths)) {
            throw new InputException("--depth " + Quantities.quoted(depth) + ": expected "
                    + (l > layers ? "0 to " + layers + ", the depths of this model" : "a whole depth"));
        }
        int tokens = job.run().tokens().length;
        int t = Quantities.between("--token", token, 0, tokens - 1, "the tokens of this prompt");
        return new Site((int) l, middle, t);
    }

    /**
     * Says what they came to.
     *
     * @param site of the source; null where all sites have one
     */
    public void options(Job job, Site site, double[] amplitudes) {
        if (site != null) {
            job.option("depth", Numbers.half(site.halfDepth().index()));
            job.option("token", site.token());
        }
        job.option("direction", direction);
        job.option("epsilon", amplitudes);
    }

    /** The name of the direction. */
    public String direction() {
        return direction;
    }

    /** What a page says of the direction. */
    public void describe(Map<String, String> facts) {
        facts.put("Direction", direction);
        if (direction.equals("displacement")) {
            facts.put("Corrupt prompt", corrupt.shown());
        }
    }

    /** The run of the corrupt prompt, or null where none is needed. */
    public Run corrupt(Job job) {
        if (!direction.equals("displacement")) {
            return null;
        }
        Run other = corrupt.run(job);
        job.result("corrupt_tokens", other.tokens());
        job.result("corrupt_token_text", other.tokenText());
        return other;
    }

    /**
     * The direction at a site, [D], not zero.
     *
     * @param corrupt as {@link #corrupt} gave it
     */
    public double[] vector(Job job, Site site, Run corrupt) {
        double[] vector = switch (direction) {
            case "sensitivity" ->
                job.timed("sensitivity", () -> job.run().sensitivity(job.observable()))
                        .at(site);
            case "random" -> job.run().randomDirection(site, job.seed(), 0);
            default -> displacement(job, corrupt, site.middle()).vector(site.depth(), site.token());
        };
        if (Arrays.stream(vector).allMatch(x -> x == 0)) {
            throw new InputException(
                    direction.equals("displacement")
                            ? "the two runs have the same residual at " + site
                                    + ", so that there is no displacement: choose a site at or after a word that differs"
                            : unseen(job, site));
        }
        return vector;
    }

    /** Why a source at a site cannot change F. */
    public static String unseen(Job job, Site site) {
        return "a source at " + site + " cannot change F, which is read at token " + job.position()
                + " of the last depth: choose another site, or another --position";
    }

    /** One direction a site, as far as there is one. */
    public SiteVectors vectors(Job job, Run corrupt, boolean halfDepths) {
        if (direction.equals("random")) {
            Map<Site, double[][]> random = new LinkedHashMap<>();
            for (HalfDepth level : HalfDepth.levels(job.model().config().layers(), halfDepths)) {
                for (int t = 0; t < job.run().tokens().length; t++) {
                    Site site = Site.at(level, t);
                    random.put(site, new double[][] {job.run().randomDirection(site, job.seed(), 0)});
                }
            }
            return SiteVectors.of(random);
        }
        if (direction.equals("sensitivity")) {
            SensitivityField s = job.timed("sensitivity", () -> job.run().sensitivity(job.observable()));
            return halfDepths ? SiteVectors.of(s.field(), s.middleField()) : SiteVectors.of(s.field());
        }
        Field whole = displacement(job, corrupt, false);
        return halfDepths ? SiteVectors.of(whole, displacement(job, corrupt, true)) : SiteVectors.of(whole);
    }

    private static Field displacement(Job job, Run corrupt, boolean middle) {
        return middle
                ? corrupt.middleField().minus(job.run().middleField())
                : corrupt.field().minus(job.run().field());
    }
}

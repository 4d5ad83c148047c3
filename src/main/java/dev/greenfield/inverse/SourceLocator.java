package dev.greenfield.inverse;

import dev.greenfield.engine.HostMemory;
import dev.greenfield.engine.Scope;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.failure.Task;
import dev.greenfield.green.GreenOperator;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Site;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.ejml.data.DMatrixRMaj;

/**
 * Where a source hides, from the response of the whole last depth to it. Each candidate site is a model of the response y [T, D],
 *
 * <p>y = B J + noise,   J ~ N(0, s^2),   noise ~ N(0, sigma^2),
 *
 * <p>with B the site's Green block to the last depth; candidates are ranked by the evidence p(y | site), the source integrated out and s
 * chosen per site to make it largest (MacKay, Bayesian Interpolation, Neural Computation 4, 1992). The misfit alone cannot tell sites
 * apart where several blocks reach the same responses: at the last token every depth reaches all of them. The blocks are decomposed
 * once and serve all responses of the run.
 */
public final class SourceLocator {
    private static final int MOST_UPDATES = 200;

    /** Rounding of responses and blocks, in units in the last place: noise is never taken to be less. */
    private static final double ROUNDINGS = 64;

    private static final int CUTS = 256;

    /** The part of the work on a candidate that its adjoints are; the rest is the decomposition of its block. */
    private static final double ADJOINT_SHARE = 0.5;

    private final Scope scope;
    private final List<Site> candidates;
    private final List<SiteBlock> blocks = new ArrayList<>();
    private final int tokens;
    private final int width;
    private final double leastNoise;

    /**
     * A site that may hide the source.
     *
     * @param site the site
     * @param logEvidence ln p(response | site), up to a constant that all sites share
     * @param misfit |y - B J| / |y| for the source below
     * @param source [D], the most probable one at this site
     */
    // Handed over and read, never compared: an array spares callers the boxing.
    @SuppressWarnings("ArrayRecordComponent")
    public record Candidate(Site site, double logEvidence, double misfit, double[] source) {}

    /** Every site at a whole depth below the last. */
    public SourceLocator(Scope scope) {
        this(scope, everySite(scope));
    }

    /**
     * Takes the Green blocks of the candidates, T D adjoints in all, and decomposes them.
     *
     * @param candidates sites below the last depth, each once
     * @throws MemoryBudgetException when the blocks do not fit
     */
    public SourceLocator(Scope scope, List<Site> candidates) {
        this.scope = scope;
        this.candidates = List.copyOf(candidates);
        this.tokens = scope.length();
        this.width = scope.config().width();
        HalfDepth top = scope.model().top();
        for (Site site : candidates) {
            if (!site.halfDepth().isBelow(top) || site.token() >= tokens) {
                throw new InputException("candidate site " + site + ": expected a depth below " + top
                        + " and a token from 0 to " + (tokens - 1));
            }
        }
        this.leastNoise = ROUNDINGS * scope.model().backend().precision().unitRoundoff();
        requireRoom();
        int sites = this.candidates.size();
        Task.run("Green blocks of candidates", "sites", sites, task -> {
            for (DMatrixRMaj block : task.call(sites * ADJOINT_SHARE, this::greenBlocks)) {
                task.run((1 - ADJOINT_SHARE), () -> blocks.add(SiteBlock.of(block, true)));
            }
        });
    }

    private static List<Site> everySite(Scope scope) {
        List<Site> sites = new ArrayList<>();
        for (int l = 0; l < scope.config().layers(); l++) {
            for (int t = 0; t < scope.length(); t++) {
                sites.add(Site.of(l, t));
            }
        }
        return sites;
    }

    /** Rows of a site's block: the tokens that its source reaches. */
    private int rows(Site site) {
        return (tokens - site.token()) * width;
    }

    private void requireRoom() {
        long elements = 0;
        for (Site site : candidates) {
            elements += (long) rows(site) * width + (long) width * width;
        }
        long room = Math.min(scope.freeBytes(), HostMemory.free() / 2);
        if (8 * elements > room) {
            throw new MemoryBudgetException("the Green blocks of " + candidates.size() + " sites take "
                    + MemoryBudgetException.amount(8 * elements) + ", there is room for "
                    + MemoryBudgetException.amount(room)
                    + ": name fewer candidate sites, or " + Remedy.RAISE_MEMORY + " and Java's -Xmx");
        }
    }

    /** The blocks, a row of all of them for each output: one adjoint serves every site. */
    private List<DMatrixRMaj> greenBlocks() {
        int top = scope.config().layers();
        List<Site> targets = new ArrayList<>();
        for (int t = 0; t < tokens; t++) {
            targets.add(Site.of(top, t));
        }
        List<DMatrixRMaj> matrices = new ArrayList<>();
        for (Site site : candidates) {
            matrices.add(new DMatrixRMaj(rows(site), width));
        }
        Task.run("adjoints", "outputs", (double) tokens * width, task -> {
            for (int token = 0; token < tokens; token++) {
                addRows(token, targets.get(token), matrices, task);
            }
        });
        return matrices;
    }

    /** The rows of one token of the last depth, in the blocks of all sites that reach it. */
    private void addRows(int token, Site target, List<DMatrixRMaj> matrices, Task task) {
        List<Integer> reaching = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.get(i).token() <= token) {
                reaching.add(i);
            }
        }
        if (reaching.isEmpty()) {
            return;
        }
        GreenOperator operator =
                new GreenOperator(scope, reaching.stream().map(candidates::get).toList(), List.of(target));
        for (int from = 0; from < width; from += CUTS) {
            double[][] units = new double[Math.min(CUTS, width - from)][width];
            for (int i = 0; i < units.length; i++) {
                units[i][from + i] = 1;
            }
            double[][] lines = task.call(units.length, () -> operator.adjointAll(units));
            for (int i = 0; i < lines.length; i++) {
                for (int s = 0; s < reaching.size(); s++) {
                    Site site = candidates.get(reaching.get(s));
                    int row = (token - site.token()) * width + from + i;
                    System.arraycopy(lines[i], s * width, matrices.get(reaching.get(s)).data, row * width, width);
                }
            }
        }
    }

    /** The sites that are ranked. */
    public List<Site> candidates() {
        return candidates;
    }

    /** The run whose responses are explained. */
    Scope scope() {
        return scope;
    }

    /**
     * The candidates, the most probable first.
     *
     * @param response what a source did to the last depth, [T D]: tokens in order
     * @param noise |noise| / |response| in it, 0 for none
     * @throws InputException when the response has another length or is zero, or the noise is not from 0 to 1
     */
    public List<Candidate> rank(double[] response, double noise) {
        if (response.length != tokens * width) {
            throw new InputException("the response has " + response.length + " components, expected " + tokens * width
                    + ": the stream at the last depth, one token after another");
        }
        if (!(noise >= 0 && noise <= 1)) {
            throw new InputException("noise " + noise + ": expected a fraction of the response from 0 to 1");
        }
        double square = LeastSquares.dot(response, response);
        if (!(square > 0) || Double.isInfinite(square)) {
            throw new InputException("the response is zero or not finite: expected one that a source caused");
        }
        double level = Math.max(noise, leastNoise);
        double variance = level * level * square / response.length;
        List<Candidate> ranked = new ArrayList<>();
        Task.run("ranking", "sites", candidates.size(), task -> {
            for (int i = 0; i < candidates.size(); i++) {
                task.to(i);
                ranked.add(candidate(i, response, square, variance));
            }
        });
        ranked.sort(Comparator.comparingDouble((Candidate c) -> -c.logEvidence()));
        return List.copyOf(ranked);
    }

    /**
     * With B = U S V' and c = U'y the components of y are independent: c_j has variance s^2 S_j^2 + sigma^2, everything outside U has
     * sigma^2.
     */
    private Candidate candidate(int index, double[] response, double square, double variance) {
        Site site = candidates.get(index);
        SiteBlock block = blocks.get(index);
        int reached = site.token() * width;
        double[] seen = Arrays.copyOfRange(response, reached, response.length);
        double[] c = block.onLeft(seen);
        double before = 0;
        for (int i = 0; i < reached; i++) {
            before += response[i] * response[i];
        }
        double outside = before + block.squareOutside(seen, c);
        double[] s = block.values();
        double prior = priorVariance(s, c, variance);
        double evidence = -((response.length - s.length) * Math.log(variance) + outside / variance) / 2;
        double[] coefficients = new double[s.length];
        double inside = 0;
        for (int j = 0; j < s.length; j++) {
            double total = prior * s[j] * s[j] + variance;
            evidence -= (Math.log(total) + c[j] * c[j] / total) / 2;
            coefficients[j] = prior * s[j] * c[j] / total;
            double rest = c[j] - s[j] * coefficients[j];
            inside += rest * rest;
        }
        return new Candidate(site, evidence, Math.sqrt((outside + inside) / square), block.fromRight(coefficients));
    }

    /**
     * The variance s^2 of the source's components that makes the evidence largest, by MacKay's fixed point: s^2 = |J|^2 over the
     * number of components that the response determines.
     */
    private static double priorVariance(double[] s, double[] c, double variance) {
        double prior = LeastSquares.dot(c, c) / LeastSquares.dot(s, s);
        for (int update = 0; update < MOST_UPDATES; update++) {
            double length = 0;
            double determined = 0;
            for (int j = 0; j < s.length; j++) {
                double signal = prior * s[j] * s[j];
                double share = signal / (signal + variance);
                double component = s[j] == 0 ? 0 : share * c[j] / s[j];
                length += component * component;
                determined += share;
            }
            double next = determined == 0 ? 0 : length / determined;
            if (Math.abs(next - prior) <= 1e-9 * prior) {
                return next;
            }
            prior = next;
        }
        return prior;
    }
}

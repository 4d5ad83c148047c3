package dev.greenfield.lens;

import dev.greenfield.engine.Linearization;
import dev.greenfield.engine.Scope;
import dev.greenfield.engine.TokenLead;
import dev.greenfield.engine.VocabularyScan;
import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Tokens that directions of the stream write and read: those at the two ends of a score of all tokens.
 *
 * <ul>
 *   <li><em>Written</em> by d at token t: the change of the logits there to first order when the last residual moves along d, W_U J d with
 *       J the Jacobian of the last norm, gain included, at the run's own R[L][t]. For a d at an earlier depth this is what the stream
 *       carries up unchanged, the logit lens of a direction (direct logit attribution: Elhage et al., A Mathematical Framework for
 *       Transformer Circuits, 2021; by the norm's Jacobian rather than by its frozen scale, so that what lies along the residual itself
 *       counts for nothing). Units: logits for each unit of d.
 *   <li><em>Transported</em>: W_U J J_l d, with J_l the averaged Jacobian of d's depth, the Jacobian lens of a direction.
 *   <li><em>Output</em>, without a run: W_U diag(g) C d with g the last norm's gain, and C the centring of LayerNorm or, with RMSNorm,
 *       the identity.
 *   <li><em>Read</em> by d: the cosine of d and the token's row of the input embedding, wte, neither of them centred. No position
 *       embedding is in it.
 * </ul>
 *
 * <p>The opposite direction has the same two ends, exchanged. The sign of a pair of singular vectors is a convention: see {@link
 * dev.greenfield.green.LowRank}. Between u and v it is not: what v reads moves the target along u.
 */
public final class DirectionDecoder {
    private final Linearization run;
    private final int length;
    private final Tokenizer tokenizer;
    private final VocabularyScan scan;
    private final int width;

    /**
     * A decoder at a run.
     *
     * @param count how many tokens at each end, at least 1
     * @throws InputException if that is less than 1
     */
    public DirectionDecoder(Scope scope, int count) {
        this(
                scope.run(),
                scope.tokenizer(),
                scope.vocabulary(checked(count)),
                scope.length(),
                scope.config().width());
    }

    private DirectionDecoder(Linearization run, Tokenizer tokenizer, VocabularyScan scan, int length, int width) {
        this.run = run;
        this.tokenizer = tokenizer;
        this.scan = scan;
        this.length = length;
        this.width = width;
    }

    private static int checked(int count) {
        if (count < 1) {
            throw new InputException("found " + count + " tokens at each end, expected at least 1");
        }
        return count;
    }

    /**
     * What directions at sites write to the logits of their own tokens.
     *
     * @param directions [n][D]
     * @param sites where each is, n of them; of these only the tokens matter
     * @return n of them
     * @throws InputException if a length or a token is not the run's
     */
    public List<DecodedDirection> written(List<double[]> directions, List<Site> sites) {
        check(directions);
        int[] positions = sites.stream().mapToInt(Site::token).toArray();
        for (int position : positions) {
            if (position >= length) {
                throw new InputException(
                        "a direction at token " + position + ": expected a token of the run, 0 to " + (length - 1));
            }
        }
        return decoded(scan.changes(run, directions.toArray(double[][]::new), positions));
    }

    /**
     * Likewise after the averaged Jacobian of each site's depth.
     *
     * @throws InputException if there is none for a depth, or a site is in the middle of a block
     */
    public List<DecodedDirection> transported(List<double[]> directions, List<Site> sites, Jacobians jacobians) {
        check(directions);
        List<double[]> moved = new ArrayList<>();
        for (int i = 0; i < sites.size(); i++) {
            if (sites.get(i).middle()) {
                throw new InputException(
                        "a direction at " + sites.get(i) + ": averaged Jacobians are of whole depths, choose one");
            }
            moved.add(jacobians.transported(directions.get(i), sites.get(i).depth()));
        }
        return written(moved, sites);
    }

    /** What directions [n][D] at the last depth write, without a residual of theirs: see the class. */
    public List<DecodedDirection> outputs(List<double[]> directions) {
        check(directions);
        return decoded(scan.outputs(directions.toArray(double[][]::new)));
    }

    /** The tokens whose input embeddings are most and least along directions [n][D]. */
    public List<DecodedDirection> read(List<double[]> directions) {
        check(directions);
        return decoded(scan.embeddings(directions.toArray(double[][]::new)));
    }

    private void check(List<double[]> directions) {
        for (double[] direction : directions) {
            if (direction.length != width) {
                throw new InputException("a direction has " + direction.length + " components, expected " + width
                        + ", the width of the stream");
            }
        }
    }

    private List<DecodedDirection> decoded(TokenLead[] leads) {
        List<DecodedDirection> decoded = new ArrayList<>();
        for (TokenLead lead : leads) {
            decoded.add(new DecodedDirection(
                    scores(lead.top(), lead.topScores()), scores(lead.bottom(), lead.bottomScores())));
        }
        return decoded;
    }

    private List<TokenScore> scores(int[] ids, double[] scores) {
        List<TokenScore> list = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            list.add(new TokenScore(ids[i], tokenizer.text(ids[i]), scores[i]));
        }
        return list;
    }
}

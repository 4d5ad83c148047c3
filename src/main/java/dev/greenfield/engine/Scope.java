package dev.greenfield.engine;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.HalfDepth;
import dev.greenfield.lattice.Observable;
import dev.greenfield.lattice.Site;
import dev.greenfield.lattice.Source;
import dev.greenfield.model.ModelConfig;
import dev.greenfield.model.Tokenizer;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * One run and all that computing on it takes: its linearization, the model with its tokenizer, and the memory budget. Whatever
 * computes takes a scope and asks it what is free at that moment. It also says what belongs to the run: which sites, which sources,
 * which tokens an observable means.
 */
public final class Scope implements AutoCloseable {
    private final Linearization run;
    private final MemoryBudget budget;

    /** A scope of a linearized run, which it closes. */
    public Scope(Linearization run, MemoryBudget budget) {
        this.run = run;
        this.budget = budget;
    }

    /** The linearized run. */
    public Linearization run() {
        return run;
    }

    /** The model on its backend. */
    public DeviceModel model() {
        return run.model();
    }

    /** The model's dimensions. */
    public ModelConfig config() {
        return run.model().config();
    }

    /** Text to tokens and back. */
    public Tokenizer tokenizer() {
        return run.model().source().tokenizer();
    }

    /** Number of tokens T of the run. */
    public int length() {
        return run.length();
    }

    /** Bytes of the memory budget that nothing holds now. */
    public long freeBytes() {
        return budget.freeBytes();
    }

    /**
     * The same run with a source in its stream, besides those that it has, within the same budget. Close it on its own.
     *
     * @param source its sites and lengths must be those of the run
     */
    public Scope with(Source source) {
        return new Scope(run.with(source), budget);
    }

    /**
     * Works through the columns of sweeps in batches that fit what is free now; see {@link Batches#run}.
     *
     * @param rows per column how many rows it has
     */
    public void inBatches(int[] rows, Consumer<Batches.Range> work) {
        Batches.run(model(), rows, freeBytes(), work);
    }

    /**
     * Works through the columns of one of many sweeps of the same kind: the maps of tokens' MLPs that all of them need are kept, in a
     * quarter of what memory is free.
     *
     * @param rows per column how many rows it has
     * @param before columns of sweeps like this that were pushed before
     * @param work takes columns and the sweep that pushes them
     */
    public void inBatchesOfMany(int[] rows, long before, BiConsumer<Batches.Range, Sweep> work) {
        if (!model().shortcuts().keptMaps().on(true)) {
            inBatches(rows, range -> work.accept(range, new Sweep(run)));
            return;
        }
        KeptMaps kept = run.keptMaps(
                () -> (int) Math.min((long) config().layers() * length(), KeptTokens.room(model(), freeBytes())));
        Sweep sweep = new Sweep(run, new Retention(kept, before));
        long reserved = kept.capacity() == 0
                ? 0
                : kept.room() * KeptTokens.bytesOfMap(model()) + KeptTokens.bytesToForm(model());
        Batches.run(model(), rows, freeBytes() - reserved, range -> work.accept(range, sweep));
    }

    /** Likewise the columns of sweeps of second derivatives; see {@link Batches#runCurvatures}. */
    public void curvaturesInBatches(int[] rows, Consumer<Batches.Range> work) {
        Batches.runCurvatures(model(), rows, length(), freeBytes(), work);
    }

    /**
     * Checks that a sweep over so many rows fits what is free now.
     *
     * @throws dev.greenfield.failure.MemoryBudgetException if it does not
     */
    public void requireSweep(int rows) {
        Batches.require(model(), rows, freeBytes());
    }

    /** Checks that the output matrix is on the backend or fits; see {@link MemoryBudget#requireUnembedding}. */
    public void requireUnembedding() {
        budget.requireUnembedding(model());
    }

    /**
     * Checks that a site is in the run.
     *
     * @throws InputException if it is not
     */
    public void check(Site site) {
        check("site", site);
    }

    /** Likewise; {@code what} names the site in the message. */
    public void check(String what, Site site) {
        Objects.requireNonNull(site, "site");
        HalfDepth top = model().top();
        if (site.halfDepth().isAbove(top) || site.token() >= length()) {
            throw new InputException(what + " " + site + " is not in this run: expected a depth of at most " + top
                    + " and a token from 0 to " + (length() - 1));
        }
        if (site.middle()) {
            config().requireMiddles(what + " " + site);
        }
    }

    /**
     * Checks that a source is of this run.
     *
     * @throws InputException if a site or a length is not the run's
     */
    public void check(Source source) {
        int width = config().width();
        source.vectors().forEach((site, vector) -> {
            check(site);
            if (vector.length != width) {
                throw new InputException("the source at " + site + " has " + vector.length + " components, expected "
                        + width + ", the width of the stream");
            }
        });
    }

    /**
     * Checks that a source J [D] at a site can be pushed through the run.
     *
     * @throws InputException if the site or the length is not the run's
     * @throws dev.greenfield.failure.MemoryBudgetException if its sweep does not fit
     */
    public void checkSource(Site site, double[] source) {
        check(site);
        Objects.requireNonNull(source, "source");
        requireSweep(length() - site.token());
        if (source.length != config().width()) {
            throw new InputException("a source has " + source.length + " components, expected " + config().width()
                    + ", the width of the stream");
        }
    }

    /**
     * Checks that another run can give this one its residuals.
     *
     * @param what needs that, for the message: {@code a patch}
     * @throws InputException if it is of another model or has another number of tokens
     */
    public void requireAlike(Scope donor, String what) {
        if (donor.model() != model()) {
            throw new InputException("the runs belong to different models: " + what + " needs two runs of one model");
        }
        if (donor.length() != length()) {
            throw new InputException("the runs have " + length() + " and " + donor.length() + " tokens: " + what
                    + " needs prompts of equal length, reword one of them");
        }
    }

    /** Scores of all tokens for rows of this run, of which {@code most} at each end are kept. */
    public VocabularyScan vocabulary(int most) {
        return new VocabularyScan(model(), budget, most);
    }

    /** The logits of every position, [T, V] in the order position, token. */
    public double[] logits() {
        requireUnembedding();
        return new Readout(model()).logits(run.finalNormalized());
    }

    /** F of the run. */
    public double value(Observable f) {
        return new Readout(model()).value(run, resolve(f));
    }

    /**
     * An observable with token ids and a position of this run.
     *
     * @throws InputException if its tokens are not single tokens of the model, or its position is not in the run
     */
    public Readout.Resolved resolve(Observable f) {
        Objects.requireNonNull(f, "observable");
        int position = f.position() == Observable.LAST ? length() - 1 : f.position();
        if (position >= length()) {
            throw new InputException("position " + position + ": the prompt has " + length() + " tokens, expected 0 to "
                    + (length() - 1));
        }
        int width = config().width();
        if (f.kind() == Observable.Kind.LINEAR && f.weights().length != width) {
            throw new InputException("a linear observable has " + f.weights().length + " weights, expected " + width
                    + ", the width of the stream");
        }
        if (f.kind() == Observable.Kind.LOG_PROBABILITY) {
            requireUnembedding();
        }
        int answer = f.answer() == null ? -1 : tokenizer().single(f.answer());
        int foil = f.foil() == null ? -1 : tokenizer().single(f.foil());
        if (answer >= 0 && answer == foil) {
            throw new InputException("answer '" + f.answer() + "' and foil '" + f.foil() + "' are the same token (id "
                    + answer + "), so their logit difference is always 0: choose two different tokens");
        }
        return new Readout.Resolved(f.kind(), answer, foil, f.weights(), position);
    }

    /** The token where F is read. */
    public int position(Observable f) {
        return resolve(f).position();
    }

    @Override
    public void close() {
        run.close();
    }
}

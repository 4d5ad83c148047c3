package dev.greenfield.cli.job;

import dev.greenfield.failure.InputException;
import dev.greenfield.statistics.Purpose;
import dev.greenfield.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.rng.sampling.ListSampler;

/** A random half of a suite's pairs to fit on, and the other half to judge by. A prompt of the second half is never fitted on. */
public final class SuiteHalves {
    private static final int LEAST = 4;

    private final Set<Integer> fitted; // numbers of pairs
    private final List<SuitePair> judged;
    private final Set<List<Integer>> held = new HashSet<>(); // prompts of the second half

    private SuiteHalves(Set<Integer> fitted, List<SuitePair> judged) {
        this.fitted = fitted;
        this.judged = judged;
        for (SuitePair pair : judged) {
            held.add(list(pair.prompt().tokens()));
            held.add(list(pair.corrupt()));
        }
    }

    /** Halves, of which the second has one more where the number is odd. */
    public static SuiteHalves of(List<SuitePair> pairs, long seed) {
        if (pairs.size() < LEAST) {
            throw new InputException("the suite has " + pairs.size() + " pairs of prompts, expected " + LEAST
                    + " or more: half of them are fitted on, the other half is for judging");
        }
        List<SuitePair> order = new ArrayList<>(pairs);
        ListSampler.shuffle(RandomStreams.of(seed, Purpose.HALVES), order);
        Set<Integer> fitted = new HashSet<>();
        order.subList(0, order.size() / 2)
                .forEach(pair -> fitted.add(pair.prompt().number()));
        return new SuiteHalves(
                fitted,
                pairs.stream()
                        .filter(pair -> !fitted.contains(pair.prompt().number()))
                        .toList());
    }

    /** Whether a pair is of the half that is fitted on. */
    public boolean fits(SuitePair pair) {
        return fitted.contains(pair.prompt().number());
    }

    /** The other half, in the order of the suite. */
    public List<SuitePair> judged() {
        return judged;
    }

    /** Keeps a prompt for fitting unless the other half has it too. */
    public void keep(int[] prompt, Runnable keep) {
        if (!held.contains(list(prompt))) {
            keep.run();
        }
    }

    private static List<Integer> list(int[] tokens) {
        return Arrays.stream(tokens).boxed().toList();
    }
}

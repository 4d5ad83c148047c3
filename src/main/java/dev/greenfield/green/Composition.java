package dev.greenfield.green;

import dev.greenfield.failure.Task;
import dev.greenfield.lattice.Site;
import java.util.Collection;

/**
 * One operator after another: the product N A of A [m, n] and the next, N [p, m]. Restrictions go to its ends, where
 * they save work.
 *
 * @see LinearOperator#then
 */
final class Composition extends LinearOperator {
    private final LinearOperator first;
    private final LinearOperator next;

    Composition(LinearOperator first, LinearOperator next) {
        super(first.scope, first.in, next.out);
        this.first = first;
        this.next = next;
    }

    @Override
    double[][] images(double[][] inputs) {
        return Task.call("products", "operators", 2, task -> {
            double[][] between = task.call(1, () -> first.images(inputs));
            return task.call(1, () -> next.images(between));
        });
    }

    @Override
    double[][] adjointImages(double[][] vectors) {
        return Task.call("products", "operators", 2, task -> {
            double[][] between = task.call(1, () -> next.adjointImages(vectors));
            return task.call(1, () -> first.adjointImages(between));
        });
    }

    @Override
    LinearOperator forManyImages() {
        return new Composition(first.forManyImages(), next.forManyImages());
    }

    @Override
    long numbersEach() {
        return first.numbersEach() + next.numbersEach();
    }

    /** The errors of both add up. */
    @Override
    double roundoff() {
        return first.roundoff() + next.roundoff();
    }

    @Override
    String noun() {
        return "composed operator";
    }

    @Override
    public LinearOperator slice(Collection<Site> sources, Collection<Site> targets) {
        return first.slice(sources, first.targets()).then(next.slice(next.sources(), targets));
    }

    @Override
    public LinearOperator onInputs(double[][] basis) {
        return first.onInputs(basis).then(next);
    }

    @Override
    public LinearOperator onOutputs(double[][] basis) {
        return first.then(next.onOutputs(basis));
    }
}

package dev.greenfield.green;

import dev.greenfield.lattice.Site;
import java.util.Collection;

/**
 * A Green operator G on directions: B G A' for input directions A [k, n D] and output directions B [j, m D]. Either may be missing,
 * and is the identity then.
 *
 * @see LinearOperator#onInputs
 * @see LinearOperator#onOutputs
 */
final class Restriction extends LinearOperator {
    private final GreenOperator green;

    Restriction(GreenOperator green, OperatorSide in, OperatorSide out) {
        super(green.scope, in, out);
        this.green = green;
    }

    @Override
    double[][] images(double[][] inputs) {
        return out.fromStream(green.images(in.toStream(inputs)));
    }

    @Override
    double[][] adjointImages(double[][] vectors) {
        return in.fromStream(green.adjointImages(out.toStream(vectors)));
    }

    @Override
    LinearOperator forManyImages() {
        return new Restriction(green.forManyImages(), in, out);
    }

    @Override
    long numbersEach() {
        return green.numbersEach() + inputs() + outputs();
    }

    @Override
    String noun() {
        return "restricted operator";
    }

    @Override
    public LinearOperator slice(Collection<Site> sources, Collection<Site> targets) {
        OperatorSide from = in.slice("source", sources);
        OperatorSide to = out.slice("target", targets);
        return new Restriction(green.slice(sources, targets), from, to);
    }

    @Override
    public LinearOperator onInputs(double[][] basis) {
        return new Restriction(green, in.along("input directions", basis), out);
    }

    @Override
    public LinearOperator onOutputs(double[][] basis) {
        return new Restriction(green, in, out.along("output directions", basis));
    }
}

package dev.greenfield.green;

import dev.greenfield.engine.HostMemory;

/** A matrix [outputs, inputs] that is on the host as a whole, in float64. */
final class HostMatrix extends Factored {
    private final double[][] rows;
    private final HostProducts products = HostProducts.onAllProcessors();

    /**
     * @param rows of the matrix, of one length; kept, not copied
     */
    HostMatrix(double[][] rows) {
        this.rows = rows;
    }

    @Override
    int inputs() {
        return rows[0].length;
    }

    @Override
    int outputs() {
        return rows.length;
    }

    @Override
    double[][] applyAll(double[][] inputs) {
        return products.inner(inputs, rows);
    }

    @Override
    double[][] adjointAll(double[][] vectors) {
        double[][] images = new double[vectors.length][inputs()];
        products.addCombinations(images, 1, vectors, rows);
        return images;
    }

    @Override
    double squaredFrobenius() {
        double sum = 0;
        for (double[] row : rows) {
            for (double x : row) {
                sum += x * x;
            }
        }
        return sum;
    }

    /** None: the entries are there. */
    @Override
    int productsOfNorm() {
        return 0;
    }

    @Override
    double roundoff() {
        return 0x1p-53;
    }

    @Override
    long numbersEach() {
        return (long) inputs() + outputs();
    }

    @Override
    long vectorsInBudget() {
        return HostMemory.free() / (Double.BYTES * numbersEach());
    }

    @Override
    HostProducts products() {
        return products;
    }
}

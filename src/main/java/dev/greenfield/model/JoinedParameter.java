package dev.greenfield.model;

import dev.greenfield.safetensors.Tensor;
import java.util.List;
import java.util.Objects;

/**
 * Tensors side by side: matrices [out, in] as one [in, sum of out], or vectors one after the other. Rows are best read many at a time:
 * each read takes a run of every stored row.
 *
 * @param name canonical
 * @param shape of the whole
 * @param parts in their order
 */
record JoinedParameter(String name, long[] shape, List<Tensor> parts) implements Parameter {
    @Override
    public long[] shape() {
        return shape.clone();
    }

    private interface Put {
        void at(long element, double value);
    }

    @Override
    public void read(long from, double[] into, int at, int count) {
        check(from, into.length, at, count);
        read(from, count, (element, value) -> into[(int) (at + element - from)] = value);
    }

    @Override
    public void read(long from, float[] into, int at, int count) {
        check(from, into.length, at, count);
        read(from, count, (element, value) -> into[(int) (at + element - from)] = (float) value);
    }

    private void check(long from, int length, int at, int count) {
        Objects.checkFromIndexSize(from, count, ParameterLayout.elements(shape));
        Objects.checkFromIndexSize(at, count, length);
    }

    private void read(long from, int count, Put put) {
        if (count == 0) {
            return;
        }
        boolean matrix = shape.length == 2;
        long out = shape[shape.length - 1];
        int first = (int) (from / out); // rows of the whole, 0 for vectors
        int rows = (int) ((from + count - 1) / out) + 1 - first;
        double[] column = new double[rows];
        long j = 0;
        for (Tensor part : parts) {
            long stride = matrix ? shape[0] : 1;
            for (long row = 0; row < part.shape()[0]; row++, j++) {
                part.read(row * stride + first, column, 0, rows);
                for (int i = 0; i < rows; i++) {
                    long element = (first + i) * out + j;
                    if (element >= from && element < from + count) {
                        put.at(element, column[i]);
                    }
                }
            }
        }
    }
}

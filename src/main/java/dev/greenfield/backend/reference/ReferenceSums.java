package dev.greenfield.backend.reference;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import java.util.Arrays;

/** What rows are reduced to; see {@link Backend}. */
final class ReferenceSums {
    private ReferenceSums() {}

    static void squaredNorms(Matrix x, double[] into, int at) {
        double[] values = ReferenceBuffer.of(x);
        for (int i = 0; i < x.rows(); i++) {
            into[at + i] = squaredNorm(values, (int) x.at(i), x.columns());
        }
    }

    static void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at) {
        double[] values = ReferenceBuffer.of(x);
        int count = groups.length - 1;
        Arrays.fill(into, at, at + moments * count * rows.tokens(), 0);
        for (int g = 0; g < count; g++) {
            for (int c = groups[g]; c < groups[g + 1]; c++) {
                for (int t = rows.first(c); t <= rows.last(c); t++) {
                    double square = squaredNorm(values, (int) x.at(rows.row(t, c)), x.columns());
                    for (int m = 0; m < moments; m++) {
                        into[at + (m * count + g) * rows.tokens() + t] += m == 0 ? square : square * square;
                    }
                }
            }
        }
    }

    static void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at) {
        double[] values = ReferenceBuffer.of(x);
        double[] target = ReferenceBuffer.of(targets);
        for (int i = 0; i < x.rows(); i++) {
            int row = (int) targets.at(rows == null ? 0 : rows.tokenOf(fromRow + i));
            double sum = 0;
            for (int j = 0; j < x.columns(); j++) {
                sum += values[(int) x.at(i) + j] * target[row + j];
            }
            into[at + i] = sum;
        }
    }

    private static double squaredNorm(double[] values, int at, int width) {
        double sum = 0;
        for (int j = 0; j < width; j++) {
            sum += values[at + j] * values[at + j];
        }
        return sum;
    }
}

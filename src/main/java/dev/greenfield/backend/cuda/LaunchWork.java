package dev.greenfield.backend.cuda;

import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.RaggedRows;
import java.util.Map;

/** The least that launches must do, for profiles: bytes of kernels that treat rows, flops of attention and of products. */
final class LaunchWork {
    /**
     * How many times kernels read or write all elements of the matrix that they are launched for; what tokens share and what is
     * one number a row is left out, since a cache holds it.
     */
    private static final Map<String, Integer> PASSES = Map.ofEntries(
            Map.entry("embed", 3),
            Map.entry("add_bias", 2),
            Map.entry("add_branch", 3),
            Map.entry("scale_columns", 2),
            Map.entry("layer_norm", 2),
            Map.entry("layer_norm_tangent", 2),
            Map.entry("layer_norm_curvature", 3),
            Map.entry("rms_norm", 2),
            Map.entry("rms_norm_tangent", 2),
            Map.entry("rms_norm_curvature", 3),
            Map.entry("activation", 2),
            Map.entry("activation_tangent", 2),
            Map.entry("activation_second_derivative", 2),
            Map.entry("activation_curvature", 3),
            // Over F columns: of gates and values both are read.
            Map.entry("gate", 3),
            Map.entry("gate_tangent", 3),
            Map.entry("gate_adjoint", 3),
            Map.entry("gate_second_derivative", 4),
            Map.entry("gate_curvature", 4),
            Map.entry("grow", 2),
            Map.entry("inject", 3),
            Map.entry("inject_signs", 2),
            Map.entry("take", 2),
            Map.entry("transpose", 2),
            Map.entry("squared_norms", 1),
            Map.entry("dots", 1));

    private LaunchWork() {}

    /** Bytes of a kernel over a matrix of so many elements; 0 for a kernel that is not known here. */
    static double bytes(String kernel, double elements) {
        return Float.BYTES * elements * PASSES.getOrDefault(kernel, 0);
    }

    /**
     * Flops of attention's products that causality and a window leave: two for each element of each pair of a query and a key before it in
     * the same column.
     *
     * @param products how many products of queries and keys, or of weights and values, the kernel does
     * @param shape its width, all heads together, and how many keys a query sees
     * @param queriesFrom the first token with queries
     */
    static double attentionFlops(int products, AttentionShape shape, RaggedRows rows, int queriesFrom) {
        double pairs = 0;
        for (int c = 0; c < rows.columns(); c++) {
            int last = rows.last(c);
            int from = Math.max(queriesFrom, rows.first(c));
            for (int t = from; t <= last; t++) {
                pairs += t - Math.max(shape.firstKey(t), rows.first(c)) + 1;
            }
        }
        return 2.0 * products * shape.width() * pairs;
    }

    /** The class of a product: which operands are transposed as cuBLAS sees them, the weights' shape, rows to a power of two. */
    static String product(boolean transposeA, boolean transposeB, int rows, int inner, int columns) {
        int upTo = rows <= 1 ? 1 : Integer.highestOneBit(rows - 1) << 1;
        return "product " + (transposeB ? "T" : "N") + (transposeA ? "T" : "N") + ", " + inner + " x " + columns
                + ", rows up to " + Integer.toUnsignedString(upTo);
    }
}

package dev.greenfield.backend;

import static dev.greenfield.testing.Vectors.normal;

import dev.greenfield.backend.cuda.CudaBackend;
import dev.greenfield.model.Precision;
import java.util.List;

/**
 * Runs the table of {@link OperationCases} on the cuda backend without looking at the results: for programs that watch the
 * kernels meanwhile, such as the stand-in's recorder and NVIDIA's compute-sanitizer. Each case is named before it runs, so that what
 * ends the process is found beside its case. Arguments are parts of case names; without any, all cases run. {@code --precision fp32|tf32} chooses the arithmetic.
 */
public final class CudaCases {
    private CudaCases() {}

    public static void main(String[] args) {
        List<String> parts = List.of(args);
        Precision precision = Precision.FP32;
        if (parts.size() >= 2 && parts.get(0).equals("--precision")) {
            precision = Precision.valueOf(parts.get(1).toUpperCase(java.util.Locale.ROOT));
            parts = parts.subList(2, parts.size());
        }
        int actions = 0;
        try (CudaBackend backend = CudaBackend.open(precision)) {
            for (OperationCase test : OperationCases.all()) {
                if (parts.isEmpty() || parts.stream().anyMatch(test.name()::contains)) {
                    System.out.println("case " + test.name());
                    actions += run(test, backend, false) + run(test, backend, true);
                }
            }
            System.out.println(actions + " actions done on " + backend.device());
        }
        if (actions == 0) {
            System.err.println("no case has a name with any of " + parts);
            System.exit(2);
        }
    }

    private static int run(OperationCase test, Backend backend, boolean padded) {
        double[] y = test.run(test.value(), backend, padded, test.point());
        if (test.tangent() == null) {
            return 1;
        }
        test.run(test.tangent(), backend, padded, normal(34, test.point().length));
        test.run(test.adjoint(), backend, padded, normal(35, y.length));
        if (test.curvature() == null) {
            return 3;
        }
        test.run(test.curvature(), backend, padded, normal(38, test.point().length));
        return 4;
    }
}

package dev.greenfield.backend.cpu;

import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.Product;
import java.util.Comparator;
import java.util.List;

/** Matrix products, cut into pieces for the threads and for the caches. */
final class CpuProducts {
    /** Below this many floating-point operations a product is not worth waking a second thread for. */
    private static final double SPLIT_FLOPS = 4e6;

    /** Products of fewer rows than this are bound by packing the other operand. */
    private static final int FEW_ROWS = 192;

    /** From so many rows a thread on, packing the whole other operand in each thread no longer counts. */
    private static final int MANY_ROWS = 2048;

    /** Least columns of a piece. */
    private static final int STRIP = 192;

    /** Columns of a strip of a product of few rows. */
    private static final int WIDE_STRIP = 384;

    /** Rows of b that a product of few rows takes at a time: rows stand pages apart, and a core knows 64 to 96 pages at once. */
    private static final int PAGES = 64;

    private final Gemm gemm;
    private final Workers workers;

    CpuProducts(Gemm gemm, Workers workers) {
        this.gemm = gemm;
        this.workers = workers;
    }

    /** c = alpha op(a) op(b) + beta c; see {@link dev.greenfield.backend.Backend#multiply}. */
    void multiply(float alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, float beta, Matrix c) {
        int m = c.rows();
        int n = c.columns();
        int k = transposeA ? a.rows() : a.columns();
        if (m == 0 || n == 0) {
            return;
        }
        Grid grid = grid(m, n, 2.0 * m * n * k);
        workers.run(grid.rowPieces * grid.columnPieces, i -> {
            int row = piece(m, grid.rowPieces, i / grid.columnPieces);
            int rows = piece(m, grid.rowPieces, i / grid.columnPieces + 1) - row;
            int column = piece(n, grid.columnPieces, i % grid.columnPieces);
            int columns = piece(n, grid.columnPieces, i % grid.columnPieces + 1) - column;
            if (rows == 0 || columns == 0) {
                return;
            }
            // The library packs b column by column: of few enough rows at a time for the processor to keep their pages
            // at hand.
            int step = m < FEW_ROWS && !transposeB ? PAGES : k;
            View out = view(c, row, column, rows, columns);
            for (int k0 = 0; k0 == 0 || k0 < k; k0 += step) {
                int depth = Math.min(step, k - k0);
                View left = transposeA ? view(a, k0, row, depth, rows).transpose() : view(a, row, k0, rows, depth);
                View right = transposeB
                        ? view(b, column, k0, columns, depth).transpose()
                        : view(b, k0, column, depth, columns);
                gemm.multiply(alpha, left, right, k0 == 0 ? beta : 1, out);
            }
        });
    }

    /** See {@link dev.greenfield.backend.Backend#multiplyEach}: each product is one thread's, the largest come first. */
    void multiplyEach(float alpha, List<Product> products) {
        List<Product> sorted = products.stream()
                .filter(product -> product.c().rows() > 0 && product.c().columns() > 0)
                .sorted(Comparator.comparingDouble(Product::flops).reversed())
                .toList();
        workers.run(sorted.size(), i -> {
            Product product = sorted.get(i);
            View a = view(product.a());
            View b = view(product.b());
            gemm.multiply(
                    alpha,
                    product.transposeA() ? a.transpose() : a,
                    product.transposeB() ? b.transpose() : b,
                    0,
                    view(product.c()));
        });
    }

    private static View view(Matrix m) {
        return view(m, 0, 0, m.rows(), m.columns());
    }

    /** Part of a matrix: {@code rows} by {@code columns} from the given row and column on. */
    private static View view(Matrix m, int row, int column, int rows, int columns) {
        return new View(CpuBuffer.of(m.buffer()).block(), m.at(row) + column, rows, columns, m.stride());
    }

    /** Into how many pieces a product is cut. */
    private record Grid(int rowPieces, int columnPieces) {}

    /**
     * How to share a product among the threads. Each piece packs its part of both operands, so long products are cut by rows and
     * others by columns; products of so few rows that packing is most of the work are cut into strips whose part of the
     * other operand stays in cache.
     */
    private Grid grid(int m, int n, double flops) {
        int threads = workers.threads();
        if (flops < SPLIT_FLOPS || threads == 1) {
            return new Grid(1, m < FEW_ROWS ? Math.max(1, n / WIDE_STRIP) : 1);
        }
        if (m >= MANY_ROWS * threads) {
            return new Grid(threads, 1);
        }
        int columnPieces = Math.min(threads, Math.max(1, n / STRIP));
        if (m < FEW_ROWS) {
            return new Grid(1, Math.max(columnPieces, n / WIDE_STRIP));
        }
        return new Grid((threads + columnPieces - 1) / columnPieces, columnPieces);
    }

    /** Where piece i begins, on multiples of 16 so that the library's inner kernels see full vectors. */
    private static int piece(int length, int pieces, int i) {
        return i == pieces ? length : (int) ((long) length * i / pieces) & ~15;
    }
}

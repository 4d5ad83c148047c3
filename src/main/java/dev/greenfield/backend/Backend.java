package dev.greenfield.backend;

import dev.greenfield.model.Activation;
import dev.greenfield.model.Precision;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Memory and operations of one kind of hardware at one precision. Matrices are row-major. Batches are {@link RaggedRows};
 * a forward pass of one sequence is the batch with a single column. Widths: D of the residual stream, F of the MLP's hidden
 * layer, T tokens, R rows of a batch.
 *
 * <p>Arguments are checked by the engine; an operation may assume that shapes agree. Operations of one backend object run one
 * after another in the order of the calls; several threads may call it, each on its own buffers.
 */
public interface Backend extends AutoCloseable {
    /** {@code reference}, {@code cpu} or {@code cuda}. */
    String name();

    /** The hardware and libraries, for people: processor or GPU, threads, BLAS. */
    String device();

    /** The arithmetic of this backend. */
    Precision precision();

    /** The buffers that are open, for leak checks and memory measurements. */
    BufferLedger ledger();

    /** Sets the most memory that the backend may hold in all, blocks that it keeps for reuse included. */
    void keepWithin(long bytes);

    /** Bytes that this backend may hold when nobody says otherwise: a good part of what its memory has. */
    long defaultBudget();

    /** The most elements one buffer of this backend may hold. */
    long maxBufferLength();

    /** Rows that a chunked operation should work on at once for its intermediate results to stay in fast memory. */
    int preferredChunkRows();

    /** The same for operations whose rows are as wide as the stream and not as the MLP's hidden layer. */
    default int preferredStreamRows() {
        return preferredChunkRows();
    }

    /** Rows whose queries, keys and values should be held at once, for the products that make and use them to be large and fast. */
    int preferredAttentionRows();

    /** Columns that attention takes together: with fewer at once, part of what it works with is idle. */
    default int preferredAttentionColumns() {
        return 1;
    }

    /**
     * How many times more rows than where flops are equal a token must have for a map of its own to be worth forming: above 1 where
     * the products that form it run slower than long ones.
     */
    double condensationThreshold();

    /**
     * The settings that decide in which order numbers are summed, in words: results of equal arrangements are equal to the bit, those
     * of others nearly equal.
     */
    String arrangement();

    /** A buffer with arbitrary contents. */
    Buffer allocate(String label, long elements);

    /** Copies {@code count} host values into a buffer, rounding to the backend's precision. */
    void upload(double[] from, int at, Buffer to, long offset, int count);

    /** Copies {@code count} host values into a buffer. */
    void upload(float[] from, int at, Buffer to, long offset, int count);

    /** Copies {@code count} elements of a buffer to the host. */
    void download(Buffer from, long offset, double[] to, int at, int count);

    /**
     * As {@link #download}, but a backend with a queue need not wait: the values are there when {@link #await} returns, or after
     * any operation that waits.
     */
    default void downloadLater(Buffer from, long offset, double[] to, int at, int count) {
        download(from, offset, to, at, count);
    }

    /** Waits for the results that operations did not wait for, if there are any. */
    default void await() {
        // Where operations are done when they return, everything is there.
    }

    /** c = alpha op(a) op(b) + beta c, where op transposes when its flag is set. With beta 0, c need not hold numbers. */
    void multiply(double alpha, Matrix a, boolean transposeA, Matrix b, boolean transposeB, double beta, Matrix c);

    /** Several products, c = alpha op(a) op(b) each; they may be made in any order and side by side. */
    default void multiplyEach(double alpha, List<Product> products) {
        for (Product product : products) {
            multiply(alpha, product.a(), product.transposeA(), product.b(), product.transposeB(), 0, product.c());
        }
    }

    /**
     * Says that a matrix will be the right factor of many products and does not change any more. The backend may keep it a second
     * time in the form that it multiplies fastest, until its buffer is closed.
     */
    default void keepAsFactor(Matrix b) {
        // Most backends multiply by matrices as they are.
    }

    /** The transpose of a matrix, where {@link #keepAsFactor} keeps that; else null. Its buffer is the backend's: it is only read. */
    default Matrix keptTranspose(Matrix b) {
        return null;
    }

    /** Says how many elements of weights come next, so that a backend can see whether there is room for a second form of them. */
    default void expectFactors(long elements) {
        // Most backends keep none.
    }

    /** Bytes that {@link #keepAsFactor} takes for each element and cannot do without. */
    default int factorBytes() {
        return 0;
    }

    /**
     * Embeds tokens: x row t = words row index[t] + positions row t.
     *
     * @param words [n, D], the embeddings of some words
     * @param index per token the row of its word
     * @param positions [T, D], or more rows
     * @param x [T, D]
     */
    void embed(Matrix words, int[] index, Matrix positions, Matrix x);

    /** Adds bias [n] to every row of x [R, n]. */
    void addBias(Matrix x, Buffer bias);

    /**
     * Adds a branch to the residual stream: sum = x + (y + bias). The branch is summed first: the stream is the largest number
     * here, and each addition to it rounds by its size.
     *
     * @param y [R, n]
     * @param bias [n], or null for none
     * @param x [R, n]; other memory than {@code y}
     * @param sum [R, n]; may be x itself
     */
    void addBranch(Matrix y, Buffer bias, Matrix x, Matrix sum);

    /**
     * Normalizes rows: normalized = (x - mean) / sqrt(variance + epsilon), without gain and bias (they are folded into the
     * next matrix).
     *
     * @param x [R, D]
     * @param normalized [R, D]; may be x itself
     * @param inverseStd [R], or null when it is not wanted
     */
    void layerNorm(Matrix x, double epsilon, Matrix normalized, Buffer inverseStd);

    /**
     * Tangent of {@link #layerNorm}, and its adjoint: the Jacobian r (I - 1 1'/D - n n'/D) is symmetric.
     * dy = r (dx - mean(dx) - n mean(n dx)) with the n and r of the row's token.
     *
     * @param dx rows {@code fromRow} and on of a batch, [m, D]
     * @param rows the batch
     * @param fromRow the row of the batch that is dx's first
     * @param normalized [T, D] of the forward pass
     * @param inverseStd [T] of the forward pass
     * @param dy [m, D]; may be dx itself unless {@code accumulate}
     * @param accumulate whether the result is added to dy instead of replacing it
     */
    void layerNormTangent(
            Matrix dx,
            RaggedRows rows,
            int fromRow,
            Matrix normalized,
            Buffer inverseStd,
            Matrix dy,
            boolean accumulate);

    /**
     * Curvature of {@link #layerNorm}: adds the second derivative of its value along a straight line, x + e dx at e = 0. With
     * c = dx - mean(dx), a = mean(n dx), and the n and r of the row's token:
     * ddy += -2 r^2 a (c - n a) - r^2 n (mean(c^2) - a^2).
     *
     * @param dx rows {@code fromRow} and on of a batch, [m, D]
     * @param rows the batch
     * @param fromRow the row of the batch that is dx's first
     * @param normalized [T, D] of the forward pass
     * @param inverseStd [T] of the forward pass
     * @param ddy [m, D]; other memory than {@code dx}
     */
    void layerNormCurvature(Matrix dx, RaggedRows rows, int fromRow, Matrix normalized, Buffer inverseStd, Matrix ddy);

    /**
     * Causal attention of a batch of runs that share a prefix: at tokens before its first, a column's keys and values are
     * those of the base run.
     *
     * @param shape heads, head width, scale
     * @param qkv [R, 3D] of the batch
     * @param rows the batch
     * @param base [T, 3D] of the base run; null when every column begins at token 0
     * @param queriesFrom outputs are wanted at this token and later; earlier rows of {@code out} are left as they are
     * @param out [R, D]
     * @param logSumExp [H, T], for a batch of one column; null when it is not wanted
     */
    void attention(
            AttentionShape shape,
            Matrix qkv,
            RaggedRows rows,
            Matrix base,
            int queriesFrom,
            Matrix out,
            Buffer logSumExp);

    /**
     * Tangent of attention for many tangents of one forward pass. With P the probabilities:
     * ds = scale (dq k' + q dk'), dP = P (ds - rowsum(P ds)), dout = dP v + P dv. Where scores s have a soft cap c, ds is also
     * multiplied with 1 - tanh(s / c)^2.
     *
     * @param primal of the forward pass
     * @param dqkv [R, 3D]
     * @param rows the batch
     * @param queriesFrom outputs are wanted at this token and later; earlier rows of {@code dout} are left as they are
     * @param dout [R, D]
     */
    void attentionTangent(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix dout);

    /** Ways to the same with fewer flops; null where this backend has none. */
    default AttentionTangents attentionTangents() {
        return null;
    }

    /**
     * Curvature of attention: adds the second derivative of its value along straight lines, qkv + e dqkv at e = 0. With P the
     * probabilities, ds as in {@link #attentionTangent} and m = rowsum(P ds), P' = P (ds - m) and
     * w = (ds - m)^2 + 2 scale dq dk': ddout += P (w - rowsum(P w)) v + 2 P' dv. With a soft cap c and t = tanh(s / c) the second part of
     * w is (1 - t^2) (2 scale dq dk' - 2 t / c (scale (dq k' + q dk'))^2) instead.
     *
     * @param primal of the forward pass
     * @param dqkv [R, 3D]; zero at tokens before a column's first
     * @param rows the batch
     * @param queriesFrom outputs are wanted at this token and later; earlier rows of {@code ddout} are left as they are
     * @param ddout [R, D]
     */
    void attentionCurvature(AttentionPrimal primal, Matrix dqkv, RaggedRows rows, int queriesFrom, Matrix ddout);

    /**
     * Adjoint of attention for many cotangents of one forward pass. dP = dout v', ds = P (dP - rowsum(P dP)),
     * dq = scale ds k, dk = scale ds' q, dv = P' dout. A soft cap multiplies ds as in {@link #attentionTangent}.
     *
     * @param primal of the forward pass
     * @param dout [R, D]; rows at tokens before {@code queriesFrom} count as zero
     * @param rows the batch; keys before a column's first token are left out
     * @param queriesFrom the first token at which dout is not zero
     * @param dqkv [R, 3D]
     */
    void attentionAdjoint(AttentionPrimal primal, Matrix dout, RaggedRows rows, int queriesFrom, Matrix dqkv);

    /**
     * g = act(u + bias), in place.
     *
     * @param u [R, F]
     * @param bias [F]
     * @param derivative [R, F] receives act'(u + bias); null when it is not wanted
     */
    void activation(Activation kind, Matrix u, Buffer bias, Matrix derivative);

    /**
     * Tangent of the activation, and its adjoint (it acts element by element): dg = du act'(u) of the row's token.
     *
     * @param du rows {@code fromRow} and on of a batch, [m, F]
     * @param rows the batch
     * @param fromRow the row of the batch that is du's first
     * @param derivative [T, F] of the forward pass
     * @param dg [m, F]; may be du itself
     */
    void activationTangent(Matrix du, RaggedRows rows, int fromRow, Matrix derivative, Matrix dg);

    /**
     * c = act''(u + bias), in place; 0 for ReLU, its kink included.
     *
     * @param u [R, F]
     * @param bias [F]
     */
    void activationSecondDerivative(Activation kind, Matrix u, Buffer bias);

    /**
     * Curvature of the activation: adds the second derivative of its value along a straight line, u + e du at e = 0:
     * ddg += act''(u) du^2 with the act'' of the row's token.
     *
     * @param du rows {@code fromRow} and on of a batch, [m, F]
     * @param rows the batch
     * @param fromRow the row of the batch that is du's first
     * @param secondDerivative [T, F] of the forward pass
     * @param ddg [m, F]; other memory than {@code du}
     */
    void activationCurvature(Matrix du, RaggedRows rows, int fromRow, Matrix secondDerivative, Matrix ddg);

    /**
     * Copies a batch into a larger one. Column c of the new batch takes the rows of column origin[c] of the old one; where
     * origin[c] is -1, and at tokens where the old column was not alive, its rows are those of {@code base}, or zero.
     *
     * @param from [R, D] of the old batch
     * @param fromRows the old batch
     * @param origin per new column its old column, or -1
     * @param base [T, D], or null for zeros
     * @param to [R', D] of the new batch; other memory than {@code from}
     * @param toRows the new batch
     */
    void grow(Matrix from, RaggedRows fromRows, int[] origin, Matrix base, Matrix to, RaggedRows toRows);

    /**
     * Residual injection: row index[i] of x becomes {@code keep} times itself plus row i of {@code sources}. An added source
     * keeps 1, a replacement keeps 0. No index may occur twice.
     */
    void inject(Matrix x, int[] index, Matrix sources, double keep);

    /** Injects unit vectors: adds 1 to element component[i] of row index[i] of x. No pair may occur twice. */
    void injectUnits(Matrix x, int[] index, int[] component);

    /**
     * Injects vectors of signs: adds to row index[i] of x, at each column j, 1 where its bit j is set and -1 where it is not. No
     * index may occur twice.
     *
     * @param bits {@code signWords(D)} words a row, row after row; bit j is bit j mod 64 of word j / 64
     */
    void injectSigns(Matrix x, int[] index, long[] bits);

    /** Words of 64 bits that the signs of a row of this width take. */
    static int signWords(int width) {
        return (width + Long.SIZE - 1) / Long.SIZE;
    }

    /** The operations that blocks after GPT-2's need. */
    BlockOperations blocks();

    /** The operations between a batch and some of its columns. */
    ColumnOperations columns();

    /** The sum of squares of each row, in double precision, into host memory from {@code at} on. */
    void squaredNorms(Matrix x, double[] into, int at);

    /**
     * Moments of the squared norms of rows, over groups of columns and token by token: the sum of |x|^2 over a group's rows at a
     * token and, for the second moment, the sum of |x|^4; in double precision, always in the same order. Need not wait: the sums
     * are there when {@link #await} returns.
     *
     * @param x [R, D], all rows of a batch
     * @param groups [G + 1], ascending: group g is the columns from groups[g] on, up to groups[g + 1] (exclusive)
     * @param moments 1 or 2
     * @param into receives [moments, G, T] from {@code at} on; 0 at tokens where no column of the group is alive
     */
    void squaredNormMoments(Matrix x, RaggedRows rows, int[] groups, int moments, double[] into, int at);

    /**
     * The inner product of each row with the target vector of its token, summed in double precision, into host memory from
     * {@code at} on: gains, when the targets are sensitivities.
     *
     * @param x rows {@code fromRow} and on of a batch, [m, n]
     * @param rows the batch; null when every row's target is row 0
     * @param fromRow the row of the batch that is x's first
     * @param targets [T, n]
     */
    void dots(Matrix x, RaggedRows rows, int fromRow, Matrix targets, double[] into, int at);

    /**
     * Runs task(0) to task(tasks - 1), in any order, on the processor threads that this backend may use, for work on the host beside
     * its operations; returns when all are done. A task starts no other work of the backend.
     */
    default void share(int tasks, IntConsumer task) {
        IntStream.range(0, tasks).parallel().forEach(task);
    }

    /** Frees what the backend itself holds. Buffers that are still open are leaks: they are reported, not freed. */
    @Override
    void close();
}

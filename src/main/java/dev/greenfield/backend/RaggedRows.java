package dev.greenfield.backend;

import java.util.Arrays;

/**
 * Which rows a batch has. A batch holds several columns (one tangent, cotangent or patched run each); column c is alive at
 * the tokens first(c)..last(c) and has one row for each of them. Rows are kept token by token: block t holds the rows at
 * token t of every column alive there. Columns are ordered so that those alive at any token are the first count(t) of them,
 * so that column c's row in block t is start(t) + c.
 *
 * <p>Causality makes such batches: what enters at token t0 has rows only at t0 and later (tangents), what is read at token t1
 * depends only on t1 and earlier (cotangents).
 */
public final class RaggedRows {
    private final int[] first;
    private final int[] last;
    private final int[] start;
    private final RaggedRows whole; // null where these columns are no part of another batch
    private final int firstColumn;

    private RaggedRows(int[] first, int[] last, int[] start, RaggedRows whole, int firstColumn) {
        this.first = first;
        this.last = last;
        this.start = start;
        this.whole = whole;
        this.firstColumn = firstColumn;
    }

    /**
     * A batch over {@code tokens} tokens whose column c is alive at first[c]..last[c].
     *
     * @throws IllegalArgumentException when a column leaves the tokens or the columns alive at some token are not a prefix
     */
    public static RaggedRows of(int tokens, int[] first, int[] last) {
        return of(tokens, first.clone(), last.clone(), null, 0);
    }

    private static RaggedRows of(int tokens, int[] first, int[] last, RaggedRows whole, int firstColumn) {
        long[] begins = new long[tokens + 1];
        for (int c = 0; c < first.length; c++) {
            if (first[c] < 0 || last[c] >= tokens || first[c] > last[c]) {
                throw new IllegalArgumentException("column " + c + " is alive at tokens " + first[c] + " to " + last[c]
                        + ", expected a range within 0 to " + (tokens - 1));
            }
            begins[first[c]]++;
            begins[last[c] + 1]--;
        }
        requirePrefixes(first, last);
        int[] start = new int[tokens + 1];
        long alive = 0;
        long total = 0;
        for (int t = 0; t < tokens; t++) {
            alive += begins[t];
            total += alive;
            if (total > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("a batch of " + first.length + " columns over " + tokens
                        + " tokens has more than 2^31 rows: use smaller batches");
            }
            start[t + 1] = (int) total;
        }
        return new RaggedRows(first, last, start, whole, firstColumn);
    }

    /** Columns alive at a token are a prefix when each column lives within the one before it. */
    private static void requirePrefixes(int[] first, int[] last) {
        for (int c = 1; c < first.length; c++) {
            boolean within = first[c - 1] <= first[c] && last[c] <= last[c - 1];
            if (!within) {
                throw new IllegalArgumentException("column " + c + " (tokens " + first[c] + " to " + last[c]
                        + ") is not alive within column " + (c - 1) + " (tokens " + first[c - 1] + " to " + last[c - 1]
                        + ")");
            }
        }
    }

    /** One column alive at every token: a plain sequence. */
    public static RaggedRows sequence(int tokens) {
        return of(tokens, new int[] {0}, new int[] {tokens - 1});
    }

    /** The batch of the columns from (inclusive) to (exclusive) alone, which remembers that it is a part of this one. */
    public RaggedRows columns(int from, int to) {
        return of(tokens(), Arrays.copyOfRange(first, from, to), Arrays.copyOfRange(last, from, to), this, from);
    }

    /** The batch that these columns are a part of; this one itself when they are no part. */
    public RaggedRows whole() {
        return whole == null ? this : whole;
    }

    /** Whether these columns were cut out of a larger batch. */
    public boolean isPart() {
        return whole != null;
    }

    /** The number in {@link #whole} of the first of these columns, which follow each other there too. */
    public int firstColumn() {
        return firstColumn;
    }

    /** Where a row of this batch stands in {@link #whole}. */
    public int rowInWhole(int row) {
        if (whole == null) {
            return row;
        }
        int token = tokenOf(row);
        return whole.start(token) + firstColumn + row - start[token];
    }

    /** Number of tokens T of the sequence. */
    public int tokens() {
        return start.length - 1;
    }

    /** Number of columns. */
    public int columns() {
        return first.length;
    }

    /** Number of rows of the whole batch. */
    public int rows() {
        return start[start.length - 1];
    }

    /** Number of columns alive at a token. */
    public int count(int token) {
        return start[token + 1] - start[token];
    }

    /** First row of a token's block; {@code start(tokens())} is {@link #rows()}. */
    public int start(int token) {
        return start[token];
    }

    /** The row of a column at a token at which it is alive. */
    public int row(int token, int column) {
        return start[token] + column;
    }

    /** First token at which a column is alive. */
    public int first(int column) {
        return first[column];
    }

    /** Last token at which a column is alive. */
    public int last(int column) {
        return last[column];
    }

    /** The token whose block holds a row. */
    public int tokenOf(int row) {
        int low = 0;
        int high = tokens() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (start[middle] <= row) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    @Override
    public String toString() {
        return columns() + " columns, " + rows() + " rows, starts " + Arrays.toString(start);
    }
}

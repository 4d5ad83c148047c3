package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.lattice.HalfDepth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Columns of an upward sweep that no attention has seen yet. Such a column is zero but at the token of its only seed, so that it has
 * one row here, and joins the batch when its first attention has given it the others. The rows stand in the order of their tokens.
 */
final class Nursery implements AutoCloseable {
    /** A column of fewer rows than this gains nothing. It also bounds what the rows here take of a sweep's memory. */
    static final int LEAST_ROWS = 4;

    private final Backend backend;
    private final int tokens;
    private final int lastToken;
    private final int width;
    private final int mostRows;
    private final Buffer rows; // [capacity, D]
    private List<Piece> pieces = List.of();
    private List<Piece> wholes = List.of();
    private int[] columns = new int[0];
    private int[] token = new int[0];

    /**
     * Columns whose rows go through operations together.
     *
     * @param from the first of the nursery's rows
     * @param rows these rows, as those of a batch with the same number of rows at each token: a column of it is not one of the sweep's
     * @param grown the columns with all their rows
     */
    record Piece(int from, RaggedRows rows, RaggedRows grown) {}

    /**
     * @param capacity the most columns at once
     * @param mostRows grown columns of a piece have at most so many rows, unless one alone has more
     */
    Nursery(Backend backend, int width, int tokens, int lastToken, int capacity, int mostRows) {
        this.backend = backend;
        this.width = width;
        this.tokens = tokens;
        this.lastToken = lastToken;
        this.mostRows = mostRows;
        this.rows = backend.allocate("rows of newborn columns", (long) capacity * width);
    }

    /** Whether an upward sweep of tangents has columns of so many rows wait here. */
    static boolean takes(Backend backend, Shortcuts shortcuts, int rows) {
        return rows >= LEAST_ROWS
                && backend.attentionTangents() != null
                && shortcuts.newborn().on(backend.attentionTangents().pay());
    }

    boolean isEmpty() {
        return columns.length == 0;
    }

    /** The number in the seeds of each column. */
    int[] columns() {
        return columns;
    }

    /** The token of each column's row. */
    int token(int i) {
        return token[i];
    }

    /** The rows, [columns, D]. */
    Matrix x() {
        return Matrix.of(rows, columns.length, width);
    }

    /** The columns in pieces for a part that mixes tokens, which makes their other rows. */
    List<Piece> pieces() {
        return pieces;
    }

    /** The columns in as few pieces as a part needs that does not: one, where each token has columns. */
    List<Piece> wholes() {
        return wholes;
    }

    /**
     * Takes columns in, with rows of zeros. Nobody is here then: those that are born at whole depths leave before the next are, and those that
     * are born in the middles of blocks have a nursery of their own.
     *
     * @param more numbers in the seeds, in the order of their tokens
     * @param at their tokens
     */
    void take(int[] more, int[] at) {
        if (!isEmpty()) {
            throw new IllegalStateException(
                    "the nursery still has " + columns.length + " columns: they leave it at the next attention");
        }
        columns = more;
        token = at;
        pieces = cut(mostRows);
        wholes = cut(Integer.MAX_VALUE);
        for (Piece piece : wholes) {
            int n = piece.rows.rows();
            int[] none = new int[piece.rows.columns()];
            Arrays.fill(none, -1);
            RaggedRows empty = RaggedRows.of(tokens, new int[0], new int[0]);
            backend.grow(x().rows(0, 0), empty, none, null, x().rows(piece.from, n), piece.rows);
        }
    }

    /** All have left. */
    void clear() {
        columns = new int[0];
        token = new int[0];
        pieces = List.of();
        wholes = List.of();
    }

    /** Shows the rows token by token. */
    void visit(HalfDepth level, Visitor visitor) {
        for (int from = 0; from < columns.length; ) {
            int to = from;
            while (to < columns.length && token[to] == token[from]) {
                to++;
            }
            int[] same = new int[to - from];
            Arrays.fill(same, token[from]);
            RaggedRows one = RaggedRows.of(tokens, same, same);
            visitor.visit(level, one, Arrays.copyOfRange(columns, from, to), x().rows(from, to - from));
            from = to;
        }
    }

    /**
     * Cuts the columns into pieces of at most so many grown rows, unless one column has more. The numbers of rows at the tokens of a piece rise, then fall: only such are those of a ragged batch.
     */
    private List<Piece> cut(int most) {
        List<Piece> cut = new ArrayList<>();
        for (int from = 0; from < columns.length; ) {
            int to = from;
            int sum = 0;
            boolean falling = false;
            int before = 0; // rows at the token before, in this piece
            while (to < columns.length) {
                int next = to;
                while (next < columns.length && token[next] == token[to]) {
                    next++;
                }
                int each = lastToken - token[to] + 1;
                int fits = (most - sum) / each;
                if (to > from && fits < next - to) {
                    break; // the columns of a token stay together where they can
                }
                int taken = Math.min(next - to, Math.max(1, fits));
                boolean gap = to > from && token[to] > token[to - 1] + 1;
                if (gap || (falling && taken > before)) {
                    break;
                }
                falling |= taken < before;
                before = taken;
                sum += taken * each;
                to += taken;
                if (to < next) {
                    break;
                }
            }
            cut.add(piece(from, to));
            from = to;
        }
        return cut;
    }

    private Piece piece(int from, int to) {
        int[] counts = new int[tokens];
        for (int i = from; i < to; i++) {
            counts[token[i]]++;
        }
        int most = Arrays.stream(counts).max().orElseThrow();
        int[] first = new int[most];
        int[] last = new int[most];
        for (int c = 0; c < most; c++) {
            int t = token[from];
            while (counts[t] <= c) {
                t++;
            }
            first[c] = t;
            t = token[to - 1];
            while (counts[t] <= c) {
                t--;
            }
            last[c] = t;
        }
        int[] lasts = new int[to - from];
        Arrays.fill(lasts, lastToken);
        return new Piece(
                from,
                RaggedRows.of(tokens, first, last),
                RaggedRows.of(tokens, Arrays.copyOfRange(token, from, to), lasts));
    }

    @Override
    public void close() {
        rows.close();
    }
}

package dev.greenfield.lattice;

import dev.greenfield.failure.InputException;
import java.util.Arrays;
import java.util.Objects;

/**
 * One vector a site: a residual stream, a sensitivity, a displacement or a response, of shape [depths, tokens, width].
 * Depths are whole. Values are kept in double precision whatever backend computed them; the arrays handed out are copies.
 */
public final class Field {
    private final int depths;
    private final int tokens;
    private final int width;
    private final double[] values;

    /** A field of zeros. */
    public Field(int depths, int tokens, int width) {
        this(depths, tokens, width, new double[Math.multiplyExact(Math.multiplyExact(depths, tokens), width)]);
    }

    private Field(int depths, int tokens, int width, double[] values) {
        this.depths = depths;
        this.tokens = tokens;
        this.width = width;
        this.values = values;
    }

    /** A field over an array in the order depth, token, component. The array is taken over, not copied. */
    public static Field wrap(int depths, int tokens, int width, double[] values) {
        if (values.length != (long) depths * tokens * width) {
            throw new IllegalArgumentException(
                    values.length + " values for a field of shape [" + depths + ", " + tokens + ", " + width + "]");
        }
        return new Field(depths, tokens, width, values);
    }

    /** Number of depths, L + 1 for a whole run. */
    public int depths() {
        return depths;
    }

    /** Number of tokens T. */
    public int tokens() {
        return tokens;
    }

    /** Number of components D. */
    public int width() {
        return width;
    }

    /** Component i at (depth, token). */
    public double at(int depth, int token, int i) {
        return values[index(depth, token) + Objects.checkIndex(i, width)];
    }

    /** The vector at (depth, token), [D]. */
    public double[] vector(int depth, int token) {
        int from = index(depth, token);
        return Arrays.copyOfRange(values, from, from + width);
    }

    /** The vector at a site of whole depth, [D]. */
    public double[] vector(Site site) {
        return vector(whole(site).depth(), site.token());
    }

    private static Site whole(Site site) {
        if (site.middle()) {
            throw new InputException("this field holds whole depths, " + site + " is between two of them");
        }
        return site;
    }

    /** The Euclidean norm of the vector at (depth, token). */
    public double norm(int depth, int token) {
        return Math.sqrt(dot(depth, token, this));
    }

    /** The Euclidean norm of the vector at a site of whole depth. */
    public double norm(Site site) {
        return norm(whole(site).depth(), site.token());
    }

    /** The norms at all sites, [depths][tokens]. */
    public double[][] norms() {
        double[][] norms = new double[depths][tokens];
        for (int l = 0; l < depths; l++) {
            for (int t = 0; t < tokens; t++) {
                norms[l][t] = norm(l, t);
            }
        }
        return norms;
    }

    /** The inner product of this field's vector and the other's at (depth, token). */
    public double dot(int depth, int token, Field other) {
        requireSameShape(other);
        int from = index(depth, token);
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += values[from + i] * other.values[from + i];
        }
        return sum;
    }

    /** The inner products at all sites, [depths][tokens]: the first-order changes if the other field is a displacement. */
    public double[][] dots(Field other) {
        double[][] dots = new double[depths][tokens];
        for (int l = 0; l < depths; l++) {
            for (int t = 0; t < tokens; t++) {
                dots[l][t] = dot(l, t, other);
            }
        }
        return dots;
    }

    /** This field minus another of the same shape. */
    public Field minus(Field other) {
        requireSameShape(other);
        double[] difference = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            difference[i] = values[i] - other.values[i];
        }
        return new Field(depths, tokens, width, difference);
    }

    /** All values in the order depth, token, component. */
    public double[] toArray() {
        return values.clone();
    }

    private int index(int depth, int token) {
        if (depth < 0 || depth >= depths || token < 0 || token >= tokens) {
            throw new InputException("site (depth " + depth + ", token " + token + ") is not in this field of " + depths
                    + " depths and " + tokens + " tokens");
        }
        return (depth * tokens + token) * width;
    }

    private void requireSameShape(Field other) {
        if (other.depths != depths || other.tokens != tokens || other.width != width) {
            throw new InputException("fields of shapes [" + depths + ", " + tokens + ", " + width + "] and ["
                    + other.depths + ", " + other.tokens + ", " + other.width
                    + "] cannot be combined: both runs need the same model and the same number of tokens");
        }
    }

    @Override
    public String toString() {
        return "field of " + depths + " depths, " + tokens + " tokens and width " + width;
    }
}

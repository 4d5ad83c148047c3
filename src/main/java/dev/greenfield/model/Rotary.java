package dev.greenfield.model;

import java.util.List;

/**
 * Rotary positions (Su et al., 2021): the element pairs (i, i + n) of a query or key at token t, i below n, turn by the angle
 * t times frequency i. Elements after the 2 n first stay as they are.
 *
 * @param frequencies angle a token of each pair, [n], scaling for long contexts included
 * @param magnitude what the turned elements are multiplied with besides; 1 but for yarn
 */
public record Rotary(List<Double> frequencies, double magnitude) {
    public Rotary {
        frequencies = List.copyOf(frequencies);
    }

    /** Elements of a head that turn, 2 n. */
    public int width() {
        return 2 * frequencies.size();
    }

    /**
     * Cosines, then sines, of the angles at the first {@code tokens} tokens, each times the magnitude.
     *
     * @return [tokens, 2 n]
     */
    public double[] table(int tokens) {
        int pairs = frequencies.size();
        double[] table = new double[Math.multiplyExact(tokens, 2 * pairs)];
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < pairs; i++) {
                double angle = t * frequencies.get(i);
                table[2 * pairs * t + i] = magnitude * Math.cos(angle);
                table[2 * pairs * t + pairs + i] = magnitude * Math.sin(angle);
            }
        }
        return table;
    }
}

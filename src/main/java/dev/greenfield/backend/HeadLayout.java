package dev.greenfield.backend;

/**
 * How what a model projects becomes what attention works with. A projected row holds H queries, K keys and K values, h elements each;
 * attention has H of each. Query head i and key head i K / H (rounded down) go together. On the way queries and keys are multiplied with
 * a gain and turned by the angles of their token.
 *
 * @param heads H
 * @param keyHeads K, a divisor of H
 * @param headWidth h
 * @param rotation [T, 2 n]: cosines, then sines, by which elements i and i + n of a head turn at a token, i below n; null where
 *     nothing turns
 * @param gain [2 h]: of every query, then of every key; null for none
 */
public record HeadLayout(int heads, int keyHeads, int headWidth, Matrix rotation, Buffer gain) {
    /** Elements of a projected row, (H + 2 K) h. */
    public int projected() {
        return (heads + 2 * keyHeads) * headWidth;
    }

    /** Elements of a row of attention's queries, 3 H h for all three parts. */
    public int width() {
        return heads * headWidth;
    }
}

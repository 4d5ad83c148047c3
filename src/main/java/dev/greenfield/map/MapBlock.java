package dev.greenfield.map;

import dev.greenfield.lattice.Site;

/**
 * What a batch of a map's columns finds of one site that is pushed: a view of numbers that are kept together for all sites of the
 * batch. Adding the same numbers in the same order gives the same bits.
 *
 * <p>A norm is summed over the site's directions at every far site that it reaches, in the order of the {@link Cone}, and where that is
 * an estimate so is its square. What is read of vectors at targets depends on the way. Climbing, there is a line of all vectors that
 * it reaches for each given direction, or a line of sums of squares and, for estimates, a line of sums of fourth powers. Descending,
 * there is a squared norm at every source that it reaches for each of the site's own vectors.
 */
final class MapBlock {
    /** The line of sums of squares of a climbing site whose directions are not given. */
    static final int SQUARES = 0;

    /** The line of sums of fourth powers beside it. */
    static final int FOURTH_POWERS = 1;

    private final MapLayout layout;
    private final int number;
    private final double[] numbers;
    private final int start;
    private final int reached; // numbers of a row
    private final int vectors; // climbing: of a line

    /**
     * The block that begins at a place of the numbers of all.
     *
     * @param number of the site among those that are pushed
     */
    MapBlock(MapLayout layout, int number, double[] numbers, int start) {
        this.layout = layout;
        this.number = number;
        this.numbers = numbers;
        this.start = start;
        this.reached = layout.reached(site());
        this.vectors = layout.forward() ? layout.vectorsReached(site()) : 0;
    }

    /** The number of the site among those that are pushed. */
    int number() {
        return number;
    }

    /** The site whose directions are pushed: the source of a climbing map, the target of a descending one. */
    Site site() {
        return layout.sites().get(number);
    }

    /** How many far sites it reaches. */
    int reached() {
        return reached;
    }

    /** The sum over the site's directions of squared norms at a far site. */
    double squaredNorm(int at) {
        return numbers[start + at];
    }

    /** The sum of the squares of those squared norms; only of estimates. */
    double fourthPower(int at) {
        return numbers[start + reached + at];
    }

    /** Adds to {@link #squaredNorm}. */
    void addSquaredNorm(int at, double sum) {
        numbers[start + at] += sum;
    }

    /** Adds to {@link #fourthPower}. */
    void addFourthPower(int at, double sum) {
        numbers[start + reached + at] += sum;
    }

    /** Climbing: what a line says of a vector at a target, by the vector's place in the cone. */
    double climbed(int line, int vector) {
        return numbers[reading(line, vectors, vector)];
    }

    /** Adds to {@link #climbed}. */
    void addClimbed(int line, int vector, double sum) {
        numbers[reading(line, vectors, vector)] += sum;
    }

    /** Descending: the squared norm at a source of the response of one of the site's own vectors, by its number among them. */
    double descended(int vector, int at) {
        return numbers[reading(vector, reached, at)];
    }

    /** Adds to {@link #descended}. */
    void addDescended(int vector, int at, double sum) {
        numbers[reading(vector, reached, at)] += sum;
    }

    /** Takes a far site, by its level and token, and its place in a row. */
    interface Reached {
        void take(int level, int token, int at);
    }

    /** All far sites that the site reaches. */
    void forEachReached(Reached visitor) {
        Cone cone = layout.cone();
        int mine = layout.level(site());
        int own = site().token();
        for (int level = 0; level < cone.levels(); level++) {
            forEachReached(cone, mine, own, level, visitor);
        }
    }

    /** Those of one level. */
    void forEachReached(int level, Reached visitor) {
        forEachReached(layout.cone(), layout.level(site()), site().token(), level, visitor);
    }

    private static void forEachReached(Cone cone, int mine, int own, int level, Reached visitor) {
        int until = cone.until(mine, own, level);
        for (int token = cone.from(mine, own, level); token < until; token++) {
            int at = cone.at(mine, own, level, token);
            if (at >= 0) {
                visitor.take(level, token, at);
            }
        }
    }

    /** Adds all of another batch's numbers of the same site. */
    void add(MapBlock more) {
        int length = Math.toIntExact(layout.length(number, number + 1));
        for (int i = 0; i < length; i++) {
            numbers[start + i] += more.numbers[more.start + i];
        }
    }

    private int reading(int row, int columns, int column) {
        return start + layout.moments() * reached + row * columns + column;
    }
}

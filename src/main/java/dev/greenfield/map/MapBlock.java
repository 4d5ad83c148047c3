package dev.greenfield.map;

import dev.greenfield.lattice.Site;

/**
 * What a batch of a map's columns finds of one site that is pushed: a view of numbers that are kept together for all sites of the
 * batch. Adding the same numbers in the same order gives the same bits.
 *
 * <p>A norm is summed over the site's directions at every place of the map, and where that is an estimate so is its square. What is
 * read of vectors at targets depends on the way. Climbing, there is a line of all vectors for each given direction, or a line of sums
 * of squares and, for estimates, a line of sums of fourth powers. Descending, there is a squared norm at every place for each of the
 * site's own vectors.
 */
final class MapBlock {
    /** The line of sums of squares of a climbing site whose directions are not given. */
    static final int SQUARES = 0;

    /** The line of sums of fourth powers beside it. */
    static final int FOURTH_POWERS = 1;

    private final MapLayout layout;
    private final Site site;
    private final double[] numbers;
    private final int start;

    /** The block that begins at a place of the numbers of all. */
    MapBlock(MapLayout layout, Site site, double[] numbers, int start) {
        this.layout = layout;
        this.site = site;
        this.numbers = numbers;
        this.start = start;
    }

    /** The site whose directions are pushed: the source of a climbing map, the target of a descending one. */
    Site site() {
        return site;
    }

    /** The sum over the site's directions of squared norms at a place. */
    double squaredNorm(int place) {
        return numbers[norm(0, place)];
    }

    /** The sum of the squares of those squared norms; only of estimates. */
    double fourthPower(int place) {
        return numbers[norm(1, place)];
    }

    /** Adds to {@link #squaredNorm}. */
    void addSquaredNorm(int place, double sum) {
        numbers[norm(0, place)] += sum;
    }

    /** Adds to {@link #fourthPower}. */
    void addFourthPower(int place, double sum) {
        numbers[norm(1, place)] += sum;
    }

    /** Climbing: what a line says of a vector at a target, by the vector's number among all. */
    double climbed(int line, int vector) {
        return numbers[reading(line, layout.vectors(), vector)];
    }

    /** Adds to {@link #climbed}. */
    void addClimbed(int line, int vector, double sum) {
        numbers[reading(line, layout.vectors(), vector)] += sum;
    }

    /** Descending: the squared norm at a place of the response of one of the site's own vectors, by its number among them. */
    double descended(int vector, int place) {
        return numbers[reading(vector, layout.places(), place)];
    }

    /** Adds to {@link #descended}. */
    void addDescended(int vector, int place, double sum) {
        numbers[reading(vector, layout.places(), place)] += sum;
    }

    private int norm(int moment, int place) {
        return start + moment * layout.places() + place;
    }

    private int reading(int row, int columns, int column) {
        return start + layout.moments() * layout.places() + row * columns + column;
    }
}

package dev.greenfield.prediction;

import dev.greenfield.failure.InputException;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * A kind of intervention, with its size where it has one: written {@code noise}, {@code denoise}, {@code scaled:0.1}, {@code zero},
 * {@code mean}, {@code random:0.1}, {@code sensitivity:0.1}.
 *
 * @param family what is done
 * @param size of {@link Family#SCALED}, {@link Family#RANDOM} and {@link Family#SENSITIVITY}; 1 for the others
 */
public record InterventionKind(Family family, double size) implements Serializable {
    private static final double DEFAULT_SIZE = 0.1;

    /** All kinds, displacements at a tenth and at half of their size, directions at a tenth of the output they are added to. */
    public static final List<InterventionKind> DEFAULTS = List.of(
                    "noise", "denoise", "scaled:0.1", "scaled:0.5", "zero", "mean", "random:0.1", "sensitivity:0.1")
            .stream()
            .map(InterventionKind::parse)
            .toList();

    /** What is done to an output. */
    public enum Family {
        /** The run's output is replaced by the donor's. */
        NOISE(false, true),
        /** The donor's output is replaced by the run's; F and its changes are the donor run's. */
        DENOISE(false, true),
        /** The displacement of {@link #NOISE} is added after multiplication by the size. */
        SCALED(true, true),
        /** The output is replaced by zero. */
        ZERO(false, false),
        /** The output is replaced by its mean over the tokens of the prompt. */
        MEAN(false, false),
        /** A random direction is added, of a length that is the size times the output's own. */
        RANDOM(true, false),
        /** The direction of the sensitivity is added likewise. */
        SENSITIVITY(true, false);

        private final boolean sized;
        private final boolean donor;

        Family(boolean sized, boolean donor) {
            this.sized = sized;
            this.donor = donor;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Checks the size.
     *
     * @throws InputException if it is not a number other than 0, or is given where there is none
     */
    public InterventionKind {
        Objects.requireNonNull(family, "family");
        if (!Double.isFinite(size) || size == 0) {
            throw new InputException(
                    "found size " + size + " of " + family.label() + ", expected a number other than 0");
        }
        if (!family.sized && size != 1) {
            throw new InputException("found size " + size + " of " + family.label() + ", expected none: "
                    + Family.SCALED.label() + " takes one");
        }
    }

    /**
     * Reads {@code family} or {@code family:size}; without a size it is 0.1 where there is one.
     *
     * @throws InputException if the text is neither
     */
    public static InterventionKind parse(String text) {
        int colon = text.indexOf(':');
        String name = (colon < 0 ? text : text.substring(0, colon)).strip();
        Family family = Arrays.stream(Family.values())
                .filter(f -> f.label().equals(name))
                .findFirst()
                .orElseThrow(() -> new InputException("found kind '" + text.strip() + "', expected one of "
                        + Arrays.stream(Family.values())
                                .map(f -> f.label() + (f.sized ? "[:SIZE]" : ""))
                                .collect(Collectors.joining(", "))));
        if (colon < 0) {
            return new InterventionKind(family, family.sized ? DEFAULT_SIZE : 1);
        }
        if (!family.sized) {
            throw new InputException("found kind '" + text.strip() + "', expected " + name + " without a size");
        }
        try {
            return new InterventionKind(family, Double.parseDouble(text.substring(colon + 1)));
        } catch (NumberFormatException wrong) {
            throw new InputException(
                    "found kind '" + text.strip() + "', expected a number after the colon, such as " + name + ":0.1",
                    wrong);
        }
    }

    /** As {@link #parse} reads it. */
    public String label() {
        return family.sized ? family.label() + ":" + Double.toString(size) : family.label();
    }

    /** Whether it needs a second run. */
    public boolean needsDonor() {
        return family.donor;
    }
}

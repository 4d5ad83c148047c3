package dev.greenfield.engine;

import java.util.Locale;

/**
 * Ways to the same numbers with fewer flops, each with a switch of its own: a system property. They are for measuring; results differ
 * by rounding alone.
 *
 * @param newborn whether columns wait in a {@link Nursery} for their first attention
 * @param keyPath whether tangents of scores are made without those of queries and keys, where that is less; see {@link KeyPath}
 * @param keptMaps whether a linearization keeps the maps of its tokens' MLPs for later sweeps; see {@link Condensation}
 */
record Shortcuts(Switch newborn, Switch keyPath, Switch keptMaps) {
    private static final String PREFIX = "greenfield.engine.";

    /** How a way is chosen: always, never, or where the backend is known to be faster by it. */
    enum Switch {
        ON,
        OFF,
        AUTO;

        /** Whether the way is taken. */
        boolean on(boolean faster) {
            return this == ON || (this == AUTO && faster);
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** What the system properties say; auto where they say nothing. */
    static Shortcuts here() {
        return new Shortcuts(of("newborn"), of("keypath"), of("keptmaps"));
    }

    private static Switch of(String name) {
        String value = System.getProperty(PREFIX + name, "auto");
        for (Switch way : Switch.values()) {
            if (way.word().equals(value)) {
                return way;
            }
        }
        throw new IllegalArgumentException(
                "-D" + PREFIX + name + "=" + value + ": expected on, off or auto; leave it out for auto");
    }

    /** In words, for what decides in which order numbers are summed. */
    @Override
    public String toString() {
        return "newborn columns " + newborn.word() + ", key path " + keyPath.word() + ", kept maps " + keptMaps.word();
    }
}

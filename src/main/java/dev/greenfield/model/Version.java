package dev.greenfield.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this library: part of what a stored result depends on, so that every package that stores one may ask. */
public final class Version {
    private Version() {}

    /** Such as {@code 0.1.0}. */
    public static String current() {
        return property("version");
    }

    /** A fact that the build wrote down: the version, and the coordinates of optional libraries. */
    static String property(String name) {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("/dev/greenfield/version.properties")) {
            properties.load(in);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
        return properties.getProperty(name);
    }
}

package dev.greenfield.cli.io;

import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Values of options: numbers, sizes and lists, each refused with what was found and what was expected. */
public final class Quantities {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18}(?:\\.[0-9]{1,9})?) ?([A-Za-z]*)");
    private static final Map<String, Long> UNITS = Map.of(
            "", 1L,
            "b", 1L,
            "kib", 1L << 10,
            "mib", 1L << 20,
            "gib", 1L << 30,
            "tib", 1L << 40,
            "kb", 1_000L,
            "mb", 1_000_000L,
            "gb", 1_000_000_000L,
            "tb", 1_000_000_000_000L);

    private Quantities() {}

    /** A size such as {@code 4GiB}, {@code 512MiB}, {@code 2GB} or a plain number of bytes; at least one byte. */
    public static long bytes(String option, String text) {
        Matcher size = SIZE.matcher(text.strip());
        Long unit = size.matches() ? UNITS.get(size.group(2).toLowerCase(Locale.ROOT)) : null;
        if (unit == null) {
            throw new InputException(
                    option + " " + quoted(text) + ": expected a size such as 4GiB, 512MiB, 2GB or a number of bytes");
        }
        BigDecimal bytes =
                new BigDecimal(size.group(1)).multiply(BigDecimal.valueOf(unit)).setScale(0, RoundingMode.DOWN);
        if (bytes.signum() == 0 || bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new InputException(
                    option + " " + quoted(text) + ": expected at least 1 byte and less than 8388608TiB");
        }
        return bytes.longValueExact();
    }

    /** A whole number of at least {@code least}. */
    public static int atLeast(String option, String text, int least, String expected) {
        try {
            int value = Integer.parseInt(text.strip());
            if (value >= least) {
                return value;
            }
        } catch (NumberFormatException wrong) {
            throw new InputException(option + " " + quoted(text) + ": expected " + expected, wrong);
        }
        throw new InputException(option + " " + quoted(text) + ": expected " + expected);
    }

    /** A whole number from {@code least} to {@code most}; {@code what} says what they are. */
    public static int between(String option, String text, int least, int most, String what) {
        String expected = least + " to " + most + ", " + what;
        int value = atLeast(option, text, least, expected);
        if (value > most) {
            throw new InputException(option + " " + quoted(text) + ": expected " + expected);
        }
        return value;
    }

    /** A seed: any whole number of 64 bits. */
    public static long seed(String option, String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException wrong) {
            throw new InputException(option + " " + quoted(text) + ": expected a whole number of 64 bits", wrong);
        }
    }

    /** Token ids separated by commas. Whether the model has them is seen when it is run. */
    public static int[] tokenIds(String option, String text) {
        if (text.isBlank()) {
            throw new InputException(option + " is empty: expected token ids separated by commas, such as 1,2,3");
        }
        String[] parts = text.split(",", -1);
        int[] ids = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            try {
                ids[i] = Integer.parseInt(parts[i].strip());
            } catch (NumberFormatException wrong) {
                throw new InputException(
                        option + ": found " + quoted(parts[i]) + " at place " + i
                                + ", expected token ids separated by commas, such as 1,2,3",
                        wrong);
            }
        }
        return ids;
    }

    /** Finite numbers separated by commas. */
    public static double[] numbers(String option, String text, String expected) {
        String[] parts = text.split(",", -1);
        double[] numbers = new double[parts.length];
        for (int i = 0; i < parts.length; i++) {
            String wrong = option + ": found " + quoted(parts[i]) + " at place " + i + ", expected " + expected;
            try {
                numbers[i] = Double.parseDouble(parts[i].strip());
            } catch (NumberFormatException e) {
                throw new InputException(wrong, e);
            }
            if (!Double.isFinite(numbers[i])) {
                throw new InputException(wrong);
            }
        }
        return numbers;
    }

    /** The text in quotes, on one line. */
    public static String quoted(String text) {
        String shown = text.length() <= 100 ? text : text.substring(0, 100) + "...";
        return "'" + Lines.escaped(shown) + "'";
    }
}

package dev.greenfield.cli.io;

import dev.greenfield.statistics.Estimate;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;

/** How numbers are written for people, the same in every locale, and estimates as fields of {@code result.json}. */
public final class Numbers {
    private Numbers() {}

    /** A number by a format such as {@code %.3f}. */
    public static String format(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Three significant digits, a dash for what is not defined. */
    public static String three(double value) {
        if (Double.isNaN(value)) {
            return "-";
        }
        return value == 0 ? "0" : format("%.3g", value);
    }

    /** A fraction such as 0.95 as 95 %. */
    public static String percent(double fraction) {
        return BigDecimal.valueOf(fraction)
                        .scaleByPowerOfTen(2)
                        .stripTrailingZeros()
                        .toPlainString()
                + " %";
    }

    /** A number with its interval, where it has one: {@code 0.91 (0.88 to 0.93)}. */
    public static String interval(Estimate estimate, DoubleFunction<String> number) {
        return number.apply(estimate.value())
                + (estimate.hasInterval()
                        ? " (" + number.apply(estimate.low()) + " to " + number.apply(estimate.high()) + ")"
                        : "");
    }

    /** The same for a narrow column, which breaks before the interval and not within: {@code 0.91 [0.88, 0.93]}. */
    public static String narrowInterval(Estimate estimate, DoubleFunction<String> number) {
        return number.apply(estimate.value())
                + (estimate.hasInterval()
                        ? " [" + number.apply(estimate.low()) + ",\u00a0" + number.apply(estimate.high()) + "]"
                        : "");
    }

    /** Half of a number, as a whole number where it is one: depths and their distances, which are counted in halves. */
    public static Number half(int halves) {
        if (halves % 2 == 0) {
            return halves / 2;
        }
        return halves / 2.0;
    }

    /** Mean, low and high of an estimate; what is not defined is NaN, which is written as null. */
    public static Map<String, Object> fields(Estimate estimate) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("mean", estimate.value());
        fields.put("low", estimate.low());
        fields.put("high", estimate.high());
        return fields;
    }
}

package dev.greenfield.failure;

import java.util.Locale;

/** The work does not fit the memory that there is. The command line exits with status 4 on it. */
public class MemoryBudgetException extends GreenfieldException {
    private static final long serialVersionUID = 1L;

    public MemoryBudgetException(String message) {
        super(message);
    }

    /** An amount of memory for a message, in the unit that fits it: {@code 512 bytes}, {@code 1.5 KiB}, {@code 2.0 GiB}. */
    public static String amount(long bytes) {
        String[] units = {"KiB", "MiB", "GiB", "TiB"};
        if (bytes < 1024) {
            return bytes + " bytes";
        }
        double value = bytes / 1024.0;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}

package dev.greenfield.cli.io;

import dev.greenfield.failure.Progress;

/**
 * Progress of a long call on standard error: one line that is written over in a terminal; elsewhere, such as in a log, a line after 5
 * seconds and then ever more rarely, each when twice as much time has passed as at the one before, but once an hour at least.
 */
public final class ProgressLine implements Progress.Listener {
    private static final double FIRST_SECONDS = 5;
    private static final double RAREST_SECONDS = 3600;
    private static final String FLOP = "flop";

    private final Terminal terminal;
    private final String what; // null for what the call says of itself
    private double next = FIRST_SECONDS;

    /** Begins each line with the name that the call has. */
    public ProgressLine(Terminal terminal) {
        this(terminal, null);
    }

    /** Begins each line with {@code what}. */
    public ProgressLine(Terminal terminal, String what) {
        this.terminal = terminal;
        this.what = what;
    }

    @Override
    public void at(Progress progress) {
        if (progress.fraction() >= 1) {
            terminal.endStatus();
        } else if (terminal.rewrites()) {
            terminal.status(text(progress));
        } else if (progress.seconds() >= next) {
            terminal.progress(text(progress));
            while (next <= progress.seconds()) {
                next += Math.min(next, RAREST_SECONDS);
            }
        }
    }

    @Override
    public void note(String line) {
        terminal.progress(line);
    }

    private String text(Progress progress) {
        return (what == null ? progress.what() : what) + ": " + Numbers.format("%.1f", 100 * progress.fraction())
                + " % of "
                + (progress.unit().equals(FLOP)
                        ? flops(progress.total()) + ", " + flops(progress.perSecond()) + "/s, "
                        : Numbers.format("%.0f", progress.total()) + " " + progress.unit() + ", ")
                + duration(progress.secondsLeft()) + " left";
    }

    private static String flops(double flops) {
        String[] units = {"flop", "kflop", "Mflop", "Gflop", "Tflop", "Pflop", "Eflop"};
        double value = flops;
        int unit = 0;
        while (value >= 999.5 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        return Numbers.format(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value) + " " + units[unit];
    }

    /** For example {@code 45 s}, {@code 12 min}, {@code 3 h 20 min}, {@code 2 d 4 h}. */
    public static String duration(double seconds) {
        if (!(seconds < 1e10)) { // no rate yet
            return "unknown time";
        }
        long s = Math.round(seconds);
        if (s < 120) {
            return s + " s";
        }
        long minutes = (s + 30) / 60;
        if (minutes < 120) {
            return minutes + " min";
        }
        long hours = minutes / 60;
        return hours < 48 ? hours + " h " + minutes % 60 + " min" : hours / 24 + " d " + hours % 24 + " h";
    }
}

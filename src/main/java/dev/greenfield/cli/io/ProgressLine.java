package dev.greenfield.cli.io;

import dev.greenfield.failure.Progress;
import java.util.List;

/**
 * Progress of a long call on standard error: one line that is written over in a terminal; elsewhere, such as in a log, a line after 5
 * seconds and then ever more rarely, each when twice as much time has passed as at the one before, but once an hour at least.
 */
public final class ProgressLine implements Progress.Listener {
    private static final double FIRST_SECONDS = 5;
    private static final double RAREST_SECONDS = 3600;
    private static final String FLOP = "flop";

    /** A rate is worth telling after so many seconds, or when so much of this call's own work is done. */
    private static final double KNOWN_SECONDS = 10;

    private static final double KNOWN_SHARE = 0.02;
    /** What a rate is taken from is no rate before: the first steps of a call load libraries and fill caches. */
    private static final double LEAST_SECONDS = 0.5;

    private static final double MOST_SECONDS = 1e10; // more is no estimate

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
            terminal.status(fitting(progress));
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

    /** As much of the line as fits into the terminal: the rate goes first, then the total. */
    private String fitting(Progress progress) {
        String name = name(progress);
        String percent = percent(progress);
        for (String text : List.of(text(progress), name + ": " + percent + " of " + total(progress) + left(progress))) {
            if (text.length() <= terminal.statusRoom()) {
                return text;
            }
        }
        String end = ": " + percent + left(progress);
        int room = terminal.statusRoom() - end.length();
        return (name.length() <= room ? name : name.substring(0, Math.max(0, room - 3)) + "...") + end;
    }

    private String text(Progress progress) {
        return name(progress) + ": " + percent(progress) + " of " + total(progress)
                + (progress.unit().equals(FLOP) && progress.perSecond() > 0
                        ? ", " + flops(progress.perSecond()) + "/s"
                        : "")
                + left(progress);
    }

    private String name(Progress progress) {
        return what == null ? progress.what() : what;
    }

    private static String percent(Progress progress) {
        return Numbers.format("%.1f", 100 * progress.fraction()) + " %";
    }

    private static String total(Progress progress) {
        return progress.unit().equals(FLOP)
                ? flops(progress.total())
                : Numbers.format("%.0f", progress.total()) + " " + progress.unit();
    }

    /**
     * How long it will take, for example {@code , 45 s left}. Empty until that is known: until some of this call's own work is done, and
     * that is a share of it or took a while. Never nothing while there is work left.
     */
    public static String left(Progress progress) {
        double own = progress.done() - progress.kept();
        double work = progress.total() - progress.kept();
        boolean known = progress.seconds() >= LEAST_SECONDS
                && own > 0
                && progress.done() < progress.total()
                && progress.secondsLeft() < MOST_SECONDS
                && (progress.seconds() >= KNOWN_SECONDS || own >= KNOWN_SHARE * work);
        return known ? ", " + duration(Math.max(1, progress.secondsLeft())) + " left" : "";
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
    static String duration(double seconds) {
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

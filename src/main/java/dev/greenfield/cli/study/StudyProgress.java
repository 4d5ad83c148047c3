package dev.greenfield.cli.study;

import dev.greenfield.cli.io.Terminal;
import dev.greenfield.cli.show.ProgressLine;
import dev.greenfield.study.Study;

/** How far a study is, and how long it will take: in a terminal on one line, elsewhere every ten seconds. */
final class StudyProgress implements Study.Progress {
    private static final double EVERY_SECONDS = 10;

    private final Terminal terminal;
    private String stage = "";
    private long began;
    private double saidAt;

    StudyProgress(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public void at(int done, int of, int kept, String what) {
        long now = System.nanoTime();
        if (!what.equals(stage)) {
            stage = what;
            began = now;
            saidAt = -EVERY_SECONDS;
        }
        if (done == kept) {
            began = now; // all so far were there
        }
        double seconds = (now - began) / 1e9;
        String text = what + ": " + done + " of " + of + " done"
                + (kept > 0 ? ", " + kept + " of them earlier" : "")
                + (done > kept ? ", " + ProgressLine.duration(seconds / (done - kept) * (of - done)) + " left" : "");
        if (done == of) {
            terminal.progress(text);
        } else if (terminal.rewrites()) {
            terminal.status(text);
        } else if (done > kept && seconds - saidAt >= EVERY_SECONDS) {
            terminal.progress(text);
            saidAt = seconds;
        }
    }
}

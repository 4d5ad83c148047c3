package dev.greenfield.cli.study;

import dev.greenfield.cli.io.ProgressLine;
import dev.greenfield.cli.io.Terminal;
import dev.greenfield.failure.Progress;

/** How far a study is, and how long it will take: in a terminal on one line, elsewhere every ten seconds. */
final class StudyProgress implements Progress.Listener {
    private static final double EVERY_SECONDS = 10;
    private static final String PROMPTS = "prompts";

    private final Terminal terminal;
    private String stage = "";
    private double saidAt;

    StudyProgress(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public void at(Progress progress) {
        if (!progress.unit().equals(PROMPTS)) {
            return; // what comes before and after is short
        }
        if (!progress.what().equals(stage)) {
            stage = progress.what();
            saidAt = -EVERY_SECONDS;
        }
        int kept = (int) progress.kept();
        String text = stage + ": " + (int) progress.done() + " of " + (int) progress.total() + " done"
                + (kept > 0 ? ", " + kept + " of them earlier" : "")
                + ProgressLine.left(progress);
        if (progress.done() >= progress.total()) {
            terminal.progress(text);
        } else if (terminal.rewrites()) {
            terminal.status(text);
        } else if (progress.done() > kept && progress.seconds() - saidAt >= EVERY_SECONDS) {
            terminal.progress(text);
            saidAt = progress.seconds();
        }
    }
}

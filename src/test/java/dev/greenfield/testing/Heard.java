package dev.greenfield.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.greenfield.failure.Progress;
import java.util.ArrayList;
import java.util.List;

/** A listener that keeps all that it is told, as often as there is something to tell. */
public final class Heard implements Progress.Listener {
    private final List<Progress> told = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    @Override
    public void at(Progress progress) {
        told.add(progress);
    }

    @Override
    public void note(String line) {
        notes.add(line);
    }

    @Override
    public double everySeconds() {
        return 0;
    }

    /** All that was told, in order. */
    public List<Progress> all() {
        return List.copyOf(told);
    }

    /** The lines for people. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /** What was told last. */
    public Progress last() {
        return told.get(told.size() - 1);
    }

    /** Checks every call that was heard: none goes back, and each ends at its total. */
    public void requireWhole(String call) {
        assertThat(told).as(call).isNotEmpty();
        for (int i = 0; i < told.size(); i++) {
            Progress now = told.get(i);
            Progress next = i + 1 < told.size() ? told.get(i + 1) : null;
            assertThat(now.done()).as(call + ": " + now).isBetween(0.0, now.total());
            if (next != null && next.what().equals(now.what()) && next.seconds() >= now.seconds()) {
                assertThat(next.done()).as(call + ": " + next + " after " + now).isGreaterThanOrEqualTo(now.done());
            } else {
                assertThat(now.fraction()).as(call + ": the end, " + now).isEqualTo(1);
            }
        }
    }
}

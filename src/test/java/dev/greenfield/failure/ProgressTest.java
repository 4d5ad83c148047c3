package dev.greenfield.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.testing.Heard;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a listener hears of tasks, and of tasks within tasks. */
class ProgressTest {
    private final Heard heard = new Heard();

    private List<Double> done() {
        return heard.all().stream().map(Progress::done).toList();
    }

    @Test
    void theFirstTaskOfAPartMovesItOn() {
        int found = Progress.watched(
                heard,
                () -> Task.call("outer", "things", 10, task -> {
                    task.run(4, () -> {
                        Task.run("inner", "steps", 2, inner -> {
                            inner.to(1);
                            inner.to(2);
                        });
                        Task.run("another", "steps", 2, inner -> inner.to(1));
                    });
                    Task.run("beside", "steps", 5, inner -> inner.to(3));
                    task.to(7);
                    return 3;
                }));
        assertThat(found).isEqualTo(3);
        assertThat(heard.all()).allMatch(p -> p.what().equals("outer") && p.total() == 10);
        // Half of the part and all of it, then turns of the tasks that move nothing, the part, a turn, 7 and the end.
        assertThat(done()).startsWith(2.0, 4.0).endsWith(7.0, 10.0).isSorted();
        heard.requireWhole("outer");
    }

    @Test
    void aPartThatIsDoneAgainDoesNotGoBack() {
        Progress.watched(
                heard,
                () -> Task.call("outer", "things", 8, task -> {
                    for (int attempt = 0; attempt < 2; attempt++) {
                        int failing = attempt;
                        try {
                            task.run(
                                    4,
                                    () -> Task.run("inner", "steps", 4, inner -> {
                                        inner.to(3);
                                        if (failing == 0) {
                                            throw new InputException("no memory");
                                        }
                                    }));
                        } catch (InputException again) {
                            assertThat(failing).isZero();
                        }
                    }
                    assertThat(heard.last().done()).isEqualTo(4);
                    task.run(4, () -> {});
                    return null;
                }));
        heard.requireWhole("outer");
        assertThat(heard.last().done()).isEqualTo(8);
    }

    @Test
    void whatWasThereBeforeIsNoWorkOfThisCall() {
        Progress.watched(
                heard,
                () -> Task.call("map", "flop", 10, task -> {
                    task.kept(4, 4);
                    task.to(6);
                    return null;
                }));
        assertThat(heard.all()).extracting(Progress::kept).containsOnly(4.0);
        Progress half = new Progress("map", 6, 4, 10, "flop", 0.5);
        assertThat(half.perSecond()).isEqualTo(4);
        assertThat(half.secondsLeft()).isEqualTo(1);
        assertThat(half.fraction()).isEqualTo(0.6);
        assertThat(new Progress("map", 4, 4, 10, "flop", 0.5).secondsLeft()).isInfinite();
        assertThat(new Progress("map", 0, 0, 0, "flop", 0).fraction()).isEqualTo(1);
    }

    @Test
    void aPatientListenerHearsTheEndAlone() {
        List<Progress> told = new ArrayList<>();
        Progress.watched(
                told::add,
                () -> Task.call("quick", "steps", 3, task -> {
                    task.to(1);
                    task.to(2);
                    return null;
                }));
        assertThat(told).hasSize(1);
        assertThat(told.get(0).done()).isEqualTo(3);
    }

    @Test
    void bothListenersHear() {
        Heard inner = new Heard();
        Progress.watched(
                heard,
                () -> Task.call("study", "prompts", 2, task -> {
                    task.run(1, () -> Progress.watched(inner, () -> Task.whole("map", "flop", 5, () -> 1)));
                    Task.note("a line");
                    return null;
                }));
        assertThat(inner.all()).isNotEmpty().allMatch(p -> p.what().equals("map"));
        assertThat(heard.all()).isNotEmpty().allMatch(p -> p.what().equals("study"));
        assertThat(heard.all()).extracting(Progress::done).contains(1.0, 2.0);
        assertThat(heard.notes()).containsExactly("a line");
        Progress.watched(heard, () -> Progress.watched(inner, () -> Task.whole("both", "flop", 5, () -> 1)));
        assertThat(heard.last().what()).isEqualTo("both");
        assertThat(inner.last().what()).isEqualTo("both");
    }

    @Test
    void nobodyHearsOutside() {
        assertThatThrownBy(() -> Progress.watched(heard, () -> {
                    throw new InputException("stop");
                }))
                .isInstanceOf(InputException.class);
        Task.run("after", "steps", 1, task -> task.to(1));
        assertThat(Progress.<Integer, RuntimeException>watched(null, () -> 2)).isEqualTo(2);
        assertThat(heard.all()).isEmpty();
    }

    @Test
    void everyStepLooksForACancellation() {
        Cancellation stop = Cancellation.create();
        assertThatThrownBy(() -> stop.call(() -> Task.call("work", "steps", 3, task -> {
                    stop.cancel();
                    task.to(1);
                    return null;
                })))
                .isInstanceOf(CancelledException.class);
    }
}

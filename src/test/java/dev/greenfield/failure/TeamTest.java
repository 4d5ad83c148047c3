package dev.greenfield.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work side by side, taken in order. */
@Timeout(60)
class TeamTest {
    private static List<Integer> items(int n) {
        return IntStream.range(0, n).boxed().toList();
    }

    @Test
    void resultsComeInTheOrderOfTheItems() {
        Team.Worker<Integer, Integer> slow = item -> {
            LockSupport.parkNanos(item % 3 * 300_000L);
            return 2 * item;
        };
        Team.Worker<Integer, Integer> quick = item -> 2 * item;
        List<Integer> taken = new ArrayList<>();
        try (Team<Integer, Integer> team = new Team<>("team", List.of(slow, quick), items(100))) {
            while (team.head() != null) {
                assertThat(team.head()).isEqualTo(taken.size());
                taken.add(team.next());
            }
            assertThatThrownBy(team::next).isInstanceOf(IllegalStateException.class);
        }
        assertThat(taken)
                .isEqualTo(IntStream.range(0, 100).map(i -> 2 * i).boxed().toList());
    }

    @Test
    void workersDoNotRunFarAheadOfWhoTakes() {
        AtomicInteger begun = new AtomicInteger();
        Team.Worker<Integer, Integer> worker = item -> begun.incrementAndGet();
        try (Team<Integer, Integer> team = new Team<>("team", List.of(worker, worker), items(1000))) {
            team.next();
            LockSupport.parkNanos(200_000_000);
            assertThat(begun.get()).isLessThan(10);
        }
    }

    @Test
    void aFailureIsTheTakersInItsTurn() {
        Team.Worker<Integer, Integer> worker = item -> {
            if (item == 1) {
                throw new InputException("item 1");
            }
            return item;
        };
        try (Team<Integer, Integer> team = new Team<>("team", List.of(worker, worker), items(4))) {
            assertThat(team.next()).isZero();
            assertThatThrownBy(team::next).isInstanceOf(InputException.class).hasMessage("item 1");
        }
    }

    @Test
    void closingCancelsWhatIsUnderWay() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(2);
        CountDownLatch ended = new CountDownLatch(2);
        Team.Worker<Integer, Integer> endless = item -> {
            begun.countDown();
            try {
                while (true) {
                    Cancellation.check();
                    Thread.onSpinWait();
                }
            } finally {
                ended.countDown();
            }
        };
        Team<Integer, Integer> team = new Team<>("team", List.of(endless, endless), items(5));
        begun.await();
        team.close();
        assertThat(ended.getCount()).isZero();
    }

    @Test
    void whoTakesCanBeCancelled() {
        Cancellation stop = Cancellation.create();
        Team.Worker<Integer, Integer> worker = item -> {
            stop.cancel();
            LockSupport.parkNanos(500_000_000);
            return item;
        };
        try (Team<Integer, Integer> team = new Team<>("team", List.of(worker), items(2))) {
            assertThatThrownBy(() -> stop.call(team::next)).isInstanceOf(CancelledException.class);
        }
    }
}

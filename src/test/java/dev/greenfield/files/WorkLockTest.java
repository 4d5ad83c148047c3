package dev.greenfield.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One at a time has the lock, whoever asks in this process or in another. */
class WorkLockTest {
    @TempDir
    private Path directory;

    /** A second try in the same process opens nothing: closing that would take the first lock off. */
    @Test
    void aRefusedTryLeavesTheLockInPlace() throws Exception {
        Path file = directory.resolve("lock");
        try (WorkLock lock = WorkLock.take(file).orElseThrow()) {
            assertThat(lock.channel().isOpen()).isTrue();
            assertThat(WorkLock.take(file)).isEmpty();
            assertThat(WorkLock.take(directory.resolve(".").resolve("lock"))).isEmpty();
            assertThat(inAnotherProcess(file)).isEqualTo("refused");
        }
        assertThat(inAnotherProcess(file)).isEqualTo("locked");
        Optional<WorkLock> again = WorkLock.take(file);
        assertThat(again).isPresent();
        again.orElseThrow().close();
        again.orElseThrow().close();
        assertThat(file).exists();
    }

    private String inAnotherProcess(Path file) throws Exception {
        Path program = Files.writeString(directory.resolve("Other.java"), """
                import java.nio.channels.FileChannel;
                import java.nio.file.*;
                class Other {
                    public static void main(String[] args) throws Exception {
                        var channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE);
                        System.out.print(channel.tryLock() == null ? "refused" : "locked");
                    }
                }
                """);
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        program.toString(),
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(other.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return said;
    }

    /** An interrupt closes the channel under the lock; the lock can be given back all the same. */
    @Test
    void aClosedChannelDoesNotKeepTheLock() throws IOException {
        Path file = directory.resolve("lock");
        WorkLock lock = WorkLock.take(file).orElseThrow();
        lock.channel().close();
        assertThat(WorkLock.take(file)).isEmpty();
        lock.close();
        try (WorkLock next = WorkLock.take(file).orElseThrow()) {
            assertThat(next.channel().isOpen()).isTrue();
        }
    }

    @Test
    void thoseWhoWaitComeOneByOne() throws Exception {
        Path file = directory.resolve("lock");
        List<Integer> inside = new ArrayList<>();
        List<Integer> seen = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                int me = i;
                all.add(threads.submit(() -> {
                    WorkLock lock = WorkLock.await(file);
                    try {
                        inside.add(me);
                        Thread.sleep(2);
                        seen.add(inside.size());
                        inside.clear();
                    } finally {
                        lock.close();
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(seen).hasSize(16).containsOnly(1);
        assertThat(file).doesNotExist();
    }
}

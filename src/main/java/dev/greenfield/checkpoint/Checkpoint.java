package dev.greenfield.checkpoint;

import dev.greenfield.engine.Batches;
import dev.greenfield.engine.DeviceModel;
import dev.greenfield.failure.CancelledException;
import dev.greenfield.failure.InputException;
import dev.greenfield.failure.MemoryBudgetException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.response.SweepMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A directory in which a map's results are kept while it is computed. A run that finds results there takes them, batch by batch in
 * the order of the columns, and computes the rest in the batches that were planned at first: the sums are then the same to the bit
 * as those of a run that was not broken off, whatever memory there is now.
 *
 * <p>It holds the {@link Manifest}, which says what the results are of, and the {@link BatchLog}. Where the device refuses a
 * batch, smaller ones take its place as they do without a checkpoint ({@link Batches}); the log then says from where on, so that a
 * run that goes on uses the same ones.
 */
public final class Checkpoint implements AutoCloseable {
    private final Path directory;
    private final Manifest manifest;
    private final BatchLog log;

    private Checkpoint(Path directory, Manifest manifest, BatchLog log) {
        this.directory = directory;
        this.manifest = manifest;
        this.log = log;
    }

    /** The sweeps of a map, as a checkpoint sees them. */
    public interface Work {
        /** How many numbers a batch finds. */
        int count(Batches.Range range);

        /** Computes a batch: numbers that mean something to {@link #add} alone. */
        double[] compute(Batches.Range range);

        /** Takes note that a batch need not be computed. */
        void restored(Batches.Range range);

        /** Adds what a batch found to the map. Batches come in the order of their columns. */
        void add(Batches.Range range, double[] numbers);
    }

    /**
     * Opens a checkpoint, which is made where there is none yet.
     *
     * @param facts what the results depend on
     * @param mode what is asked for; a checkpoint that exists decides {@code AUTO}
     * @param plan how to cut a new one
     * @throws InputException if the directory is something else, of another map, damaged, or in use
     * @throws UncheckedIOException if it cannot be read or written
     */
    public static Checkpoint open(
            Path directory, Map<String, Object> facts, SweepMode mode, Supplier<CheckpointPlan> plan) {
        BatchLog log = null;
        Checkpoint opened = null;
        try {
            boolean exists = exists(directory);
            CheckpointPlan fresh = exists ? null : plan.get(); // may refuse, and then leaves nothing behind
            Files.createDirectories(directory);
            log = BatchLog.open(directory);
            // Another run may have made it meanwhile.
            Manifest manifest = exists || Files.exists(directory.resolve(Manifest.FILE))
                    ? Manifest.read(directory, facts, mode)
                    : Manifest.write(directory, facts, fresh);
            if (log.fresh()) {
                log.begin(manifest.identity());
            } else if (!log.belongsTo(manifest.identity())) {
                throw new InputException("checkpoint " + directory + ": " + BatchLog.FILE + " does not belong to the "
                        + Manifest.FILE + " beside it, or is damaged: use another directory");
            }
            opened = new Checkpoint(directory, manifest, log);
            return opened;
        } catch (IOException failure) {
            throw failed(directory, failure);
        } finally {
            if (opened == null && log != null) {
                closeQuietly(log);
            }
        }
    }

    /** Whether there is a checkpoint. Refuses what is none and cannot become one. */
    private static boolean exists(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return false;
        }
        if (!Files.isDirectory(directory)) {
            throw new InputException("checkpoint " + directory
                    + ": found something that is not a directory, expected a directory or a new name; choose another");
        }
        if (Files.exists(directory.resolve(Manifest.FILE))) {
            return true;
        }
        // A run that died at once leaves an empty log and perhaps a part of a manifest.
        Set<String> ours = Set.of(Manifest.UNFINISHED, BatchLog.FILE);
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                String name = entry.getFileName().toString();
                if (!ours.contains(name) || (name.equals(BatchLog.FILE) && Files.size(entry) > 0)) {
                    if (Files.exists(directory.resolve(Manifest.FILE))) {
                        return true; // another run has just made it
                    }
                    throw new InputException("checkpoint " + directory + ": found " + name + " in it but no "
                            + Manifest.FILE
                            + ", expected a checkpoint, an empty directory or a new name; choose another directory");
                }
            }
        }
        return false;
    }

    private static RuntimeException failed(Path directory, IOException failure) {
        if (failure instanceof ClosedByInterruptException) { // a file whose thread is interrupted closes itself
            return new CancelledException(
                    "the thread was interrupted: the call was given up, checkpoint " + directory
                            + " has what was done before",
                    failure);
        }
        String reason = failure.getMessage();
        if (failure instanceof FileSystemException file && file.getReason() == null) { // says the path only
            reason = (failure instanceof AccessDeniedException
                            ? "permission is denied"
                            : failure.getClass().getSimpleName())
                    + " at " + file.getFile();
        }
        return new UncheckedIOException(
                "checkpoint " + directory + " cannot be read or written: " + reason
                        + "; what was saved before stays, so mend that and run the same command again",
                failure);
    }

    private static void closeQuietly(BatchLog log) {
        try {
            log.close();
        } catch (IOException unclosed) {
            return; // there is a failure to report already
        }
    }

    /** Whether the map is computed from its sources. */
    public boolean forward() {
        return manifest.plan().forward();
    }

    /** In which batches it is computed. */
    public List<Batches.Range> batches() {
        return manifest.plan().batches();
    }

    /** Of how many tokens' MLPs its batches keep the maps. */
    public int keptMaps() {
        return manifest.plan().keptMaps();
    }

    /**
     * Checks that the plan is one of the columns that there are.
     *
     * @throws InputException if it is not
     */
    public void requireColumns(int columns) {
        if (manifest.plan().columns() != columns) {
            throw Manifest.damaged(
                    directory, "its batches end at column " + manifest.plan().columns() + " of " + columns, null);
        }
    }

    /**
     * Adds all batches to the map: those that are here, then the others, which are kept as they come.
     *
     * @param rows per column how many rows it has
     * @param notes takes a line for people
     * @throws MemoryBudgetException if a batch that is missing does not fit the memory
     */
    public void run(Work work, DeviceModel model, int[] rows, long budgetBytes, Consumer<String> notes) {
        try {
            Replay replay = new Replay();
            replay.run(work, model, rows, budgetBytes, notes);
            List<Batches.Range> rest = manifest.plan().from(replay.column);
            for (Batches.Range range : rest) {
                int to = (int) Math.min(range.to(), (long) range.from() + replay.most);
                requireFits(model, rows, new Batches.Range(range.from(), to), budgetBytes);
            }
            say(notes, replay.column);
            Batches.run(rest, replay.most, this::limit, range -> {
                double[] values = work.compute(range);
                keep(range, values);
                work.add(range, values);
            });
        } catch (IOException failure) {
            throw failed(directory, failure);
        }
    }

    private void say(Consumer<String> notes, int column) {
        int all = manifest.plan().batches().size();
        long there = manifest.plan().before(column);
        String batches = all + (all == 1 ? " batch" : " batches");
        notes.accept("checkpoint " + directory + ": "
                + (column == 0 && all > 0
                        ? batches + ", each saved when it is done"
                        : there == all
                                ? "all of " + batches + " there, nothing to compute"
                                : there + " of " + batches + " there, going on"));
    }

    private void keep(Batches.Range range, double[] values) {
        try {
            log.append(range, values);
        } catch (IOException failure) {
            throw failed(directory, failure);
        }
    }

    private void limit(int columns) {
        try {
            log.appendLimit(columns);
        } catch (IOException failure) {
            throw failed(directory, failure);
        }
    }

    private void requireFits(DeviceModel model, int[] rows, Batches.Range range, long budgetBytes) {
        long need = Batches.bytes(model, CheckpointPlan.rows(rows, range));
        if (need > budgetBytes) {
            throw new MemoryBudgetException("checkpoint " + directory + ": a batch that is still to be computed takes "
                    + MemoryBudgetException.amount(need) + ", the memory budget leaves "
                    + MemoryBudgetException.amount(budgetBytes) + ": " + Remedy.RAISE_MEMORY + " by at least "
                    + MemoryBudgetException.amount(need - budgetBytes) + ", or use another directory");
        }
    }

    /** Takes what is in the log. */
    private final class Replay {
        int column; // the first that is missing
        int most = Integer.MAX_VALUE; // columns of a batch
        private int place; // of the batch that comes next in the plan

        void run(Work work, DeviceModel model, int[] rows, long budgetBytes, Consumer<String> notes)
                throws IOException {
            for (BatchLog.Stored entry = log.next(); entry != null; entry = log.next()) {
                if (entry.limit()) {
                    most = Math.max(1, entry.range().to());
                    continue;
                }
                Batches.Range range = entry.range();
                if (!range.equals(due()) || entry.count() != work.count(range)) {
                    throw new InputException("checkpoint " + directory + ": found a record of columns " + range.from()
                            + " to " + range.to() + " with " + entry.count() + " numbers, expected "
                            + (due() == null
                                    ? "none"
                                    : due().from() + " to " + due().to() + " with " + work.count(due()))
                            + ": " + BatchLog.FILE + " is damaged, use another directory");
                }
                double[] values = log.values(entry);
                if (values == null) {
                    notes.accept("checkpoint " + directory + ": the record of columns " + range.from() + " to "
                            + range.to() + " is damaged, they are computed again");
                    requireFits(model, rows, range, budgetBytes);
                    values = work.compute(range);
                    log.rewrite(entry, values);
                } else {
                    work.restored(range);
                }
                work.add(range, values);
                column = range.to();
            }
            long dropped = log.dropRest();
            if (dropped > 0) {
                notes.accept("checkpoint " + directory + ": dropped " + dropped + " bytes at the end of "
                        + BatchLog.FILE + " that are no whole record (as a killed run leaves them, or a bad disk),"
                        + " what they held is computed again");
            }
        }

        /** The range whose record comes next; null when all are there. */
        private Batches.Range due() {
            List<Batches.Range> batches = manifest.plan().batches();
            while (place < batches.size() && batches.get(place).to() <= column) {
                place++;
            }
            if (place == batches.size()) {
                return null;
            }
            return new Batches.Range(column, (int) Math.min(batches.get(place).to(), (long) column + most));
        }
    }

    @Override
    public void close() {
        try {
            log.close();
        } catch (IOException failure) {
            throw failed(directory, failure);
        }
    }
}

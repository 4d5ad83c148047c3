package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import dev.greenfield.backend.Buffer;
import dev.greenfield.failure.Cancellation;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Blocks whose weights are put on the backend when they are visited, into room for one or two of them. With two, the block that comes
 * next is read by a thread of its own while the present one computes. A block stays until its room is wanted, so that both halves, and
 * a descent that begins where the climb ended, read it once.
 *
 * <p>Several threads may visit blocks: those that visit the same block share it, and a visit waits while all room is visited. No thread
 * may begin a visit within another, or the two could wait for each other.
 */
final class StreamedBlocks implements AutoCloseable {
    /** How long a wait goes on before it looks whether it was cancelled. */
    private static final long LOOK_MILLISECONDS = 50;

    private final List<Block> blocks;
    private final List<List<Linear>> layers; // of each block
    private final List<Room> rooms = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ExecutorService ahead;
    private boolean closed;
    private long clock;

    /** Memory for the weights of one block. All but {@code buffers} is guarded by the lock. */
    private static final class Room {
        private final List<Buffer> buffers = new ArrayList<>(); // weight and bias of each layer
        private int block = -1; // whose weights are there or on their way
        private boolean reading;
        private int visitors;
        private long lastUsed;

        boolean free() {
            return visitors == 0 && !reading;
        }
    }

    /**
     * Takes memory for {@code count} blocks.
     *
     * @param layers the linear layers of each block, which are not on the backend
     */
    StreamedBlocks(Backend backend, List<Block> blocks, List<List<Linear>> layers, int count) {
        this.blocks = List.copyOf(blocks);
        this.layers = List.copyOf(layers);
        try {
            for (int i = 0; i < Math.min(count, blocks.size()); i++) {
                rooms.add(new Room());
                allocate(backend, rooms.get(i).buffers);
            }
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
        ahead = Executors.newSingleThreadExecutor(work -> {
            Thread thread = new Thread(work, "greenfield-weights");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Room for the largest of each layer. */
    private void allocate(Backend backend, List<Buffer> buffers) {
        for (int i = 0; i < layers.get(0).size(); i++) {
            int layer = i;
            long weights = layers.stream()
                    .mapToLong(block -> block.get(layer).stored().elements()
                            - block.get(layer).stored().out())
                    .max()
                    .orElseThrow();
            int biases = layers.stream()
                    .mapToInt(block -> block.get(layer).stored().out())
                    .max()
                    .orElseThrow();
            buffers.add(backend.allocate("weights of a block", weights));
            buffers.add(backend.allocate("biases of a block", biases));
        }
    }

    /**
     * Puts a block's weights on the backend, unless they are there.
     *
     * @param next the block that will be visited after it, or -1
     */
    BlockVisit visit(int block, int next) {
        Room room = enter(block);
        readAhead(next);
        return new BlockVisit(blocks.get(block), () -> leave(room));
    }

    private Room enter(int block) {
        Room room;
        lock.lock();
        try {
            while (true) {
                room = take(block);
                room.visitors++;
                boolean waited = false;
                while (room.reading) {
                    await(room);
                    waited = true;
                }
                if (room.block == block) {
                    return room;
                }
                if (!waited) {
                    break;
                }
                room.visitors--; // it could not be read, and another thread may have another room for it by now
                changed.signalAll();
            }
            room.block = block; // nobody else changes a room that has a visitor
            room.reading = true;
        } finally {
            lock.unlock();
        }
        boolean done = false;
        try {
            read(room, block);
            done = true;
        } finally {
            finish(room, done, true);
        }
        return room;
    }

    /** The room of a block, or one for it; waits until there is one. */
    private Room take(int block) {
        while (true) {
            if (closed) {
                throw new IllegalStateException("the model is closed: open it again to use it");
            }
            Room best = null;
            for (Room room : rooms) {
                if (room.block == block) {
                    return room;
                }
                if (room.free() && (best == null || room.lastUsed < best.lastUsed)) {
                    best = room;
                }
            }
            if (best != null) {
                empty(best);
                return best;
            }
            await(null);
        }
    }

    /** Waits for a change, as a step of its callers' loops; a visitor that gives up leaves its room. */
    @SuppressWarnings("WaitNotInLoop")
    private void await(Room entered) {
        boolean waited = false;
        try {
            Cancellation.check();
            changed.await(LOOK_MILLISECONDS, TimeUnit.MILLISECONDS);
            waited = true;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            Cancellation.check();
        } finally {
            if (!waited && entered != null) {
                entered.visitors--;
                changed.signalAll();
            }
        }
    }

    private void empty(Room room) {
        if (room.block >= 0) {
            layers.get(room.block).forEach(Linear::leave);
            room.block = -1;
        }
    }

    private void read(Room room, int block) {
        List<Linear> wanted = layers.get(block);
        for (int i = 0; i < wanted.size(); i++) {
            wanted.get(i).put(room.buffers.get(2 * i), room.buffers.get(2 * i + 1), row -> {});
        }
    }

    private void finish(Room room, boolean done, boolean visited) {
        lock.lock();
        try {
            room.reading = false;
            if (!done) {
                empty(room);
                room.visitors -= visited ? 1 : 0;
            }
            room.lastUsed = ++clock;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Begins to read a block into a room that nobody visits, if there is one. */
    private void readAhead(int next) {
        lock.lock();
        try {
            if (next < 0 || closed || rooms.stream().anyMatch(room -> room.block == next)) {
                return;
            }
            for (Room room : rooms) {
                if (room.free()) {
                    empty(room);
                    room.block = next;
                    room.reading = true;
                    ahead.execute(() -> readQuietly(room, next));
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whoever visits the block reads it again where this fails, and is told why. */
    private void readQuietly(Room room, int block) {
        boolean done = false;
        try {
            read(room, block);
            done = true;
        } catch (RuntimeException unreadable) {
            done = false;
        } finally {
            finish(room, done, false);
        }
    }

    private void leave(Room room) {
        lock.lock();
        try {
            room.visitors--;
            room.lastUsed = ++clock;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void release() {
        rooms.forEach(room -> room.buffers.forEach(Buffer::close));
    }

    /** Waits for what is being read ahead, and gives the memory back. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            while (rooms.stream().anyMatch(room -> room.reading && room.visitors == 0)) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        ahead.shutdown();
        release();
    }
}

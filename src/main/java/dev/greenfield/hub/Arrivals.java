package dev.greenfield.hub;

import dev.greenfield.failure.Cancellation;
import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The body of an answer, read as it comes. Unlike the stream that Java offers, a read looks for a cancellation while it waits, and gives
 * up when nothing comes for too long. The network is told to go on only when what came was read.
 */
final class Arrivals implements BodySubscriber<Arrivals>, AutoCloseable {
    private static final int AHEAD = 16; // pieces that may come before they are read
    private static final long LOOK_MILLIS = 50;

    /** Bytes; or the end, with what broke the transfer off where not all came. */
    private record Piece(List<ByteBuffer> bytes, boolean end, Throwable broken) {}

    private final Duration patience;
    private final LinkedBlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
    private final Deque<ByteBuffer> current = new ArrayDeque<>();
    private volatile Flow.Subscription subscription;
    private volatile boolean closed;
    private boolean ended;

    Arrivals(Duration patience) {
        this.patience = patience;
    }

    @Override
    public CompletionStage<Arrivals> getBody() {
        return CompletableFuture.completedStage(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (closed) {
            given.cancel();
        } else {
            given.request(AHEAD);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        pieces.add(new Piece(item, false, null));
    }

    @Override
    public void onError(Throwable broken) {
        pieces.add(new Piece(List.of(), true, broken));
    }

    @Override
    public void onComplete() {
        pieces.add(new Piece(List.of(), true, null));
    }

    /**
     * Reads some bytes.
     *
     * @return how many; -1 at the end
     * @throws IOException if the transfer broke off, or nothing came for too long
     */
    int read(byte[] into) throws IOException {
        while (current.isEmpty() && !ended) {
            Piece piece = next();
            if (piece.broken() != null) {
                throw new IOException(said(piece.broken()), piece.broken());
            }
            ended = piece.end();
            piece.bytes().stream().filter(ByteBuffer::hasRemaining).forEach(current::add);
            if (!ended) {
                subscription.request(1);
            }
        }
        if (current.isEmpty()) {
            return -1;
        }
        ByteBuffer first = current.peek();
        int count = Math.min(into.length, first.remaining());
        first.get(into, 0, count);
        if (!first.hasRemaining()) {
            current.remove();
        }
        return count;
    }

    private static String said(Throwable broken) {
        return broken.getMessage() == null ? broken.getClass().getSimpleName() : broken.getMessage();
    }

    private Piece next() throws IOException {
        long until = System.nanoTime() + patience.toNanos();
        while (true) {
            Cancellation.check();
            try {
                Piece piece = pieces.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                if (piece != null) {
                    return piece;
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt(); // the check says so
            }
            if (System.nanoTime() - until > 0) {
                throw new IOException("nothing came for " + patience.toSeconds() + " s");
            }
        }
    }

    /** Ends the transfer, wherever it is. */
    @Override
    public void close() {
        closed = true;
        if (subscription != null) {
            subscription.cancel();
        }
    }
}

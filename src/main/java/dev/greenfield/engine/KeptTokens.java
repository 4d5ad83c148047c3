package dev.greenfield.engine;

import dev.greenfield.backend.Backend;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Tokens whose MLPs' maps ({@link Condensation}) are formed once for all sweeps of a series. Their rows go through these maps in every
 * sweep, however few they are in one: what counts is that there are enough in all.
 */
public final class KeptTokens {
    private final boolean[][] kept; // [L, T], or shorter
    private final int count;
    private final long bytes;

    private record Place(int block, int token, long rows) {}

    private KeptTokens(boolean[][] kept, int count, long bytes) {
        this.kept = kept;
        this.count = count;
        this.bytes = bytes;
    }

    /** No tokens: each sweep forms the maps that pay within itself. */
    public static KeptTokens none() {
        return new KeptTokens(new boolean[0][0], 0, 0);
    }

    /**
     * The tokens with most rows among those with enough for a map.
     *
     * @param rows of all sweeps, at each token of each block's MLP, [L, T], or fewer tokens where the others have none
     * @param most how many are kept at most
     */
    public static KeptTokens of(DeviceModel model, long[][] rows, int most) {
        int least = Condensation.leastRows(model.backend(), model.config());
        List<Place> places = new ArrayList<>();
        for (int block = 0; block < rows.length; block++) {
            for (int token = 0; token < rows[block].length; token++) {
                if (rows[block][token] >= least) {
                    places.add(new Place(block, token, rows[block][token]));
                }
            }
        }
        if (places.isEmpty() || most <= 0) {
            return none();
        }
        places.sort(Comparator.comparingLong((Place place) -> -place.rows())
                .thenComparingInt(place -> -place.block())
                .thenComparingInt(Place::token));
        int count = Math.min(most, places.size());
        boolean[][] kept = new boolean[rows.length][rows[0].length];
        places.subList(0, count).forEach(place -> kept[place.block()][place.token()] = true);
        return new KeptTokens(kept, count, count * bytesOfMap(model) + bytesToForm(model) + bytesOfChunk(model));
    }

    /**
     * Likewise as many as a quarter of what memory is free has room for; none where the engine keeps no maps.
     *
     * @see #of for the other arguments
     */
    public static KeptTokens within(DeviceModel model, long[][] rows, long freeBytes) {
        return model.shortcuts().keptMaps().on(true) ? of(model, rows, room(model, freeBytes)) : none();
    }

    /** How many maps a quarter of what memory is free has room for. */
    static int room(DeviceModel model, long freeBytes) {
        long room = (freeBytes / 4 - bytesToForm(model)) / bytesOfMap(model);
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, room));
    }

    /** Bytes of one map. */
    static long bytesOfMap(DeviceModel model) {
        long width = model.config().width();
        return width * width * model.backend().precision().bytes();
    }

    /** What a sweep may take besides to form maps. */
    static long bytesToForm(DeviceModel model) {
        Backend backend = model.backend();
        return Condensation.mapElements(model.config(), backend.preferredChunkRows())
                * backend.precision().bytes();
    }

    /** What a sweep of few rows takes besides, since planned maps are formed in it by the same products as in one of many. */
    private static long bytesOfChunk(DeviceModel model) {
        Backend backend = model.backend();
        return backend.preferredChunkRows()
                * MlpPart.workElements(model.config())
                * backend.precision().bytes();
    }

    /** Whether a token's map is kept. */
    public boolean has(int block, int token) {
        return block < kept.length && token < kept[block].length && kept[block][token];
    }

    /** How many maps are kept. */
    public int count() {
        return count;
    }

    /** What the kept maps take of the memory, and what may be needed to form them. */
    public long bytes() {
        return bytes;
    }
}

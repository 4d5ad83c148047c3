package dev.greenfield.safetensors;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The header of a file: a length of 8 bytes, little endian, and that many bytes of JSON. It is believed only after its
 * ranges have been found to tile the rest of the file exactly, each as long as type and shape of its tensor require.
 *
 * @param metadata in the order of the file
 * @param entries the tensors by name, in the order of the file
 * @param dataStart byte of the file at which the data begin, to which all offsets are relative
 */
record Header(Map<String, String> metadata, Map<String, StoredTensor> entries, long dataStart) {
    /** The limit of the format, which bounds what a header may make a reader allocate. */
    static final int LONGEST = 100_000_000;
    /** Bytes of the length field. */
    static final int LENGTH_BYTES = 8;

    /** What the header says of a tensor; its data are the bytes from begin to before end, relative to the data's start. */
    @SuppressWarnings("ArrayRecordComponent") // entries are never compared, and a tensor hands out copies of the shape
    record StoredTensor(String name, DType dtype, long[] shape, long elements, long begin, long end) {
        /** Returns the number of bytes that type and shape require; checked not to overflow. */
        long bytes() {
            return dtype.bits() >= 8
                    ? elements * dtype.bytes()
                    : elements / 8 * dtype.bits() + elements % 8 * dtype.bits() / 8;
        }
    }

    /**
     * Returns the number of elements of a shape.
     *
     * @return the product of the dimensions, or -1 if it, or that times the bytes of an element, is beyond 2^63 - 1 with
     *     dimensions of 0 left aside: strides of such a shape would overflow
     */
    static long elements(DType dtype, long[] shape) {
        long product = dtype.bytes();
        boolean empty = false;
        for (long dimension : shape) {
            if (dimension == 0) {
                empty = true;
            } else if (dimension < 0 || Math.multiplyHigh(product, dimension) != 0 || product * dimension < 0) {
                return -1;
            } else {
                product *= dimension;
            }
        }
        return empty ? 0 : product / dtype.bytes();
    }

    void checkRanges(long dataBytes, String origin) throws SafetensorsException {
        List<StoredTensor> sorted = new ArrayList<>(entries.values());
        sorted.sort(Comparator.comparingLong(StoredTensor::begin).thenComparingLong(StoredTensor::end));
        StoredTensor previous = null;
        long reached = 0;
        for (StoredTensor entry : sorted) {
            String what = origin + ": tensor " + Text.quote(entry.name()) + " ";
            if (entry.end() < entry.begin() || entry.end() - entry.begin() != entry.bytes()) {
                throw new SafetensorsException(what + "has data_offsets [" + entry.begin() + ", " + entry.end() + "], "
                        + "but " + entry.dtype() + " " + shapeText(entry.shape()) + " takes " + entry.bytes()
                        + " bytes; the header is damaged or was written wrongly");
            }
            if (entry.end() > dataBytes) {
                throw new SafetensorsException(what + "ends at byte " + entry.end() + " of the data, but the file has "
                        + dataBytes + " bytes of data; it was cut short or the header is damaged");
            }
            if (entry.begin() < reached && previous != null) {
                throw new SafetensorsException(what + "begins at byte " + entry.begin() + " of the data, but tensor "
                        + Text.quote(previous.name()) + " before it ends only at " + reached
                        + "; ranges must not overlap");
            }
            if (entry.begin() > reached) {
                throw new SafetensorsException(what + "begins at byte " + entry.begin() + " of the data, expected "
                        + reached + ", where " + (previous == null ? "the data begin" : "the one before it ends")
                        + "; ranges must leave no holes");
            }
            reached = entry.end();
            previous = entry;
        }
        if (reached != dataBytes) {
            throw new SafetensorsException(origin + ": the file has " + dataBytes + " bytes of data, but "
                    + (previous == null ? "no tensor" : "the last tensor " + Text.quote(previous.name())) + " ends at "
                    + reached + "; " + (dataBytes - reached) + " bytes belong to no tensor");
        }
    }

    /** Returns a shape as text for a message. */
    static String shapeText(long[] shape) {
        return Text.brief(Arrays.toString(shape));
    }
}

package dev.greenfield.cli.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What every tensor that commands write is: its axes, unit and meaning, for the metadata of the file, so that it can be read without these
 * documents. Rows are in the resource {@value #RESOURCE}: name, axes, unit, meaning, parted by tabs. In a name {@code #} stands for a
 * number and {@code *} for anything. Of rows that fit a name the first with as many axes is meant.
 */
public final class TensorCatalog {
    /** Version of these metadata: raised where a key goes or changes its meaning. */
    static final int FORMAT_VERSION = 1;

    private static final String RESOURCE = "tensors.tsv";
    private static final int COLUMNS = 4;

    private TensorCatalog() {}

    /**
     * A row.
     *
     * @param axes their names, in order
     * @param unit of the numbers; 1 for what has none
     */
    private record Row(String name, List<String> axes, String unit, String meaning) {
        private static Row of(String line) {
            String[] parts = line.split("\t", -1);
            if (parts.length != COLUMNS) {
                throw new IllegalStateException(
                        RESOURCE + ": found " + parts.length + " columns in \"" + line + "\", expected " + COLUMNS);
            }
            List<String> axes = parts[1].isEmpty() ? List.of() : List.of(parts[1].split(","));
            return new Row(parts[0], axes, parts[2], parts[3]);
        }

        /** Whether this is the row of a tensor; {@code general} is its name with {@code #} for numbers. */
        private boolean fits(String tensor, String general, int rank) {
            return axes.size() == rank
                    && (name.equals(general)
                            || (name.indexOf('*') >= 0
                                    && tensor.matches(name.replace(".", "\\.").replace("*", ".+"))));
        }
    }

    /**
     * The metadata of a file's tensors: {@code format_version}, {@code depth_step} and, in {@code tensors}, a JSON object with
     * {@code axes}, {@code unit} and {@code meaning} of each. Tensors whose names differ in a number share an entry, whose name has
     * {@code #} there.
     *
     * @param ranks the number of axes of each tensor, by its name
     * @param halfDepths whether axes of depths count half depths
     * @param blocks whether rows are blocks or heads, and not depths
     */
    public static Map<String, String> metadata(Map<String, Integer> ranks, boolean halfDepths, boolean blocks) {
        List<Row> rows = rows();
        Map<String, Row> found = new LinkedHashMap<>();
        ranks.forEach((name, rank) -> {
            String general = name.replaceAll("\\.[0-9]+(?=\\.|$)", ".#");
            rows.stream()
                    .filter(row -> row.fits(name, general, rank))
                    .findFirst()
                    .ifPresent(row -> found.put(row.name().indexOf('*') >= 0 ? name : general, row));
        });
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            for (Map.Entry<String, Row> entry : found.entrySet()) {
                Row row = entry.getValue();
                json.writeObjectFieldStart(entry.getKey());
                json.writeArrayFieldStart("axes");
                for (String axis : row.axes()) {
                    json.writeString(blocks && axis.equals("depth") ? "block" : axis);
                }
                json.writeEndArray();
                json.writeStringField("unit", row.unit());
                json.writeStringField("meaning", row.meaning());
                json.writeEndObject();
            }
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format_version", Integer.toString(FORMAT_VERSION));
        metadata.put("depth_step", halfDepths ? "0.5" : "1");
        metadata.put("tensors", text.toString());
        return metadata;
    }

    private static List<Row> rows() {
        try (InputStream stream = TensorCatalog.class.getResourceAsStream(RESOURCE)) {
            List<Row> rows = new ArrayList<>();
            String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            Arrays.stream(text.split("\n"))
                    .filter(line -> !line.startsWith("#"))
                    .forEach(line -> rows.add(Row.of(line)));
            return rows;
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}

package dev.greenfield.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;

/** The numbers and labels of a chart as the JSON that the page's script draws from. */
final class ChartData {

    // Pure ASCII, so that no line separator or half character can upset the page. Streamed: making an object mapper
    // takes
    // longer than anything a page holds.
    private static final JsonFactory FACTORY =
            JsonFactory.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private ChartData() {}

    /**
     * The chart as one JSON object that is safe inside a script element.
     *
     * @param file how files that are saved of it are called, without their ending
     */
    static String json(Chart chart, String file) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.writeStartObject();
            string(json, "title", chart.title());
            json.writeStringField("file", file);
            if (chart instanceof HeatMap map) {
                fill(json, map);
            } else if (chart instanceof LineChart lines) {
                fill(json, lines);
            } else if (chart instanceof ScatterChart points) {
                fill(json, points);
            } else if (chart instanceof ResponseMapChart map) {
                fill(json, map);
            } else if (chart instanceof AttentionChart heads) {
                fill(json, heads);
            } else if (chart instanceof TokenGrid grid) {
                fill(json, grid);
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new IllegalStateException("cannot write the data of chart \"" + chart.title() + "\"", e);
        }
        // Outside of strings JSON has none of these characters, so the replacement changes no structure.
        return text.toString().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    }

    /** Height of the drawing in pixels, fixed before any script runs so that the page does not jump. */
    static int height(Chart chart) {
        if (chart instanceof HeatMap map) {
            return gridHeight(map.rows().size(), map.columns());
        }
        if (chart instanceof ResponseMapChart map) {
            // A heading above each of the two maps.
            return 28 + gridHeight(map.levels().size(), map.tokens());
        }
        return chart instanceof ScatterChart points && points.identityLine() ? 480 : 400;
    }

    private static int gridHeight(int labels, List<String> columns) {
        int rows = Math.max(1, labels);
        int cell = rows <= 8 ? 34 : rows <= 16 ? 28 : rows <= 32 ? 20 : Math.max(3, Math.min(14, 640 / rows));
        int longest = columns.stream().mapToInt(String::length).max().orElse(0);
        // Below 90 pixels the labels of the colour bar run into each other. Above there is a line for the name of the
        // values.
        return 62 + Math.max(90, rows * cell) + 16 + (int) (5.2 * Math.min(longest, 18));
    }

    private static void fill(JsonGenerator json, HeatMap map) throws IOException {
        json.writeStringField("kind", "heatmap");
        json.writeStringField("scale", map.scale().name().toLowerCase(Locale.ROOT));
        string(json, "valueName", map.valueName());
        if (!map.comparison().isEmpty()) {
            string(json, "group", map.comparison());
        }
        if (map.scale() == HeatMap.Scale.DIVERGING) {
            palette(json, "palette", Palette.DIVERGING);
            palette(json, "darkPalette", Palette.DIVERGING_DARK);
        } else {
            palette(json, "palette", Palette.SEQUENTIAL);
        }
        labels(json, "rows", map.rows());
        labels(json, "columns", map.columns());
        grid(json, "values", map.values());
    }

    private static void fill(JsonGenerator json, ResponseMapChart map) throws IOException {
        json.writeStringField("kind", "response");
        string(json, "valueName", map.valueName());
        palette(json, "palette", Palette.SEQUENTIAL);
        labels(json, "rows", map.levels());
        labels(json, "columns", map.tokens());
        json.writeNumberField("reachLevel", map.reachLevel());
        grid(json, "reach", map.reach());
        json.writeArrayFieldStart("sources");
        for (int source : map.sources()) {
            json.writeNumber(source);
        }
        json.writeEndArray();
        // Base64.
        json.writeBinaryField("pairs", map.pairs());
    }

    private static void fill(JsonGenerator json, LineChart lines) throws IOException {
        json.writeStringField("kind", "lines");
        string(json, "xName", lines.xName());
        string(json, "yName", lines.yName());
        json.writeBooleanField("logX", lines.logX());
        json.writeBooleanField("logY", lines.logY());
        json.writeArrayFieldStart("series");
        for (LineChart.Series s : lines.series()) {
            json.writeStartObject();
            string(json, "name", s.name());
            json.writeFieldName("x");
            numbers(json, s.x());
            json.writeFieldName("y");
            numbers(json, s.y());
            json.writeNumberField("partner", s.partner());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void fill(JsonGenerator json, ScatterChart points) throws IOException {
        json.writeStringField("kind", "scatter");
        string(json, "xName", points.xName());
        string(json, "yName", points.yName());
        json.writeBooleanField("identityLine", points.identityLine());
        json.writeFieldName("x");
        numbers(json, points.x());
        json.writeFieldName("y");
        numbers(json, points.y());
        labels(json, "labels", points.labels());
    }

    private static void fill(JsonGenerator json, AttentionChart chart) throws IOException {
        json.writeStringField("kind", "heads");
        palette(json, "palette", Palette.SEQUENTIAL);
        labels(json, "tokens", chart.tokens());
        json.writeNumberField("heads", chart.heads());
        json.writeArrayFieldStart("kept");
        for (int head : chart.kept()) {
            json.writeNumber(head);
        }
        json.writeEndArray();
        json.writeBinaryField("patterns", chart.patterns()); // Base64.
    }

    private static void fill(JsonGenerator json, TokenGrid grid) throws IOException {
        json.writeStringField("kind", "words");
        string(json, "valueName", grid.valueName());
        labels(json, "rows", grid.rows());
        labels(json, "columns", grid.columns());
        json.writeArrayFieldStart("words");
        for (List<TokenGrid.Cell> row : grid.cells()) {
            json.writeStartArray();
            for (TokenGrid.Cell cell : row) {
                json.writeString(TokenLabels.withoutControls(cell.text()));
            }
            json.writeEndArray();
        }
        json.writeEndArray();
        grid(
                json,
                "values",
                grid.cells().stream()
                        .map(row ->
                                row.stream().mapToDouble(TokenGrid.Cell::value).toArray())
                        .toArray(double[][]::new));
    }

    private static void palette(JsonGenerator json, String field, Palette palette) throws IOException {
        json.writeArrayFieldStart(field);
        for (String colour : palette.hex()) {
            json.writeString(colour);
        }
        json.writeEndArray();
    }

    private static void grid(JsonGenerator json, String field, double[][] values) throws IOException {
        json.writeArrayFieldStart(field);
        for (double[] row : values) {
            numbers(json, row);
        }
        json.writeEndArray();
    }

    private static void string(JsonGenerator json, String field, String text) throws IOException {
        json.writeStringField(field, TokenLabels.withoutControls(text));
    }

    private static void labels(JsonGenerator json, String field, List<String> labels) throws IOException {
        json.writeArrayFieldStart(field);
        for (String label : labels) {
            json.writeString(TokenLabels.withoutControls(label));
        }
        json.writeEndArray();
    }

    /** JSON has no NaN or infinities: null and strings stand for them. */
    private static void numbers(JsonGenerator json, double[] values) throws IOException {
        json.writeStartArray();
        for (double value : values) {
            if (Double.isNaN(value)) {
                json.writeNull();
            } else if (Double.isInfinite(value)) {
                json.writeString(value > 0 ? "Infinity" : "-Infinity");
            } else {
                json.writeNumber(value);
            }
        }
        json.writeEndArray();
    }
}

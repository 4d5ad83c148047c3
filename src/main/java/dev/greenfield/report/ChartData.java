package dev.greenfield.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/** The numbers and labels of a chart as the JSON that the page's script draws from. */
final class ChartData {

    // Pure ASCII, so that no line separator or half character can upset the page.
    private static final ObjectMapper MAPPER =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private ChartData() {}

    /** The chart as one JSON object that is safe inside a script element. */
    static String json(Chart chart) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("title", TokenLabels.withoutControls(chart.title()));
        if (chart instanceof HeatMap map) {
            fill(node, map);
        } else if (chart instanceof LineChart lines) {
            fill(node, lines);
        } else if (chart instanceof ScatterChart points) {
            fill(node, points);
        }
        try {
            // Outside of strings JSON has none of these characters, so the replacement changes no structure.
            return MAPPER.writeValueAsString(node)
                    .replace("<", "\\u003c")
                    .replace(">", "\\u003e")
                    .replace("&", "\\u0026");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write the data of chart \"" + chart.title() + "\"", e);
        }
    }

    /** Height of the drawing in pixels, fixed before any script runs so that the page does not jump. */
    static int height(Chart chart) {
        if (chart instanceof HeatMap map) {
            int rows = Math.max(1, map.rows().size());
            int cell = rows <= 8 ? 34 : rows <= 16 ? 28 : rows <= 32 ? 20 : Math.max(3, Math.min(14, 640 / rows));
            int longest = map.columns().stream().mapToInt(String::length).max().orElse(0);
            return 46 + rows * cell + 16 + (int) (5.2 * Math.min(longest, 18));
        }
        return chart instanceof ScatterChart points && points.identityLine() ? 480 : 400;
    }

    private static void fill(ObjectNode node, HeatMap map) {
        node.put("kind", "heatmap");
        node.put("scale", map.scale().name().toLowerCase(Locale.ROOT));
        node.put("valueName", TokenLabels.withoutControls(map.valueName()));
        Palette palette = map.scale() == HeatMap.Scale.DIVERGING ? Palette.DIVERGING : Palette.SEQUENTIAL;
        palette.hex().forEach(node.putArray("palette")::add);
        labels(node.putArray("rows"), map.rows());
        labels(node.putArray("columns"), map.columns());
        ArrayNode values = node.putArray("values");
        for (double[] row : map.values()) {
            numbers(values.addArray(), row);
        }
    }

    private static void fill(ObjectNode node, LineChart lines) {
        node.put("kind", "lines");
        node.put("xName", TokenLabels.withoutControls(lines.xName()));
        node.put("yName", TokenLabels.withoutControls(lines.yName()));
        node.put("logX", lines.logX());
        node.put("logY", lines.logY());
        ArrayNode series = node.putArray("series");
        for (LineChart.Series s : lines.series()) {
            ObjectNode one = series.addObject();
            one.put("name", TokenLabels.withoutControls(s.name()));
            numbers(one.putArray("x"), s.x());
            numbers(one.putArray("y"), s.y());
        }
    }

    private static void fill(ObjectNode node, ScatterChart points) {
        node.put("kind", "scatter");
        node.put("xName", TokenLabels.withoutControls(points.xName()));
        node.put("yName", TokenLabels.withoutControls(points.yName()));
        node.put("identityLine", points.identityLine());
        numbers(node.putArray("x"), points.x());
        numbers(node.putArray("y"), points.y());
        labels(node.putArray("labels"), points.labels());
    }

    private static void labels(ArrayNode out, List<String> labels) {
        labels.forEach(label -> out.add(TokenLabels.withoutControls(label)));
    }

    /** JSON has no NaN or infinities: null and strings stand for them. */
    private static void numbers(ArrayNode out, double[] values) {
        for (double value : values) {
            if (Double.isNaN(value)) {
                out.addNull();
            } else if (Double.isInfinite(value)) {
                out.add(value > 0 ? "Infinity" : "-Infinity");
            } else {
                out.add(value);
            }
        }
    }
}

package dev.greenfield.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A page of invented but plausible numbers that holds every kind of figure, for looking at in a browser: run
 * {@link #main} with the file to write. The tests check the same page.
 */
final class SampleReport {

    static final List<String> TOKENS = List.of(
            "When", " Mary", " and", " John", " went", " to", " the", " store", ",", " John", " gave", " a", " drink",
            "\n", " to");

    private SampleReport() {}

    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments.length > 0 ? arguments[0] : "target/report-sample.html");
        Files.writeString(file, page().html());
        for (boolean colour : new boolean[] {true, false}) {
            System.out.print(TerminalHeatMap.render(
                    "First-order effect on the logit difference",
                    depths(5),
                    TokenLabels.of(TOKENS),
                    signed(5, 15),
                    colour));
            System.out.println();
            System.out.print(TerminalHeatMap.render(
                    "Norm of the response", depths(5), TokenLabels.of(TOKENS), positive(5, 15), colour));
            System.out.println();
        }
        System.out.print(TerminalHeatMap.render("Wide", depths(3), numbers(130), signed(3, 130), true));
    }

    static ReportPage page() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Model", "demo (4 layers, width 128)");
        facts.put("Prompt", String.join("", TOKENS));
        facts.put("Observable", "logit( Mary) \u2212 logit( John) at position 14");
        facts.put("Backend", "reference, fp64");
        facts.put("Seed", "17");
        facts.put("Version", "0.1.0");
        List<String> tokens = TokenLabels.of(TOKENS);
        double[] predicted = new double[75];
        double[] measured = new double[75];
        List<String> sites = new ArrayList<>();
        Random random = new Random(3);
        double[][] effects = signed(5, 15);
        for (int i = 0; i < 75; i++) {
            predicted[i] = Double.isNaN(effects[i / 15][i % 15]) ? 0 : effects[i / 15][i % 15];
            measured[i] = predicted[i] * (1 + 0.05 * predicted[i]) + 0.05 * random.nextGaussian();
            sites.add("depth " + i / 15 + ", token " + tokens.get(i % 15));
        }
        measured[4] = Double.NaN;
        return new ReportPage("Where the answer comes from", "Sensitivity of a prompt's answer to its residual stream")
                .facts(facts)
                .section(
                        "First-order prediction",
                        "Each cell is the predicted change of the logit difference when the residual at that depth and"
                                + " token is replaced by the other prompt's.\n\nBlue lowers the answer, red raises it.")
                .chart(new HeatMap(
                        "Predicted effect of patching each site",
                        "Inner product of the sensitivity with the displacement. Depth grows upward.",
                        depths(5),
                        tokens,
                        effects,
                        HeatMap.Scale.DIVERGING,
                        "\u0394 logit difference"))
                .chart(new HeatMap(
                        "Response to a source at depth 1, token 3",
                        "Norm of the exact response; sites outside the light cone are blank.",
                        depths(5),
                        tokens,
                        cone(5, 15),
                        HeatMap.Scale.LOG,
                        "norm"))
                .chart(new HeatMap(
                        "Norm of the sensitivity field",
                        "",
                        depths(5),
                        tokens,
                        positive(5, 15),
                        HeatMap.Scale.SEQUENTIAL,
                        "|S|"))
                .section("How far first order carries", "")
                .chart(new ScatterChart(
                        "Predicted against measured effects",
                        "Every site of Figure 1, patched for real. The dashed line is equality.",
                        "predicted change",
                        "measured change",
                        predicted,
                        measured,
                        sites,
                        true))
                .chart(new LineChart(
                        "Energy captured by the leading directions",
                        "Fraction of the squared Frobenius norm left after rank k, for three pairs of depths.",
                        "rank k",
                        "energy left",
                        true,
                        true,
                        List.of(
                                series("depth 1 to 2", 0.35),
                                series("depth 1 to 4", 0.8),
                                series("depth 0 to 4", 1.2))))
                .table(
                        "The five largest effects",
                        List.of("site", "token", "predicted", "measured", "error"),
                        List.of(
                                List.of("(2, 1)", "\u00b7Mary", "2.914", "3.180", "8.4 %"),
                                List.of("(3, 9)", "\u00b7John", "-1.230", "-1.092", "12.6 %"),
                                List.of("(4, 14)", "\u00b7to", "0.871", "0.889", "2.0 %")))
                .section("Larger maps", "A larger model, and the degenerate cases.")
                .chart(new HeatMap(
                        "Forty-nine depths, sixty-four tokens",
                        "Cells shrink, labels thin out.",
                        depths(49),
                        numbers(64),
                        signed(49, 64),
                        HeatMap.Scale.DIVERGING,
                        "effect"))
                .chart(new HeatMap(
                        "One cell",
                        "",
                        List.of("only"),
                        List.of("<script>alert('x')</script>"),
                        new double[][] {{3.25}},
                        HeatMap.Scale.SEQUENTIAL,
                        "value"))
                .chart(new HeatMap(
                        "Not numbers",
                        "Zero, infinities and NaN.",
                        List.of("r"),
                        List.of("zero", "+inf", "-inf", "nan", "two"),
                        new double[][] {{0, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN, 2}},
                        HeatMap.Scale.DIVERGING,
                        "value"))
                .chart(new HeatMap(
                        "No cells", "", List.of(), List.of(), new double[0][], HeatMap.Scale.SEQUENTIAL, "value"))
                .chart(new LineChart(
                        "Training curve", "Linear axes, one curve.", "step", "loss", false, false, List.of(curve())))
                .chart(new ResponseMapChart(
                        "Response of every site to every site",
                        "Thirteen depths, thirty-four tokens.",
                        depths(13),
                        numbers(34),
                        responses(13, 34),
                        "|G|"));
    }

    static List<String> depths(int n) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            out.add("depth " + i);
        }
        return out;
    }

    static List<String> numbers(int n) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            out.add(i + " \u00b7" + TOKENS.get(i % 15).strip());
        }
        return out;
    }

    /** Effects as activation patching gives them: a few hot sites that move from the name to the last token. */
    static double[][] signed(int rows, int columns) {
        Random random = new Random(1);
        double[][] out = new double[rows][columns];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                double early = Math.exp(-Math.pow(c - 1, 2)) * (rows - r);
                double late = Math.exp(-Math.pow(c - columns + 1, 2)) * r * 0.7;
                out[r][c] = 0.6 * early - 0.8 * late + 0.12 * random.nextGaussian();
            }
        }
        out[0][0] = 0;
        return out;
    }

    static double[][] positive(int rows, int columns) {
        double[][] out = signed(rows, columns);
        for (double[] row : out) {
            for (int c = 0; c < row.length; c++) {
                row[c] = Math.abs(row[c]);
            }
        }
        return out;
    }

    /** A light cone: blank before the source in depth or token, spread over decades within. */
    static double[][] cone(int rows, int columns) {
        Random random = new Random(2);
        double[][] out = new double[rows][columns];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                boolean inside = r >= 1 && c >= 3;
                boolean reached = r > 1 || c == 3;
                out[r][c] = !inside
                        ? Double.NaN
                        : !reached ? 0 : Math.pow(10, -0.4 * (c - 3) + 0.3 * r + 0.3 * random.nextGaussian());
            }
        }
        return out;
    }

    /** Responses of every site to every site that fall off with the distance in tokens and grow with depth; causal. */
    static double[] responses(int levels, int tokens) {
        Random random = new Random(4);
        double[] out = new double[levels * tokens * levels * tokens];
        int i = 0;
        for (int source = 0; source < levels * tokens; source++) {
            for (int l = 0; l < levels; l++) {
                for (int t = 0; t < tokens; t++, i++) {
                    int up = l - source / tokens;
                    int on = t - source % tokens;
                    boolean reached = (up > 0 && on >= 0) || (up == 0 && on == 0);
                    out[i] = reached ? 10 * Math.pow(0.8, on) * (1 + 0.3 * up) * (1 + 0.2 * random.nextDouble()) : 0;
                }
            }
        }
        return out;
    }

    private static LineChart.Series series(String name, double decay) {
        double[] x = new double[64];
        double[] y = new double[64];
        for (int k = 0; k < 64; k++) {
            x[k] = k + 1;
            y[k] = Math.pow(k + 1, -decay) * Math.exp(-k / 40.0);
        }
        return new LineChart.Series(name, x, y);
    }

    private static LineChart.Series curve() {
        double[] x = new double[200];
        double[] y = new double[200];
        for (int k = 0; k < 200; k++) {
            x[k] = 50 * k;
            y[k] = 2 + 5 * Math.exp(-k / 30.0) + 0.03 * Math.sin(k);
        }
        return new LineChart.Series("loss", x, y);
    }
}

package dev.greenfield.report;

/**
 * A figure of a {@link ReportPage}. A chart holds plain numbers and labels; how it is drawn is the page's business.
 * Labels may hold any text: they are escaped, and control characters are made visible, when the page is written.
 */
public sealed interface Chart permits AttentionChart, HeatMap, LineChart, ResponseMapChart, ScatterChart, TokenGrid {

    /** The heading above the figure. */
    String title();

    /** What the figure shows, in a sentence or two; printed below it after its number. If empty, the title
     * stands there. */
    String caption();
}

package dev.greenfield.report;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Colours of values. Sequential: viridis (van der Walt and Smith, CC0), of even perceived steps and monotone lightness.
 * Diverging: the RdBu scheme of ColorBrewer (Brewer, Harrower), reversed so that blue is negative, and for a dark page
 * the same hues with the lightness turned round, dark in the middle. All survive the common colour-vision deficiencies. The
 * page and the terminal share these stops.
 */
enum Palette {
    SEQUENTIAL(0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6ece58, 0xb5de2b, 0xfde725),
    DIVERGING(
            0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b,
            0x67001f),
    DIVERGING_DARK(
            0xb7dcff, 0x7fbcf0, 0x4a97d6, 0x2f6ea6, 0x2c4a68, 0x343a42, 0x6b3a34, 0xa34a3d, 0xd9674f, 0xf39a80,
            0xffd0bf);

    @SuppressWarnings("ImmutableEnumChecker") // never written nor handed out
    private final int[] stops;

    Palette(int... stops) {
        this.stops = stops;
    }

    /** The stops, evenly spaced from the low to the high end, as {@code #rrggbb}. */
    List<String> hex() {
        return Arrays.stream(stops)
                .mapToObj(rgb -> String.format(Locale.ROOT, "#%06x", rgb))
                .toList();
    }

    /** The colour at {@code fraction} of the way from the low end (0) to the high end (1), as 0xrrggbb. */
    int at(double fraction) {
        double position = Math.min(1, Math.max(0, fraction)) * (stops.length - 1);
        int lower = (int) Math.min(position, stops.length - 2);
        double t = position - lower;
        int rgb = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int a = stops[lower] >> shift & 0xff;
            int b = stops[lower + 1] >> shift & 0xff;
            rgb |= (int) Math.round(a + t * (b - a)) << shift;
        }
        return rgb;
    }

    /** The nearest of the 6 x 6 x 6 colours that every terminal with 256 colours has in common. */
    static int nearest256(int rgb) {
        int index = 16;
        for (int shift = 16, weight = 36; shift >= 0; shift -= 8, weight /= 6) {
            int level = rgb >> shift & 0xff;
            // The cube's levels are 0, 95, 135, 175, 215, 255.
            int step = level < 48 ? 0 : level < 115 ? 1 : (level - 35) / 40;
            index += weight * step;
        }
        return index;
    }

    /** Whether black text reads better than white on the colour (relative luminance of WCAG, approximated). */
    static boolean isLight(int rgb) {
        return 0.299 * (rgb >> 16 & 0xff) + 0.587 * (rgb >> 8 & 0xff) + 0.114 * (rgb & 0xff) > 140;
    }
}

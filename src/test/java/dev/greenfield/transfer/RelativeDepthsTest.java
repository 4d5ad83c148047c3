package dev.greenfield.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Field;
import dev.greenfield.lattice.Site;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Depths of models of other sizes: whole ones are taken as they are, others interpolated. */
class RelativeDepthsTest {
    @Test
    void multiplesAreTakenToTheBit() {
        RelativeDepths depths = new RelativeDepths(2, 6);
        assertThat(depths.steps()).isEqualTo(2);
        double[][] large = new double[7][2];
        for (int l = 0; l <= 6; l++) {
            large[l][0] = Math.sin(l);
            large[l][1] = Math.cos(l);
        }
        assertThat(depths.onGrid(large)).isDeepEqualTo(new double[][] {large[0], large[3], large[6]});
        double[][] small = {{1, 2}, {3, 4}, {5, 6}};
        assertThat(depths.onGrid(small)).isDeepEqualTo(small);
        assertThat(new int[] {depths.depthInB(0), depths.depthInB(1), depths.depthInB(2)})
                .containsExactly(0, 3, 6);
        assertThat(depths.inB(Site.of(1, 4))).isEqualTo(Site.of(3, 4));
        assertThat(new RelativeDepths(6, 2).inB(Site.of(4, 1))).isEqualTo(Site.of(1, 1));
    }

    @Test
    void whatIsLinearInDepthStaysSo() {
        RelativeDepths depths = new RelativeDepths(3, 5);
        double[][] large = new double[6][1];
        for (int l = 0; l <= 5; l++) {
            large[l][0] = l / 5.0;
        }
        double[][] grid = depths.onGrid(large);
        for (int g = 0; g <= 3; g++) {
            assertThat(grid[g][0]).isCloseTo(g / 3.0, within(1e-15));
        }
        // A map that is linear in the source's depth, in the target's and in their product.
        double[] map = new double[36];
        for (int l = 0; l < 6; l++) {
            for (int m = 0; m < 6; m++) {
                map[l * 6 + m] = (1 + l / 5.0) * (2 - m / 5.0);
            }
        }
        double[] onGrid = depths.onGrid(map, 5, 1);
        for (int l = 0; l < 4; l++) {
            for (int m = 0; m < 4; m++) {
                assertThat(onGrid[l * 4 + m]).isCloseTo((1 + l / 3.0) * (2 - m / 3.0), within(1e-14));
            }
        }
        // Depth 2 of 5 is depth 1.2 of 3.
        double[] values = {0, 10, 100, 1000};
        Field a = Field.wrap(4, 1, 1, values);
        assertThat(depths.ofA(a, 2, 0)[0]).isCloseTo(0.8 * 10 + 0.2 * 100, within(1e-12));
        assertThat(depths.ofA(a, 5, 0)).containsExactly(1000);
    }

    @Test
    void noTargetBelowItsSourceIsUsed() {
        // 7 layers on a grid of 5: NaN wherever the target's depth is below the source's.
        RelativeDepths depths = new RelativeDepths(5, 7);
        double[] map = new double[64];
        Arrays.fill(map, Double.NaN);
        for (int l = 0; l < 8; l++) {
            for (int m = l; m < 8; m++) {
                map[l * 8 + m] = 1;
            }
        }
        double[] grid = depths.onGrid(map, 7, 1);
        for (int l = 0; l < 6; l++) {
            for (int m = l + 1; m < 6; m++) {
                assertThat(grid[l * 6 + m]).isCloseTo(1, within(1e-15));
            }
        }
    }

    @Test
    void modelsWithoutLayersAreRefused() {
        assertThatThrownBy(() -> new RelativeDepths(0, 3))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("0 and 3 layers");
    }
}

package dev.greenfield.lattice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class HalfDepthTest {
    private static String levels(boolean halfDepths) {
        return HalfDepth.levels(2, halfDepths).stream().map(HalfDepth::toString).collect(Collectors.joining(" "));
    }

    @Test
    void levelsFollowEachOtherByHalfBlocks() {
        assertThat(levels(true)).isEqualTo("0 0.5 1 1.5 2");
        assertThat(levels(false)).isEqualTo("0 1 2");
        HalfDepth middle = HalfDepth.ofDepth(1).above();
        assertThat(middle).isEqualTo(HalfDepth.middleOf(1));
        assertThat(middle.isMiddle()).isTrue();
        assertThat(middle.block()).isEqualTo(1);
        assertThat(middle.above()).isEqualTo(HalfDepth.ofDepth(2));
        assertThat(middle.below()).isEqualTo(HalfDepth.ofDepth(1));
        assertThat(middle.isAbove(HalfDepth.ofDepth(1))).isTrue();
        assertThat(middle.isBelow(HalfDepth.ofDepth(2))).isTrue();
        assertThat(middle.isBelow(middle)).isFalse();
        assertThat(middle.stepsTo(HalfDepth.ofDepth(0))).isEqualTo(3);
    }

    @Test
    void aSiteIsATokenAtALevel() {
        for (HalfDepth level : HalfDepth.levels(3, true)) {
            assertThat(Site.at(level, 5).halfDepth()).isEqualTo(level);
            assertThat(Site.at(level, 5)).hasToString("(depth " + level + ", token 5)");
        }
    }

    @Test
    void nothingLiesBelowTheEmbeddings() {
        assertThatThrownBy(() -> HalfDepth.ofDepth(0).below())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected 0 or more");
    }
}

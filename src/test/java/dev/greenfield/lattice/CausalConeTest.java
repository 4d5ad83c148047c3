package dev.greenfield.lattice;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Who reaches whom, against walks through the lattice one half block at a time. */
class CausalConeTest {
    private static final int LAYERS = 3;
    private static final int TOKENS = 4;

    private static List<Site> sites() {
        List<Site> sites = new ArrayList<>();
        for (int h = 0; h <= 2 * LAYERS; h++) {
            for (int t = 0; t < TOKENS; t++) {
                sites.add(new Site(h / 2, h % 2 == 1, t));
            }
        }
        return sites;
    }

    /** All sites that numbers get to from one: up at its token, and through attention to later tokens as well. */
    private static Set<Site> reachedFrom(Site source) {
        Set<Site> reached = new HashSet<>(Set.of(source));
        Set<Site> level = reached;
        Site at = source;
        while (at.depth() < LAYERS) {
            boolean attention = !at.middle();
            at = attention ? Site.mid(at.depth(), 0) : Site.of(at.depth() + 1, 0);
            Set<Site> next = new HashSet<>();
            for (Site below : level) {
                for (int t = below.token(); t < (attention ? TOKENS : below.token() + 1); t++) {
                    next.add(new Site(at.depth(), at.middle(), t));
                }
            }
            reached.addAll(next);
            level = next;
        }
        return reached;
    }

    @Test
    void whatAWalkGetsToIsReached() {
        for (Site source : sites()) {
            Set<Site> expected = reachedFrom(source);
            for (Site target : sites()) {
                assertThat(Causality.reaches(source, target))
                        .as(source + " to " + target)
                        .isEqualTo(expected.contains(target));
            }
        }
    }

    @Test
    void theLastAttentionIsTheOneAfterWhichTokensStayApart() {
        HalfDepth three = HalfDepth.ofDepth(3);
        assertThat(Causality.lastAttentionBelow(HalfDepth.ofDepth(0))).isEqualTo(HalfDepth.ofDepth(0));
        assertThat(Causality.lastAttentionBelow(HalfDepth.middleOf(0))).isEqualTo(HalfDepth.ofDepth(0));
        assertThat(Causality.lastAttentionBelow(three)).isEqualTo(HalfDepth.ofDepth(2));
        assertThat(Causality.lastAttentionBelow(three.above())).isEqualTo(three);
        assertThat(Causality.attentionBetween(HalfDepth.ofDepth(2), three)).isTrue();
        assertThat(Causality.attentionBetween(HalfDepth.middleOf(2), three)).isFalse();
        assertThat(Causality.attentionBetween(three, three)).isFalse();
    }
}

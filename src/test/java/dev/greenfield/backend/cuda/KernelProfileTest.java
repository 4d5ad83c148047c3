package dev.greenfield.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.greenfield.backend.AttentionPrimal;
import dev.greenfield.backend.AttentionShape;
import dev.greenfield.backend.Backends;
import dev.greenfield.backend.Buffer;
import dev.greenfield.backend.CudaCases;
import dev.greenfield.backend.HeadLayout;
import dev.greenfield.backend.Matrix;
import dev.greenfield.backend.RaggedRows;
import dev.greenfield.backend.cuda.ChildJvm.Finished;
import dev.greenfield.model.Activation;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a profile counts, and that it is printed. How long things take is not looked at: that depends on the machine. */
class KernelProfileTest {
    private CudaBackend backend;
    private KernelProfile profile;

    @BeforeEach
    void open() {
        assumeTrue(Backends.onCuda(), "not the run on cuda");
        backend = (CudaBackend) Backends.CUDA.open();
        profile = new KernelProfile(backend.internals().stream());
        backend.profile(profile);
    }

    @AfterEach
    void close() {
        if (backend != null) {
            backend.profile(null);
            profile.close();
            backend.close();
        }
    }

    private static double total(String text) {
        return Double.parseDouble(text);
    }

    @Test
    void countsLaunchesBytesAndFlops() {
        try (Buffer a = backend.allocate("a", 100 * 64);
                Buffer b = backend.allocate("b", 64 * 48);
                Buffer c = backend.allocate("c", 100 * 48)) {
            Matrix left = Matrix.of(a, 100, 64);
            Matrix right = Matrix.of(b, 64, 48);
            Matrix product = Matrix.of(c, 100, 48);
            for (int i = 0; i < 3; i++) {
                backend.addBias(left, b);
            }
            backend.multiply(1, left, false, right, false, 0, product);
            backend.multiply(1, product, false, right, true, 0, left);
        }
        Map<String, KernelProfile.Total> totals = profile.totals();
        assertThat(totals)
                .containsOnlyKeys(
                        "add_bias", "product NN, 64 x 48, rows up to 128", "product TN, 48 x 64, rows up to 128");
        KernelProfile.Total bias = totals.get("add_bias");
        assertThat(bias.launches()).isEqualTo(3);
        assertThat(bias.bytes()).isEqualTo(3 * 2 * 4.0 * 100 * 64);
        assertThat(bias.flops()).isZero();
        assertThat(bias.seconds()).isPositive();
        KernelProfile.Total first = totals.get("product NN, 64 x 48, rows up to 128");
        assertThat(first.launches()).isEqualTo(1);
        assertThat(first.flops()).isEqualTo(2.0 * 100 * 64 * 48);
        assertThat(first.bytes()).isEqualTo(4.0 * (100 * 64 + 64 * 48 + 100 * 48));
    }

    @Test
    void theSharesOfTheTableSumToOne() {
        try (Buffer a = backend.allocate("a", 100 * 64)) {
            Matrix x = Matrix.of(a, 100, 64);
            backend.layerNorm(x, 1e-5, x, null);
            backend.addBias(x, a);
        }
        List<String> lines = profile.lines();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(3)).matches("sum +2 +\\d+\\.\\d{3}, queued by the host in \\d+\\.\\d{3} ms");
        double share = 0;
        double milliseconds = 0;
        Pattern row = Pattern.compile("(layer_norm|add_bias) +1 +(\\S+) +\\S+ +\\S+ +(\\S+)% +\\S+");
        for (String line : lines.subList(1, 3)) {
            Matcher fields = row.matcher(line);
            assertThat(fields.matches()).as(line).isTrue();
            milliseconds += total(fields.group(2));
            share += total(fields.group(3));
        }
        assertThat(share).isCloseTo(100, within(0.11));
        assertThat(milliseconds)
                .isCloseTo(total(lines.get(3).replaceAll("^sum +2 +([0-9.]+),.*", "$1")), within(0.002));
    }

    /** Two columns, born at tokens 0 and 2 of 4: 10 and 3 pairs of a query and a key. */
    @Test
    void attentionCountsThePairsThatCausalityLeaves() {
        RaggedRows rows = RaggedRows.of(4, new int[] {0, 2}, new int[] {3, 3});
        AttentionShape shape = new AttentionShape(2, 8, 0.5);
        try (Buffer qkv = backend.allocate("qkv", 4 * 48);
                Buffer dqkv = backend.allocate("dqkv", (long) rows.rows() * 48);
                Buffer out = backend.allocate("out", (long) rows.rows() * 16);
                Buffer sums = backend.allocate("sums", 8)) {
            backend.upload(new double[4 * 48], 0, qkv, 0, 4 * 48);
            backend.upload(new double[rows.rows() * 48], 0, dqkv, 0, rows.rows() * 48);
            Matrix primal = Matrix.of(qkv, 4, 48);
            backend.attention(shape, primal, RaggedRows.sequence(4), null, 0, Matrix.of(out, 4, 16), sums);
            AttentionPrimal forward = new AttentionPrimal(shape, primal, sums);
            backend.attentionTangent(
                    forward, Matrix.of(dqkv, rows.rows(), 48), rows, 0, Matrix.of(out, rows.rows(), 16));
        }
        Map<String, KernelProfile.Total> totals = profile.totals();
        assertThat(totals.get("attention_fp32_64").flops()).isEqualTo(2.0 * 2 * 16 * 10);
        assertThat(totals.get("attention_tangent_fp32_64").flops()).isEqualTo(2.0 * 4 * 16 * (10 + 3));
        assertThat(totals.get("attention_tangent_fp32_64").bytes()).isEqualTo(4.0 * 4 * 16 * rows.rows());
    }

    /** Four queries see 1, 2, 2 and 2 keys. */
    @Test
    void attentionCountsThePairsThatAWindowLeaves() {
        AttentionShape shape = new AttentionShape(2, 8, 0.5, 2, 0);
        try (Buffer qkv = backend.allocate("qkv", 4 * 48);
                Buffer out = backend.allocate("out", 4 * 16)) {
            backend.upload(new double[4 * 48], 0, qkv, 0, 4 * 48);
            Matrix primal = Matrix.of(qkv, 4, 48);
            backend.attention(shape, primal, RaggedRows.sequence(4), null, 0, Matrix.of(out, 4, 16), null);
        }
        assertThat(profile.totals().get("attention_fp32_64").flops()).isEqualTo(2.0 * 2 * 16 * 7);
    }

    @Test
    void countsBytesOfWhatLaterBlocksNeed() {
        RaggedRows rows = RaggedRows.sequence(5);
        HeadLayout layout = new HeadLayout(4, 2, 6, null, null);
        try (Buffer x = backend.allocate("x", 5 * 72);
                Buffer y = backend.allocate("y", 5 * 72)) {
            Matrix projected = Matrix.of(x, 5, 48);
            Matrix spread = Matrix.of(y, 5, 72);
            backend.blocks().spreadHeads(layout, projected, rows, spread);
            backend.blocks().gatherHeads(layout, spread, rows, projected);
            backend.blocks().rmsNorm(projected, 8, 1e-5, projected, null);
            backend.blocks().gate(Activation.SILU, projected, y, null);
        }
        Map<String, KernelProfile.Total> totals = profile.totals();
        assertThat(totals.get("spread_heads").bytes()).isEqualTo(4.0 * 5 * (48 + 72));
        assertThat(totals.get("gather_heads").bytes()).isEqualTo(4.0 * 5 * (48 + 72));
        assertThat(totals.get("rms_norm").bytes()).isEqualTo(2 * 4.0 * 5 * 48);
        assertThat(totals.get("gate").bytes()).isEqualTo(3 * 4.0 * 5 * 24);
    }

    @Test
    void moreLaunchesThanEventsAreAllCounted() {
        try (Buffer a = backend.allocate("a", 4)) {
            Matrix x = Matrix.of(a, 1, 4);
            for (int i = 0; i < 9000; i++) {
                backend.addBias(x, a);
            }
        }
        assertThat(profile.totals().get("add_bias").launches()).isEqualTo(9000);
    }

    @Test
    void theTwoKernelsOfAnAdjointAreSeenApart() {
        AttentionShape shape = new AttentionShape(1, 8, 0.5);
        RaggedRows rows = RaggedRows.sequence(3);
        try (Buffer qkv = backend.allocate("qkv", 3 * 24);
                Buffer dqkv = backend.allocate("dqkv", 3 * 24);
                Buffer out = backend.allocate("out", 3 * 8);
                Buffer sums = backend.allocate("sums", 3)) {
            Matrix primal = Matrix.of(qkv, 3, 24);
            backend.upload(new double[3 * 24], 0, qkv, 0, 3 * 24);
            backend.attention(shape, primal, rows, null, 0, Matrix.of(out, 3, 8), sums);
            AttentionPrimal forward = new AttentionPrimal(shape, primal, sums);
            Map<String, Double> seconds = KernelTimes.ofALaunch(
                    backend,
                    2,
                    () -> backend.attentionAdjoint(forward, Matrix.of(out, 3, 8), rows, 0, Matrix.of(dqkv, 3, 24)));
            assertThat(seconds).containsOnlyKeys("attention_adjoint_queries_fp32_64", "attention_adjoint_keys_fp32_64");
            assertThat(seconds.values()).allSatisfy(s -> assertThat(s).isPositive());
        }
        assertThat(profile.totals()).as("the profile from before").doesNotContainKey("attention_adjoint_keys_fp32_64");
    }

    @Test
    void thePropertyPrintsTheTableAtTheEnd() throws IOException, InterruptedException {
        Finished run = ChildJvm.run(
                Map.of(), List.of("-D" + KernelProfile.PROPERTY + "=true"), CudaCases.class.getName(), "addBias");
        assertThat(run.exit()).as(run.err()).isZero();
        assertThat(run.err()).contains("profile of ", ", fp32", "kernel or product", "add_bias ", "\nsum ");
        Finished without = ChildJvm.run(Map.of(), List.of(), CudaCases.class.getName(), "addBias");
        assertThat(without.err()).doesNotContain("profile of");
    }
}

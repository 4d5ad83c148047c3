package dev.greenfield.prediction;

import dev.greenfield.failure.InputException;
import dev.greenfield.lattice.Site;
import dev.greenfield.model.ModelConfig;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * What an intervention changes: the stream itself, or what a part of a block writes to it. With R[l+1/2] the stream between
 * attention and MLP, a changed output of block l's attention or of one of its heads is a source at l + 1/2, one of its MLP a source
 * at l + 1. Where both read what enters the block, all are sources at l + 1.
 *
 * <p>Some families normalize what attention adds. A replaced output of a head then means what the stream receives of it:
 * the difference that it makes after that norm, with the outputs of the other heads as they are.
 */
public enum Component {
    /** The stream at whole depths, R[l], l = 0 to L: L + 1 rows. */
    RESIDUAL("resid"),
    /** What the attention of block l adds, R[l+1/2] - R[l]: L rows. */
    ATTENTION("attn"),
    /** What the MLP of block l adds, R[l+1] - R[l+1/2]: L rows. */
    MLP("mlp"),
    /** What head h of block l adds, z_h W_O^h, before a norm that may follow: L H rows, row l H + h. The output bias is no head's. */
    HEAD("head");

    private final String label;

    Component(String label) {
        this.label = label;
    }

    /** {@code resid}, {@code attn}, {@code mlp} or {@code head}. */
    public String label() {
        return label;
    }

    /**
     * The component of a label.
     *
     * @throws InputException if there is none
     */
    public static Component of(String label) {
        return Arrays.stream(values())
                .filter(c -> c.label.equals(label))
                .findFirst()
                .orElseThrow(() -> new InputException("found component '" + label + "', expected one of "
                        + Arrays.stream(values()).map(Component::label).collect(Collectors.joining(", "))));
    }

    /** How many outputs of this kind a model has at each token. */
    public int rows(ModelConfig config) {
        return switch (this) {
            case RESIDUAL -> config.layers() + 1;
            case ATTENTION, MLP -> config.layers();
            case HEAD -> config.layers() * config.heads();
        };
    }

    /** Where a change of a row's output enters the stream. */
    public Site site(ModelConfig config, int row, int token) {
        return switch (this) {
            case RESIDUAL -> Site.of(row, token);
            case ATTENTION -> afterAttention(config, row, token);
            case MLP -> Site.of(row + 1, token);
            case HEAD -> afterAttention(config, row / config.heads(), token);
        };
    }

    private static Site afterAttention(ModelConfig config, int block, int token) {
        return config.architecture().stream().parallel() ? Site.of(block + 1, token) : Site.mid(block, token);
    }

    /** A row's name for people, such as {@code depth 2}, {@code block 1} or {@code head 1.3} (of block 1). */
    public String rowName(ModelConfig config, int row) {
        return switch (this) {
            case RESIDUAL -> "depth " + row;
            case ATTENTION, MLP -> "block " + row;
            case HEAD -> "head " + row / config.heads() + "." + row % config.heads();
        };
    }
}

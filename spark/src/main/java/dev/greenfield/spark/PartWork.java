package dev.greenfield.spark;

import dev.greenfield.Model;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * What is done with the prompts of a part: a file is made of them, and rows are read from the file. Rows are never made of anything else,
 * so that they say the same whichever attempt made the file.
 */
interface PartWork extends Serializable {
    /** Of what kind the files are: {@code map}. */
    String name();

    /** All that the numbers depend on besides weights and prompts, in words. */
    String settings();

    /** What a file's name ends in. */
    String suffix();

    /** The columns of the rows. */
    StructType schema();

    /**
     * Computes and writes. The file gets its name when it is whole; one that is there is replaced.
     *
     * @param digest that tells the file from one of other prompts, weights or settings
     */
    void write(Path file, String digest, Model model, List<Prompt> prompts) throws IOException;

    /** The rows of a file; empty where it is missing, damaged, or has another digest. */
    Optional<List<Row>> read(Path file, String digest, List<Prompt> prompts) throws IOException;
}

package dev.greenfield.model;

import java.util.Locale;

/**
 * Libraries that the published artifact declares as optional: a program that does without what they are for does without
 * them, and one that does not is told which coordinates to add. The self-contained jar has them all.
 */
public enum OptionalLibrary {
    /** JCuda, JCublas, their native halves and the loader of these: the cuda backend. */
    CUDA("jcuda.jcublas.JCublas2"),
    /** Hugging Face's tokenizers: any {@code tokenizer.json} that is no plain list of words. */
    TOKENIZERS("ai.djl.huggingface.tokenizers.jni.TokenizersLibrary"),
    /** The parser of options: the command line. */
    PICOCLI("picocli.CommandLine");

    private final String type;

    OptionalLibrary(String type) {
        this.type = type;
    }

    /** Whether its classes can be loaded. */
    public boolean present() {
        try {
            Class.forName(type, false, OptionalLibrary.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError absent) {
            return false;
        }
    }

    /** What to add, such as {@code info.picocli:picocli:4.7.7}: the version that this build was tested with. */
    public String coordinates() {
        return Version.property(name().toLowerCase(Locale.ROOT));
    }

    /** One clause for the end of a message. */
    public String remedy() {
        return "add " + coordinates() + " to the dependencies";
    }

    /**
     * OpenBLAS's two native artifacts for a platform; without them the cpu backend multiplies in plain Java.
     *
     * @param platform Bytedeco's name of it, such as {@code linux-x86_64}: the classifier of both
     */
    public static String openBlas(String platform) {
        return Version.property("openblas").replace("PLATFORM", platform);
    }
}

package dev.greenfield.backend.cuda;

import dev.greenfield.failure.BackendException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.text.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/**
 * The compiled kernels that the jar carries, and what is known of how they were built.
 *
 * @param code the fatbin
 * @param sha256 of the fatbin, verified
 * @param compiler the compiler and its version
 * @param architectures the GPUs that there is code for
 */
record KernelImage(byte[] code, String sha256, String compiler, String architectures) {
    private static final String CODE = "kernels.fatbin";
    private static final String FACTS = "kernels.properties";

    /** Whether this jar was built with kernels. */
    static boolean inJar() {
        return KernelImage.class.getResource(CODE) != null;
    }

    /** Reads and verifies the image. */
    static KernelImage read() {
        try (InputStream code = KernelImage.class.getResourceAsStream(CODE);
                InputStream facts = KernelImage.class.getResourceAsStream(FACTS)) {
            if (code == null || facts == null) {
                throw new BackendException(
                        "this jar has no CUDA kernels: build it where nvcc is, or " + Remedy.USE_CPU);
            }
            byte[] bytes = code.readAllBytes();
            Properties properties = new Properties();
            properties.load(facts);
            String found = Digest.sha256(bytes);
            String expected = properties.getProperty("fatbin.sha256");
            if (!found.equals(expected)) {
                throw new BackendException("the CUDA kernels in the jar are damaged: sha256 " + found + ", expected "
                        + expected + "; get the jar again");
            }
            return new KernelImage(
                    bytes, found, properties.getProperty("compiler"), properties.getProperty("architectures"));
        } catch (IOException e) {
            throw new BackendException("could not read the CUDA kernels from the jar: " + e.getMessage(), e);
        }
    }
}

package dev.greenfield.backend.cpu;

import dev.greenfield.model.OptionalLibrary;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Matrix products by OpenBLAS. Its own threads are switched off: they spin between calls and would compete with the threads
 * that run everything else.
 */
final class OpenBlasGemm implements Gemm {
    private static final int ROW_MAJOR = openblas_nolapack.CblasRowMajor;

    /** Those that the library is published and tested for, by Bytedeco's names. */
    private static final List<String> PLATFORMS =
            List.of("linux-x86_64", "linux-arm64", "macosx-arm64", "macosx-x86_64", "windows-x86_64");

    private OpenBlasGemm() {}

    /**
     * Loads the library.
     *
     * @throws LinkageError when it is not there for this platform or cannot be loaded
     */
    static OpenBlasGemm load() {
        // Memory is bounded by our own budget, whose message names what to do; javacpp's limit guesses from the Java
        // heap.
        setDefault("org.bytedeco.javacpp.maxphysicalbytes", "0");
        setDefault("org.bytedeco.javacpp.maxbytes", "0");
        openblas_nolapack.blas_set_num_threads(1);
        return new OpenBlasGemm();
    }

    /** The coordinates of the native libraries for this platform; null where they are here, or there are none for it. */
    static String missingArtifacts() {
        String platform;
        try {
            platform = Loader.getPlatform();
        } catch (LinkageError noClasses) {
            return null; // left out on purpose, and the failure names them
        }
        String library = "org/bytedeco/openblas/" + platform + "/" + System.mapLibraryName("jniopenblas_nolapack");
        boolean here = OpenBlasGemm.class.getClassLoader().getResource(library) != null;
        return here || !PLATFORMS.contains(platform) ? null : OptionalLibrary.openBlas(platform);
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    @Override
    public String description() {
        return "OpenBLAS";
    }

    @Override
    public CpuMemory memory() {
        return new NativeMemory();
    }

    @Override
    public void multiply(float alpha, View a, View b, float beta, View c) {
        openblas_nolapack.cblas_sgemm(
                ROW_MAJOR,
                transposition(a),
                transposition(b),
                c.rows(),
                c.columns(),
                a.breadth(),
                alpha,
                pointer(a),
                a.stride(),
                pointer(b),
                b.stride(),
                beta,
                pointer(c),
                c.stride());
    }

    private static int transposition(View view) {
        return view.transposed() ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans;
    }

    private static FloatPointer pointer(View view) {
        return ((NativeMemory.NativeBlock) view.block()).at(view.offset());
    }
}

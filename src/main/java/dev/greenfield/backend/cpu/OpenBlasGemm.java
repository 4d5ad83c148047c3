package dev.greenfield.backend.cpu;

import dev.greenfield.model.OptionalLibrary;
import dev.greenfield.natives.ExtractionException;
import dev.greenfield.natives.NativeFolder;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
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

    private static final String BINDING = "jniopenblas_nolapack";
    private static final String LOAD = "org.bytedeco.javacpp.loadLibraries";

    private static final ThreadLocal<Operands> OPERANDS = ThreadLocal.withInitial(Operands::new);

    private static boolean loaded;

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
        loadNatives();
        openblas_nolapack.blas_set_num_threads(1);
        return new OpenBlasGemm();
    }

    /**
     * Loads what javacpp would load, from a folder of our own: javacpp unpacks to a folder that it does not check, and to the shared
     * temporary directory where that cannot be written. It is kept from loading while its classes are initialized.
     */
    private static synchronized void loadNatives() {
        if (loaded) {
            return;
        }
        String before = System.getProperty(LOAD);
        try {
            String platform = Loader.getPlatform();
            ClassLoader loader = OpenBlasGemm.class.getClassLoader();
            List<Path> libraries = new ArrayList<>();
            libraries.addAll(NativeFolder.unpack(
                    loader,
                    "org/bytedeco/javacpp/" + platform + "/",
                    System.mapLibraryName("jnijavacpp"),
                    "(?!.*javacpp).*",
                    name -> name));
            // Of three bindings one is used; the full one and that of LAPACK stay in the jar.
            libraries.addAll(NativeFolder.unpack(
                    loader,
                    "org/bytedeco/openblas/" + platform + "/",
                    System.mapLibraryName(BINDING),
                    "(lib)?jniopenblas(_full)?\\..*",
                    // The binding asks for the library under a name of its own.
                    name -> name.replaceFirst("^(lib)?openblas\\.", "$1openblas_nolapack.")));
            // What a library needs lies beside it. Those two are asked for by name, the rest come with them.
            NativeFolder.load(libraries.stream()
                    .filter(file -> file.getFileName().toString().matches("(lib)?(jni.*|openblas).*"))
                    .toList());
            System.setProperty(LOAD, "false");
            Class.forName(openblas_nolapack.class.getName(), true, loader);
            Class.forName(FloatPointer.class.getName(), true, loader);
            loaded = true;
        } catch (ExtractionException refused) {
            throw (LinkageError) new UnsatisfiedLinkError(refused.getMessage()).initCause(refused);
        } catch (ClassNotFoundException absent) {
            throw new NoClassDefFoundError(absent.getMessage());
        } finally {
            if (before == null) {
                System.clearProperty(LOAD);
            } else {
                System.setProperty(LOAD, before);
            }
        }
    }

    /** The coordinates of the native libraries for this platform; null where they are here, or there are none for it. */
    static String missingArtifacts() {
        String platform;
        try {
            platform = Loader.getPlatform();
        } catch (LinkageError noClasses) {
            return null; // left out on purpose, and the failure names them
        }
        String library = "org/bytedeco/openblas/" + platform + "/" + System.mapLibraryName(BINDING);
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
        Operands mine = OPERANDS.get();
        try {
            openblas_nolapack.cblas_sgemm(
                    ROW_MAJOR,
                    transposition(a),
                    transposition(b),
                    c.rows(),
                    c.columns(),
                    a.breadth(),
                    alpha,
                    mine.a.at(a),
                    a.stride(),
                    mine.b.at(b),
                    b.stride(),
                    beta,
                    mine.c.at(c),
                    c.stride());
        } finally {
            // The pointers are only numbers: whoever lets go of a block meanwhile must not have it freed.
            Reference.reachabilityFence(a);
            Reference.reachabilityFence(b);
            Reference.reachabilityFence(c);
        }
    }

    private static int transposition(View view) {
        return view.transposed() ? openblas_nolapack.CblasTrans : openblas_nolapack.CblasNoTrans;
    }

    /** What a thread hands over with a product. Made once: a pointer that shares memory is one more reference for the collector to follow. */
    private static final class Operands {
        final Operand a = new Operand();
        final Operand b = new Operand();
        final Operand c = new Operand();
    }

    /** A pointer to wherever the next product's operand is. */
    private static final class Operand extends FloatPointer {
        Operand() {
            super((Pointer) null);
        }

        Operand at(View view) {
            address = ((NativeMemory.NativeBlock) view.block()).address(view.offset());
            return this;
        }
    }
}

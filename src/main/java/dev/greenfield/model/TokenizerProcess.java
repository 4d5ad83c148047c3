package dev.greenfield.model;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.greenfield.failure.NativeLibraryException;
import dev.greenfield.failure.Remedy;
import dev.greenfield.natives.ExtractionException;
import dev.greenfield.natives.NativeFolder;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The process of {@link TokenizerChild}, from outside. One serves all tokenizers; where a file has ended it, the next question starts
 * another. Safe for use by several threads.
 */
final class TokenizerProcess {
    /** The longest that an answer may take. */
    static final long MOST_SECONDS = 60;

    private static final ScheduledExecutorService CLOCK = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "greenfield-tokenizer-clock");
        thread.setDaemon(true);
        return thread;
    });

    private static TokenizerProcess running; // or null

    private final Process process;
    private volatile boolean ended;
    private final DataInputStream in;
    private final DataOutputStream out;

    private TokenizerProcess(Process process) {
        this.process = process;
        this.in = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16));
        this.out = new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), 1 << 16));
    }

    /** What the library found of a text: token ids, and for each where it begins and ends in code points, or -1. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Encoded(long[] ids, int[] starts, int[] ends) {}

    /** The library refused what it was given, and works on. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String why) {
            super(why);
        }
    }

    /** The process ended over a question, or did not answer. */
    static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean late;

        Ended(boolean late) {
            super(late ? "no answer in " + MOST_SECONDS + " s" : "its process ended");
            this.late = late;
        }

        /** Whether the question may be asked once more: another thread's may have ended the process. */
        boolean worthAnother() {
            return !late;
        }
    }

    /**
     * The process that runs now, started if there is none.
     *
     * @throws NativeLibraryException if it cannot be
     */
    static synchronized TokenizerProcess get() {
        if (running == null || !running.isAlive()) {
            running = start();
        }
        return running;
    }

    private static TokenizerProcess start() {
        try {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", windows() ? "java.exe" : "java")
                            .toString(),
                    "-Xshare:auto",
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    // No files about a process whose end is foreseen.
                    "-XX:-CreateCoredumpOnCrash",
                    "-XX:+SuppressFatalErrorMessage",
                    "-cp",
                    source(TokenizerChild.class) + File.pathSeparator + source(TokenizersLibrary.class),
                    TokenizerChild.class.getName()));
            libraries().forEach(file -> command.add(file.toString()));
            Process process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            TokenizerProcess started = new TokenizerProcess(process);
            started.ask(() -> null);
            return started;
        } catch (IOException | URISyntaxException | ExtractionException | Refused | Ended refused) {
            throw new NativeLibraryException(
                    "the tokenizer library cannot be started on this machine (" + refused.getMessage()
                            + "), expected Linux, macOS or Windows on a common processor, Java's own launcher and a private directory for"
                            + " native libraries; " + Remedy.USE_TOKEN_IDS,
                    refused);
        }
    }

    private static boolean windows() {
        return os().startsWith("windows");
    }

    private static String os() {
        return System.getProperty("os.name").toLowerCase(Locale.ROOT);
    }

    /** The library's files, of which the last is the one that is called. */
    private static List<Path> libraries() {
        String os = windows() ? "win" : os().startsWith("mac") ? "osx" : "linux";
        String arch = System.getProperty("os.arch").equals("aarch64") ? "aarch64" : "x86_64";
        List<Path> files = NativeFolder.unpack(
                TokenizersLibrary.class.getClassLoader(),
                "native/lib/" + os + "-" + arch + "/cpu/",
                System.mapLibraryName("tokenizers"),
                "",
                name -> name);
        List<Path> last = new ArrayList<>(files);
        last.sort((a, b) -> Boolean.compare(isTokenizers(a), isTokenizers(b)));
        return last;
    }

    private static boolean isTokenizers(Path file) {
        return file.endsWith(System.mapLibraryName("tokenizers"));
    }

    private static String source(Class<?> type) throws URISyntaxException, IOException {
        CodeSource source = type.getProtectionDomain().getCodeSource();
        if (source == null) {
            throw new IOException("nobody knows which jar " + type.getName() + " is from");
        }
        return Path.of(source.getLocation().toURI()).toString();
    }

    /** Ends it, as a file could. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** Whether it can be asked. */
    boolean isAlive() {
        return !ended && process.isAlive();
    }

    private interface Answer<T> {
        T read() throws IOException;
    }

    /** Sends what was written and reads the answer. */
    private synchronized <T> T ask(Answer<T> answer) throws Refused, Ended {
        Future<?> timeout = CLOCK.schedule(process::destroyForcibly, MOST_SECONDS, TimeUnit.SECONDS);
        try {
            out.flush();
            if (in.readInt() == TokenizerChild.REFUSED) {
                byte[] why = new byte[in.readInt()];
                in.readFully(why);
                throw new Refused(new String(why, StandardCharsets.UTF_8));
            }
            return answer.read();
        } catch (IOException ended) {
            throw ended(timeout.isDone());
        } finally {
            timeout.cancel(false);
        }
    }

    private Ended ended(boolean late) {
        ended = true; // which the system may not know yet: the next file must not be blamed for this one
        process.destroyForcibly();
        return new Ended(late);
    }

    /** Makes a tokenizer; returns what the other questions call it. */
    synchronized long load(byte[] json) throws Refused, Ended {
        try {
            out.writeInt(TokenizerChild.LOAD);
            out.writeInt(json.length);
            out.write(json);
        } catch (IOException ended) {
            throw ended(false);
        }
        return ask(in::readLong);
    }

    /** The tokens of a text. */
    synchronized Encoded encode(long tokenizer, String text) throws Refused, Ended {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try {
            out.writeInt(TokenizerChild.ENCODE);
            out.writeLong(tokenizer);
            out.writeInt(bytes.length);
            out.write(bytes);
        } catch (IOException ended) {
            throw ended(false);
        }
        return ask(() -> {
            int count = in.readInt();
            Encoded encoded = new Encoded(new long[count], new int[count], new int[count]);
            for (int i = 0; i < count; i++) {
                encoded.ids()[i] = in.readLong();
                encoded.starts()[i] = in.readInt();
                encoded.ends()[i] = in.readInt();
            }
            return encoded;
        });
    }

    /** Frees a tokenizer. */
    synchronized void free(long tokenizer) throws Refused, Ended {
        try {
            out.writeInt(TokenizerChild.FREE);
            out.writeLong(tokenizer);
        } catch (IOException ended) {
            throw ended(false);
        }
        ask(() -> null);
    }
}

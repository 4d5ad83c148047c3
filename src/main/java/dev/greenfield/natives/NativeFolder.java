package dev.greenfield.natives;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * Libraries that need each other, in a folder of their own below that of {@link NativeExtraction}, under their own names. The folder is
 * called by what the jar says of its contents, so that two versions lie side by side. {@value #SUMS} in it, which comes last, has the
 * sha256 of each file; a file that is not what it says is unpacked again.
 */
public final class NativeFolder {
    private static final String SUMS = "SHA256SUMS";

    private NativeFolder() {}

    /**
     * The libraries of a folder of a jar, unpacked now or found as an earlier run left them.
     *
     * @param loader that finds the jar
     * @param folder such as {@code org/bytedeco/openblas/linux-x86_64/}
     * @param known one of the folder's files
     * @param unwanted a regular expression of the names that are left in the jar
     * @param further what a library is called besides its own name, because others ask for it so; the name itself for none
     * @return the paths of the libraries, by name
     * @throws ExtractionException if there is no such file, or no directory can be used
     */
    public static List<Path> unpack(
            ClassLoader loader, String folder, String known, String unwanted, UnaryOperator<String> further) {
        URL found = loader.getResource(folder + known);
        if (found == null) {
            throw new ExtractionException(
                    "there is no " + folder + known + " here", "add the native libraries of this platform", null);
        }
        Path home = NativeExtraction.directory();
        try {
            List<Content> contents = contents(found, folder, unwanted);
            NativeExtraction.privateDirectory(home);
            StringBuilder identity = new StringBuilder(folder);
            contents.forEach(content -> identity.append('\n').append(content.identity()));
            Path target =
                    home.resolve(NativeExtraction.sha256(identity.toString().getBytes(StandardCharsets.UTF_8)));
            NativeExtraction.privateDirectory(target);
            if (!whole(target, contents)) {
                StringBuilder sums = new StringBuilder();
                for (Content content : contents) {
                    byte[] bytes;
                    try (InputStream in = content.url().openStream()) {
                        bytes = in.readAllBytes();
                    }
                    NativeExtraction.write(bytes, target.resolve(content.name()));
                    sums.append(NativeExtraction.sha256(bytes))
                            .append("  ")
                            .append(content.name())
                            .append('\n');
                }
                NativeExtraction.write(sums.toString().getBytes(StandardCharsets.UTF_8), target.resolve(SUMS));
                if (!whole(target, contents)) {
                    throw new IOException("what was written to " + target + " does not read back");
                }
            }
            for (Content content : contents) {
                alias(target.resolve(content.name()), target.resolve(further.apply(content.name())));
            }
            return contents.stream()
                    .map(content -> target.resolve(content.name()))
                    .toList();
        } catch (IOException refused) {
            throw NativeExtraction.refused(known, home, refused);
        }
    }

    /** A second name of a file. */
    private static void alias(Path file, Path alias) throws IOException {
        if (alias.equals(file)
                || (Files.isRegularFile(alias, LinkOption.NOFOLLOW_LINKS) && Files.isSameFile(file, alias))) {
            return;
        }
        Path link = alias.resolveSibling(UUID.randomUUID() + ".so");
        Files.createLink(link, file);
        Files.move(link, alias, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(link); // which stays where both names were one file's already
    }

    private record Content(String name, URL url, String identity) {}

    /** What lies beside a file in its jar; the file alone where it is in no jar. */
    private static List<Content> contents(URL found, String folder, String unwanted) throws IOException {
        URLConnection connection = found.openConnection();
        List<Content> contents = new ArrayList<>();
        if (connection instanceof JarURLConnection inJar) {
            JarFile jar = inJar.getJarFile();
            for (JarEntry entry : jar.stream().toList()) {
                String name = entry.getName()
                        .substring(Math.min(folder.length(), entry.getName().length()));
                if (entry.getName().startsWith(folder)
                        && name.matches("[A-Za-z0-9_.+-]+\\.(so|dylib|dll)[.0-9]*")
                        && !name.matches(unwanted)) {
                    URL url = new URL("jar:" + inJar.getJarFileURL() + "!/" + entry.getName());
                    contents.add(new Content(name, url, name + " " + entry.getSize() + " " + entry.getCrc()));
                }
            }
            contents.sort(Comparator.comparing(Content::name));
        } else {
            byte[] bytes;
            try (InputStream in = found.openStream()) {
                bytes = in.readAllBytes();
            }
            String name = found.getPath().substring(found.getPath().lastIndexOf('/') + 1);
            contents.add(new Content(name, found, name + " " + NativeExtraction.sha256(bytes)));
        }
        return contents;
    }

    private static boolean whole(Path folder, List<Content> contents) throws IOException {
        Path sums = folder.resolve(SUMS);
        if (!Files.isRegularFile(sums, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        List<String> lines = Files.readAllLines(sums);
        if (lines.size() != contents.size()) {
            return false;
        }
        for (int i = 0; i < lines.size(); i++) {
            String name = contents.get(i).name();
            Path file = folder.resolve(name);
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    || !lines.get(i).equals(NativeExtraction.sha256(Files.readAllBytes(file)) + "  " + name)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Loads libraries for the class loader of this class, each after those that it needs.
     *
     * @throws UnsatisfiedLinkError if one cannot be loaded
     */
    public static void load(List<Path> files) {
        List<Path> left = new ArrayList<>(files);
        while (!left.isEmpty()) {
            UnsatisfiedLinkError last = null;
            List<Path> refused = new ArrayList<>();
            for (Path file : left) {
                try {
                    System.load(file.toString());
                } catch (UnsatisfiedLinkError needsAnother) {
                    refused.add(file);
                    last = needsAnother;
                }
            }
            if (refused.size() == left.size()) {
                throw last;
            }
            left = refused;
        }
    }
}

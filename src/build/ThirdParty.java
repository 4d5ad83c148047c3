import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Writes THIRD-PARTY.txt and NOTICE for the jars that carry other projects' files, and fails where one has no licence
 * entry. Run by the build: {@code java ThirdParty.java ARTIFACTS LICENCES OUT NAME PREFIX}, where ARTIFACTS is what
 * {@code dependency:list} wrote with absolute file names, LICENCES is {@code src/licences}, and only artifacts whose
 * coordinates begin with PREFIX are taken.
 */
final class ThirdParty {
    private static final Pattern NATIVE = Pattern.compile(".*\\.(so(\\.\\d+)*|dll|dylib|jnilib|a)");
    private static final Pattern NOTICE = Pattern.compile("META-INF/NOTICE(\\.txt|\\.md)?");

    private ThirdParty() {}

    /** A line of a table: what it is about, the licence, the project, the files with its texts. */
    private record Entry(String key, String licence, String project, List<String> texts) {}

    /** A jar with its coordinates, {@code group:artifact} and {@code version[:classifier]}. */
    private record Artifact(String key, String version, Path file) {}

    public static void main(String[] args) throws IOException {
        if (args.length != 5) {
            throw new IllegalArgumentException("usage: ThirdParty ARTIFACTS LICENCES OUT NAME PREFIX");
        }
        Path licences = Path.of(args[1]);
        List<Artifact> artifacts = artifacts(Path.of(args[0]), args[4]);
        if (artifacts.isEmpty()) {
            throw new IOException("found no artifact in " + args[0] + ", expected the list of dependency:list");
        }
        Map<String, Entry> known = new LinkedHashMap<>();
        table(licences.resolve("artifacts.txt")).forEach(entry -> known.put(entry.key, entry));
        List<Entry> natives = table(licences.resolve("natives.txt"));

        List<String> unknown = new ArrayList<>();
        List<String> works = new ArrayList<>();
        Map<String, Entry> libraries = new TreeMap<>();
        Set<String> texts = new TreeSet<>();
        Map<String, Set<String>> notices = new LinkedHashMap<>();
        for (Artifact artifact : artifacts) {
            Entry entry = known.get(artifact.key);
            if (entry == null) {
                unknown.add(artifact.key + " (add it to src/licences/artifacts.txt)");
                continue;
            }
            works.add(String.format(
                    "  %-56s %-12s %s", artifact.key + ":" + artifact.version, entry.licence, entry.project));
            texts.addAll(entry.texts);
            look(artifact, natives, libraries, notices, unknown);
        }
        if (!unknown.isEmpty()) {
            System.err.println("without a licence entry: " + String.join(", ", unknown));
            System.exit(1);
        }
        libraries.values().forEach(entry -> texts.addAll(entry.texts));
        Path out = Files.createDirectories(Path.of(args[2]));
        Files.writeString(out.resolve("THIRD-PARTY.txt"), list(args[3], works, libraries, texts, licences));
        Files.writeString(out.resolve("NOTICE"), notice(notices));
    }

    /** Lines such as {@code org.ejml:ejml-core:jar:0.44.0:compile:/path/ejml-core-0.44.0.jar -- module ...}. */
    private static List<Artifact> artifacts(Path list, String prefix) throws IOException {
        Map<String, Artifact> found = new TreeMap<>();
        for (String line : Files.readAllLines(list)) {
            String[] part = line.strip().split(" ", 2)[0].split(":", 7);
            boolean plain = part.length >= 6 && part[5].endsWith(".jar");
            boolean classified = part.length == 7 && part[6].endsWith(".jar");
            if ((plain || classified) && (part[0] + ":" + part[1]).startsWith(prefix)) {
                String version = plain ? part[3] : part[4] + ":" + part[3];
                String file = plain ? part[5] : part[6];
                found.put(
                        part[0] + ":" + part[1] + ":" + version,
                        new Artifact(part[0] + ":" + part[1], version, Path.of(file)));
            }
        }
        return List.copyOf(found.values());
    }

    private static List<Entry> table(Path file) throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] cell = line.split(" \\| ?", -1);
                if (cell.length != 4) {
                    throw new IOException(file + ": found '" + line + "', expected four cells parted by |");
                }
                List<String> texts =
                        cell[3].isBlank() ? List.of() : List.of(cell[3].strip().split(" "));
                entries.add(new Entry(cell[0].strip(), cell[1].strip(), cell[2].strip(), texts));
            }
        }
        return entries;
    }

    /** Native libraries and notices inside a jar. */
    private static void look(
            Artifact artifact,
            List<Entry> natives,
            Map<String, Entry> libraries,
            Map<String, Set<String>> notices,
            List<String> unknown)
            throws IOException {
        try (ZipFile jar = new ZipFile(artifact.file.toFile())) {
            for (ZipEntry file : jar.stream().map(ZipEntry.class::cast).toList()) {
                String name = file.getName().substring(file.getName().lastIndexOf('/') + 1);
                if (NATIVE.matcher(name).matches()) {
                    natives.stream()
                            .filter(entry -> Pattern.matches(entry.key + "\\.(so|dll|dylib|jnilib|a).*", name))
                            .findFirst()
                            .ifPresentOrElse(
                                    entry -> libraries.put(name, entry),
                                    () -> unknown.add(name + " of " + artifact.key
                                            + " (add a pattern to src/licences/natives.txt)"));
                } else if (NOTICE.matcher(file.getName()).matches()) {
                    String text = new String(jar.getInputStream(file).readAllBytes(), StandardCharsets.UTF_8);
                    notices.computeIfAbsent(text.replace("\r", "").strip(), same -> new LinkedHashSet<>())
                            .add(artifact.key);
                }
            }
        }
    }

    private static String list(
            String name, List<String> works, Map<String, Entry> libraries, Set<String> texts, Path licences)
            throws IOException {
        StringBuilder page =
                new StringBuilder(name + " (Apache-2.0, see META-INF/LICENSE) carries the following works.\n");
        page.append(
                "Written by the build from src/licences; the NOTICE files of these works are in META-INF/NOTICE.\n\n");
        works.forEach(line -> page.append(line).append('\n'));
        page.append("\nNative libraries of these artifacts, as far as this jar has them:\n\n");
        libraries.forEach(
                (library, entry) -> page.append(String.format("  %-44s %s, %s%n", library, entry.licence, entry.project)
                        .replace(System.lineSeparator(), "\n")));
        page.append(
                "\nApache ECharts 6.1.0 (Apache-2.0), in the jar of the library and the self-contained one: its licence and notice\n");
        page.append("stand beside it in dev/greenfield/report.\n");
        for (String text : texts) {
            page.append("\n").append("-".repeat(100)).append("\n\n");
            page.append(Files.readString(licences.resolve(text)).strip()).append('\n');
        }
        return page.toString();
    }

    private static String notice(Map<String, Set<String>> notices) {
        StringBuilder page = new StringBuilder("Greenfield\n\nThis product carries works of others, listed in"
                + " META-INF/THIRD-PARTY.txt. Notices of these works:\n");
        notices.forEach((text, of) -> page.append("\n== ")
                .append(String.join(", ", of))
                .append("\n\n")
                .append(text)
                .append('\n'));
        return page.toString();
    }
}

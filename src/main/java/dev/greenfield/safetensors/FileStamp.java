package dev.greenfield.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;

/** Which file a name stood for and when that was last written to. Another file that has taken the name since is no change of this one. */
record FileStamp(Path path, Object key, long size, FileTime written) {
    static FileStamp of(Path path) throws IOException {
        BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
        return new FileStamp(path, found.fileKey(), found.size(), found.lastModifiedTime());
    }

    /** Whether the same file is there with another size or time. */
    boolean changed() throws IOException {
        FileStamp now;
        try {
            now = of(path);
        } catch (NoSuchFileException gone) {
            return false; // its bytes stay mapped
        }
        return Objects.equals(key, now.key) && (size != now.size || !written.equals(now.written));
    }
}

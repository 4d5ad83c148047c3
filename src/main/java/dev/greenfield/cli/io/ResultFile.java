package dev.greenfield.cli.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.greenfield.failure.InputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/**
 * Writes {@code result.json} from maps, lists, arrays, numbers, strings and nulls. Streamed, because making an object
 * mapper takes longer than the demo model takes to run.
 */
public final class ResultFile {
    /** Version of {@code docs/result.schema.json}: raised where a field goes, or changes its name, type or meaning. */
    public static final int SCHEMA_VERSION = 1;

    /** Seconds since 1970 that stand for the present, as builds that can be repeated know it. */
    private static final String EPOCH = "SOURCE_DATE_EPOCH";

    private ResultFile() {}

    /**
     * When results are made: UTC by ISO 8601, in seconds.
     *
     * @throws InputException if {@code SOURCE_DATE_EPOCH} is set and no number of seconds
     */
    public static String created() {
        return created(System.getenv(EPOCH), Instant.now());
    }

    /** Likewise, of the variable's value, null where it is not set, and the present. */
    static String created(String epoch, Instant now) {
        try {
            Instant at = epoch == null || epoch.isBlank() ? now : Instant.ofEpochSecond(Long.parseLong(epoch.strip()));
            return at.truncatedTo(ChronoUnit.SECONDS).toString();
        } catch (NumberFormatException | DateTimeException wrong) {
            throw new InputException(
                    EPOCH + " is " + Quantities.quoted(epoch) + ": expected seconds since 1970; correct it or unset it",
                    wrong);
        }
    }

    /** Writes the file as UTF-8, fields in the map's order. */
    public static void write(Path file, Map<String, ?> fields) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            value(json, fields);
            json.writeRaw('\n');
        }
    }

    private static void value(JsonGenerator json, Object value) throws IOException {
        if (value == null) {
            json.writeNull();
        } else if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName((String) entry.getKey());
                value(json, entry.getValue());
            }
            json.writeEndObject();
        } else if (value instanceof Iterable<?> list) {
            json.writeStartArray();
            for (Object element : list) {
                value(json, element);
            }
            json.writeEndArray();
        } else if (value instanceof double[] numbers) {
            json.writeStartArray();
            for (double number : numbers) {
                number(json, number);
            }
            json.writeEndArray();
        } else if (value instanceof int[] numbers) {
            json.writeArray(numbers, 0, numbers.length);
        } else if (value instanceof Integer || value instanceof Long) {
            json.writeNumber(((Number) value).longValue());
        } else if (value instanceof Number number) {
            number(json, number.doubleValue());
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else {
            json.writeString(value.toString());
        }
    }

    /** JSON has no word for what is not a number: null stands for it. */
    private static void number(JsonGenerator json, double number) throws IOException {
        if (Double.isFinite(number)) {
            json.writeNumber(number);
        } else {
            json.writeNull();
        }
    }
}

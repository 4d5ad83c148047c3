package dev.greenfield.study;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.io.IOException;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** What a part of the study measured on one prompt: numbers, or short rows of numbers, under their names. */
public final class Measures {
    private final Map<String, double[]> values = new LinkedHashMap<>();
    private final Set<String> rounded = new HashSet<>();
    private String note = "";

    /** Puts a number, or a row of numbers, under a name. What is not defined is NaN. */
    void put(String name, double... numbers) {
        values.put(name, numbers.clone());
    }

    /** Likewise many numbers, which are kept to the digits of single precision. */
    void putPoints(String name, double[] numbers) {
        put(name, numbers);
        rounded.add(name);
    }

    /** Says why there is nothing. */
    void note(String why) {
        note = why;
    }

    /** Why there is nothing; empty where there is something. */
    public String note() {
        return note;
    }

    /** All names with their numbers, in the order in which they were put. */
    public Map<String, double[]> values() {
        return Collections.unmodifiableMap(values);
    }

    /** A single number; NaN where there is none of this name. */
    public double number(String name) {
        double[] found = values.get(name);
        return found == null || found.length != 1 ? Double.NaN : found[0];
    }

    /** A row of numbers; empty where there is none of this name. */
    public double[] row(String name) {
        double[] found = values.get(name);
        return found == null ? new double[0] : found.clone();
    }

    void write(JsonGenerator json) throws IOException {
        json.writeStartObject();
        if (!note.isEmpty()) {
            json.writeStringField("note", note);
        }
        json.writeObjectFieldStart("values");
        for (Map.Entry<String, double[]> entry : values.entrySet()) {
            json.writeArrayFieldStart(entry.getKey());
            boolean single = rounded.contains(entry.getKey());
            for (double number : entry.getValue()) {
                if (single) {
                    json.writeNumber((float) number);
                } else {
                    json.writeNumber(number); // as a text where it is not finite
                }
            }
            json.writeEndArray();
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    /**
     * What {@link #write} wrote.
     *
     * @throws InputException if it is not that
     */
    static Measures read(JsonNode tree) {
        Measures measures = new Measures();
        measures.note = tree.path("note").asText("");
        tree.path("values").properties().forEach(field -> {
            require(field.getValue().isArray(), field.getKey());
            double[] numbers = new double[field.getValue().size()];
            for (int i = 0; i < numbers.length; i++) {
                JsonNode number = field.getValue().get(i);
                require(number.isNumber() || number.isTextual(), field.getKey());
                numbers[i] = number.isTextual() ? Double.parseDouble(number.textValue()) : number.doubleValue();
            }
            measures.values.put(field.getKey(), numbers);
        });
        return measures;
    }

    private static void require(boolean right, String name) {
        if (!right) {
            throw new InputException(
                    "the measure " + Lines.quoted(name) + ": found no list of numbers, expected one; measure it again");
        }
    }
}

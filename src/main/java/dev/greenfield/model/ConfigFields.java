package dev.greenfield.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.greenfield.failure.InputException;
import dev.greenfield.text.Lines;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The fields of a {@code config.json}, which remembers those that were asked for. */
final class ConfigFields {
    private final JsonNode fields;
    private final Set<String> known = new HashSet<>();

    ConfigFields(JsonNode fields) {
        this.fields = fields;
    }

    /** The value of a field; a missing node where there is none. */
    JsonNode read(String field) {
        known.add(field);
        return fields.path(field);
    }

    /** Fields that are neither null nor have been asked for, with their values. */
    List<Map.Entry<String, JsonNode>> unread() {
        List<Map.Entry<String, JsonNode>> unread = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : fields.properties()) {
            if (!known.contains(field.getKey()) && !field.getValue().isNull()) {
                unread.add(field);
            }
        }
        return unread;
    }

    boolean absent(String field) {
        return read(field).isMissingNode() || read(field).isNull();
    }

    boolean missing(String field) {
        return read(field).isMissingNode();
    }

    /** A whole number by either of its names. */
    int integer(String name, String alias, int otherwise) {
        if (missing(name) && missing(alias)) {
            return otherwise;
        }
        if (!missing(name) && !missing(alias) && !read(name).equals(read(alias))) {
            throw new InputException(name + ": found " + kind(read(name)) + ", and " + kind(read(alias)) + " as "
                    + alias + ", which is another name of it; remove one of the two");
        }
        String field = missing(name) ? alias : name;
        JsonNode value = read(field);
        if (!value.isIntegralNumber()) {
            throw wrong(field, value, "a whole number");
        }
        if (!value.canConvertToInt()) {
            throw wrong(field, value, "a whole number of at most " + Integer.MAX_VALUE);
        }
        return value.intValue();
    }

    double number(String field) {
        JsonNode value = read(field);
        if (!value.isNumber()) {
            throw wrong(field, value, "a number");
        }
        return value.doubleValue();
    }

    String text(String field) {
        JsonNode value = read(field);
        if (!value.isTextual()) {
            throw wrong(field, value, "a string");
        }
        return value.textValue();
    }

    boolean flag(String field, boolean otherwise) {
        if (absent(field)) {
            return otherwise;
        }
        JsonNode value = read(field);
        if (!value.isBoolean()) {
            throw wrong(field, value, "true or false");
        }
        return value.booleanValue();
    }

    static InputException wrong(String field, JsonNode value, String expected) {
        return new InputException(field + ": found " + kind(value) + ", expected " + expected + "; correct " + field);
    }

    static String kind(JsonNode value) {
        if (value.isMissingNode()) {
            return "no such field";
        }
        return value.isContainerNode()
                ? "an " + value.getNodeType().name().toLowerCase(Locale.ROOT)
                : Lines.one(value.toString());
    }

    /** A whole number; {@code otherwise} where the field is absent. */
    int integer(String field, int otherwise) {
        return absent(field) ? otherwise : integer(field, field, otherwise);
    }

    /** A number; {@code otherwise} where the field is absent. */
    double number(String field, double otherwise) {
        return absent(field) ? otherwise : number(field);
    }
}

package dev.greenfield.lens;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * Reads the pickle of a file that {@code torch.save} wrote: maps, lists, numbers, texts and tensors, and nothing that runs. Names of
 * anything else are refused, as {@code torch.load(weights_only=True)} does.
 *
 * <p>Source of the format: the opcodes of Python's {@code pickletools}, and {@code torch/serialization.py} for what the persistent ids
 * of storages are.
 */
final class Pickle {
    private static final String STORAGE = "Storage";
    private static final Object MARK = new Object();
    private static final Set<String> FUNCTIONS = Set.of("torch._utils _rebuild_tensor_v2", "collections OrderedDict");

    private final ByteBuffer bytes;
    private final Deque<Object> stack = new ArrayDeque<>(); // never null: NONE stands for that
    private final Map<Integer, Object> memo = new HashMap<>();

    /** What Python calls None. */
    private static final Object NONE = new Object();

    private Pickle(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Something imported by its module and name. */
    private record Name(String text) {}

    /**
     * Where a tensor's numbers are.
     *
     * @param type such as {@code HalfStorage}
     * @param key the name of its entry in the folder {@code data}
     */
    record Storage(String type, String key) {}

    /** A tensor: element (i, j) is number offset + i stride[0] + j stride[1] of its storage. */
    record StoredTensor(Storage storage, long offset, List<?> shape, List<?> stride) {}

    /** A pickle that is damaged or holds what is not read. */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String what) {
            super(what);
        }
    }

    /** The one object of a pickle: a {@link Map}, a {@link List}, a {@link Long}, a {@link StoredTensor} and so on. */
    static Object read(byte[] bytes) throws Unreadable {
        try {
            return new Pickle(bytes).run();
        } catch (BufferUnderflowException | NoSuchElementException | ClassCastException cut) {
            throw new Unreadable("its pickle is damaged");
        }
    }

    private Object run() throws Unreadable {
        while (true) {
            int op = bytes.get() & 0xff;
            switch (op) {
                case '.' -> {
                    return stack.pop();
                }
                case 0x80 -> bytes.get(); // protocol
                case 0x95 -> bytes.getLong(); // the length of a frame
                case '(' -> stack.push(MARK);
                case '}' -> stack.push(new LinkedHashMap<>());
                case ']' -> stack.push(new ArrayList<>());
                case ')' -> stack.push(List.of());
                case 'N' -> stack.push(NONE);
                case 0x88 -> stack.push(true);
                case 0x89 -> stack.push(false);
                case 'K' -> stack.push((long) (bytes.get() & 0xff));
                case 'M' -> stack.push((long) (bytes.getShort() & 0xffff));
                case 'J' -> stack.push((long) bytes.getInt());
                case 0x8a -> stack.push(integer(bytes.get() & 0xff));
                case 'G' ->
                    stack.push(bytes.duplicate()
                            .order(ByteOrder.BIG_ENDIAN)
                            .position(skipped(8))
                            .getDouble());
                case 'X' -> stack.push(text(bytes.getInt()));
                case 0x8c -> stack.push(text(bytes.get() & 0xff));
                case 'q' -> memo.put(bytes.get() & 0xff, stack.element());
                case 'r' -> memo.put(bytes.getInt(), stack.element());
                case 0x94 -> memo.put(memo.size(), stack.element());
                case 'h' -> stack.push(known(bytes.get() & 0xff));
                case 'j' -> stack.push(known(bytes.getInt()));
                case 'c' -> stack.push(new Name(line() + " " + line()));
                case 0x93 -> {
                    Object name = stack.pop();
                    stack.push(new Name((String) stack.pop() + " " + name));
                }
                case 0x85 -> stack.push(last(1));
                case 0x86 -> stack.push(last(2));
                case 0x87 -> stack.push(last(3));
                case 't' -> stack.push(sinceMark());
                case 'a' -> append(List.of(stack.pop()));
                case 'e' -> append(sinceMark());
                case 's' -> put(last(2));
                case 'u' -> put(sinceMark());
                case 'Q' -> stack.push(storage((List<?>) stack.pop()));
                case 'R' -> {
                    List<?> arguments = (List<?>) stack.pop();
                    stack.push(call((Name) stack.pop(), arguments));
                }
                case 'b' -> stack.pop(); // attributes of a map, of which nothing is needed
                default ->
                    throw new Unreadable("its pickle has opcode 0x" + Integer.toHexString(op) + ", which is not read");
            }
        }
    }

    /** Goes over so many bytes; returns where they begin. */
    private int skipped(int count) {
        int at = bytes.position();
        if (count > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        bytes.position(at + count);
        return at;
    }

    private long integer(int length) throws Unreadable {
        if (length > 8) {
            throw new Unreadable("its pickle has an integer of " + length + " bytes, which is not read");
        }
        long value = 0;
        for (int i = 0; i < length; i++) {
            long next = i == length - 1 ? bytes.get() : bytes.get() & 0xff; // the last one has the sign
            value |= next << (8 * i);
        }
        return value;
    }

    private String text(int length) {
        if (length < 0 || length > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] text = new byte[length];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private String line() {
        StringBuilder line = new StringBuilder();
        for (char c = (char) bytes.get(); c != '\n'; c = (char) bytes.get()) {
            line.append(c);
        }
        return line.toString();
    }

    private Object known(int number) {
        Object value = memo.get(number);
        if (value == null) {
            throw new NoSuchElementException();
        }
        return value;
    }

    private List<Object> last(int count) {
        List<Object> items = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            items.add(0, stack.pop());
        }
        return items;
    }

    private List<Object> sinceMark() {
        ArrayDeque<Object> items = new ArrayDeque<>();
        for (Object item = stack.pop(); item != MARK; item = stack.pop()) {
            items.push(item);
        }
        return new ArrayList<>(items);
    }

    @SuppressWarnings("unchecked") // what the stack holds is of this class's making
    private void append(List<?> items) {
        ((List<Object>) stack.element()).addAll(items);
    }

    @SuppressWarnings("unchecked")
    private void put(List<?> keysAndValues) {
        Map<Object, Object> map = (Map<Object, Object>) stack.element();
        for (int i = 0; i + 1 < keysAndValues.size(); i += 2) {
            map.put(keysAndValues.get(i), keysAndValues.get(i + 1));
        }
    }

    /** A persistent id: the word storage, the type, the key, the device, the number of elements. */
    private static Storage storage(List<?> id) throws Unreadable {
        if (id.size() < 3 || !"storage".equals(id.get(0)) || !(id.get(1) instanceof Name type)) {
            throw new Unreadable("its pickle has a persistent id that is no tensor's");
        }
        if (!type.text().startsWith("torch ") || !type.text().endsWith(STORAGE)) {
            throw new Unreadable("its pickle has a storage of type " + type.text() + ", which is not read");
        }
        return new Storage(type.text().substring("torch ".length()), (String) id.get(2));
    }

    private static Object call(Name function, List<?> arguments) throws Unreadable {
        if (!FUNCTIONS.contains(function.text())) {
            throw new Unreadable("its pickle calls " + function.text().replace(' ', '.') + ", which is not read");
        }
        if (function.text().startsWith("collections")) {
            return new LinkedHashMap<>();
        }
        if (arguments.size() < 4) {
            throw new Unreadable("its pickle has a tensor without a shape");
        }
        return new StoredTensor(
                (Storage) arguments.get(0), (Long) arguments.get(1), (List<?>) arguments.get(2), (List<?>)
                        arguments.get(3));
    }
}

package dev.greenfield.model;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import com.knuddels.jtokkit.api.IntArrayList;

/** The byte-pair tokens of GPT-2, built in, for models with its vocabulary that bring no {@code tokenizer.json}. */
final class Gpt2Tokens extends AbstractTokenizer {
    static final int VOCABULARY = 50257;
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final int END_OF_TEXT_ID = 50256;

    private final Encoding encoding = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE);

    Gpt2Tokens() {
        super(VOCABULARY);
        mayBeginWith(END_OF_TEXT_ID);
    }

    @Override
    int[] ids(String text) {
        IntArrayList ids = new IntArrayList();
        int from = 0;
        for (int mark = text.indexOf(END_OF_TEXT); mark >= 0; mark = text.indexOf(END_OF_TEXT, from)) {
            append(ids, text.substring(from, mark));
            ids.add(END_OF_TEXT_ID);
            from = mark + END_OF_TEXT.length();
        }
        append(ids, text.substring(from));
        return ids.toArray();
    }

    private void append(IntArrayList ids, String text) {
        IntArrayList part = encoding.encodeOrdinary(text);
        for (int i = 0; i < part.size(); i++) {
            ids.add(part.get(i));
        }
    }

    @Override
    String piece(int id) {
        if (id == END_OF_TEXT_ID) {
            return END_OF_TEXT;
        }
        IntArrayList one = new IntArrayList(1);
        one.add(id);
        return ByteLevel.text(encoding.decodeBytes(one));
    }
}

"""Token ids of random strings by Greenfield and by transformers, which must be the same.

    python3 benchmarks/peers/hf_tokens.py --model DIR --java "java -cp target/classes:target/test-classes:JARS" [--count 5000]

Strings are made of the vocabulary's own tokens, of letters of many scripts, digits, blanks, line ends, control characters and emoji. A special
token that is written out at the beginning is left out: transformers puts the first token before it once more, Greenfield never twice.
"""

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import tempfile

import transformers

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " .,;:!?'\"()[]{}<>|/\\@#$%^&*-_=+~`", "     ", "\n\t\r\u00a0\u2028",
    "\u00e4\u00f6\u00fc\u00df\u00e9\u00e8\u00f1\u0153", "\u0430\u0431\u0432\u0433\u0434", "\u03b1\u03b2\u03b3", "\u4e2d\u6587\u65e5\u672c", "\u0627\u0644\u0639",
    "\u0301\u0308\u200d\ufe0f", "\U0001f600\U0001f468\u200d\U0001f469", "\u0000\u0007\u007f", "\u2581\u0120\u010a"]


def strings(count, words):
    rng = random.Random(1)
    made = ["", " ", "  ", "\n", "a", " a", "a ", "Once upon a time, there was a little girl named"]
    while len(made) < count:
        parts = []
        for _ in range(rng.randint(1, 12)):
            if rng.random() < 0.5:
                parts.append(rng.choice(words))
            else:
                alphabet = rng.choice(ALPHABETS)
                parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6))))
            if rng.random() < 0.4:
                parts.append(" ")
        made.append("".join(parts))
    return made[:count]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--java", required=True, help="java with the class path of Greenfield's tests")
    parser.add_argument("--count", type=int, default=5000)
    arguments = parser.parse_args()
    judge = transformers.PreTrainedTokenizerFast(tokenizer_file=os.path.join(arguments.model, "tokenizer.json"))
    special = set(judge.get_added_vocab())
    words = [word.replace("\u2581", " ") for word in judge.get_vocab() if word not in special]
    texts = strings(arguments.count, words)
    wanted = [judge(text)["input_ids"] for text in texts]
    with tempfile.TemporaryDirectory() as work:
        given, found = os.path.join(work, "strings.json"), os.path.join(work, "ids.json")
        with open(given, "w") as file:
            json.dump(texts, file)
        subprocess.run(shlex.split(arguments.java) + ["dev.greenfield.model.TokenizerIds", arguments.model, given, found], check=True)
        with open(found) as file:
            ours = json.load(file)
    wrong = [i for i in range(len(texts)) if ours[i] != wanted[i]]
    for i in wrong[:10]:
        print("%r: found %s, transformers has %s" % (texts[i], ours[i], wanted[i]))
    print("%s: %d strings, %d tokens, %d strings differ; transformers %s" % (
        arguments.model, len(texts), sum(map(len, wanted)), len(wrong), transformers.__version__))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

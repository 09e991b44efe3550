"""Messages of our own: `examples.txt`, and `goods.txt` whose sentences are written about many things;
and misspelt ones."""

import zlib
from pathlib import Path

HERE = Path(__file__).parent
# A sentence is written about one of so many things.
SPREAD = 8


def entries(name):
    """(section, line) of a file in the format of the word lists."""
    section = ""
    for line in (HERE / name).read_text().splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line[1:-1]
        elif line and not line.startswith("#"):
            yield section, line


def examples():
    """(text, topic)"""
    return [(text, topic) for topic, text in entries("examples.txt")]


def about_goods():
    """(text, topic)"""
    goods = [line for section, line in entries("goods.txt") if section == "goods"]
    texts = {}
    for topic, sentence in entries("goods.txt"):
        if topic != "goods":
            start = zlib.crc32(sentence.encode()) % SPREAD
            texts |= {sentence.replace("{}", thing): topic for thing in goods[start::SPREAD]}
    return list(texts.items())


def misspelt(text):
    """The text with two letters of a long word swapped, one left out, or one doubled."""
    words = text.split(" ")
    long = [index for index, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return None
    chance = zlib.crc32(text.encode())
    index = long[chance % len(long)]
    word = words[index]
    at = 1 + (chance >> 8) % (len(word) - 2)
    words[index] = (
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
    )[(chance >> 16) % 3]
    return " ".join(words)

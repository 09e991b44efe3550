#!/usr/bin/env python3
"""Reads the labelled texts of all folders, and splits them once.

    split.py DATA       prints how many texts of each source are in each part

The split has two parts, `train` and `report`. It is made by source and wording group: texts of one
source that differ only in light words, order, numbers, endings or spelling are in the same part, in
whatever folder they stand. Heads are fitted on `train` only and reported on `report` only. Files
with `dev` in their name are split; all others are kept aside, and whole files of them are `report`.
"""

import collections
import csv
import gzip
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SEED = "rushdesk-1"
# Share of the wording groups that is only reported on.
REPORT = 0.25

# Words that do not make a wording of their own.
LIGHT = frozenset(
    """a about again an and any anyone are as ask assist assistance at be been but by can could cud did do does
    doing for from get getting give goddamn damn fucking got had has have having hello help helping hey hi how
    i id if ill im in is it its ive just kindly know let like me my need needed needs no not of on one or our
    please pls plz question see should show so some somebody someone sir tell than thank thanks that the them
    then there these they this those to told try trying u up ur us want wanna was we were what when where
    whether which who why will with would you your ya youre yours information info possible able looking find
    out agent could dont don t s m ll re ve d""".split()
)


@dataclass(frozen=True)
class Row:
    folder: str
    text: str
    source: str
    label: str
    topic: str
    real_user: bool
    part: str


def family(source):
    """`multidogo_media` and `multidogo_finance` are one source, as are both parts of CLINC."""
    return source.split("_")[0]


def group(text):
    """Names the wording group of a text: the first letters of its other words, in alphabetical order."""
    words = re.findall(r"[^\W\d_]+", text.lower().replace("'", ""))
    heavy = sorted({word[:4] for word in words if word not in LIGHT})
    return " ".join(heavy or sorted(set(words)) or [text.strip()])


def part(source, text):
    key = f"{SEED}/{family(source)}/{group(text)}".encode()
    share = int.from_bytes(hashlib.sha256(key).digest()[:8], "big") / 2**64
    return "report" if share < REPORT else "train"


def topics():
    """Topic of each label of each source."""
    with open(HERE / "topics.csv", newline="") as file:
        return {(row["source"], row["label"]): row["topic"] for row in csv.DictReader(file)}


def lines(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt") as file:
        for line in file:
            yield json.loads(line)


def found(folder, pattern):
    return sorted(folder.glob(pattern)) if folder.is_dir() else []


def labelled(data, mapping):
    """(file, text, source, label, real user) of every text with a label, in a fixed order."""
    for path in found(data / "routing_eval", "routing.*.jsonl*"):
        for row in lines(path):
            yield path, row["text"], row["source"], row["source_label"], row["real_user"]
    for path in found(data / "cache_eval", "pool.*.jsonl*"):
        for row in lines(path):
            if row["label"]:
                label = row["label"].split(":", 1)[1]
                yield path, row["text"], row["source"], label, row.get("real_user", False)
    for path in found(data / "conversations", "multidogo_customer_turns.*.jsonl*"):
        for row in lines(path):
            for turn in row["turns"]:
                if len(turn["intents"]) == 1:
                    label, source = turn["intents"][0], f"multidogo_{row['domain']}"
                    if (source, label) not in mapping:
                        source = "multidogo"
                    yield path, turn["text"], source, label, False


def rows(data):
    """Every text with a topic, once per source."""
    mapping, seen = topics(), set()
    for path, text, source, label, real_user in labelled(Path(data), mapping):
        topic = mapping.get((source, label))
        if topic is None or (family(source), text) in seen:
            continue
        seen.add((family(source), text))
        where = part(source, text) if ".dev." in path.name else "report"
        yield Row(path.parent.name, text, source, label, topic, real_user, where)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: split.py DATA")
    counts = collections.Counter((row.folder, family(row.source), row.part) for row in rows(sys.argv[1]))
    if not counts:
        sys.exit(f"error: {sys.argv[1]} has none of the files that are read here")
    for (folder, source, where), count in sorted(counts.items()):
        print(f"{folder:14} {source:10} {where:7} {count:6}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Fits the tagger of names and addresses of src/guard/pii/tagger and writes it as plain data.

    tagger.py DATA --lists src/guard/pii/tagger/lists.txt --out src/guard/pii/tagger

The tagger is a linear chain (a conditional random field) with the labels nothing, name and address.
Its features are hashes of words, their endings, their case and the lists that have them;
`features.rs` makes the same ones. It is fitted on the part `train` of split.py and on people.py.
Writes `weights.bin`, and `examples.json` with texts and what the fitted tagger finds in them, by
which a test compares both sides.
"""

import argparse
import collections
import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import scipy.optimize
import scipy.sparse

import own
import people
import split
from lists import fold

BITS = 15
LABELS = 3
MASK32 = np.uint32(0xFFFFFFFF)
PLACEHOLDER = "\ufffc"
# Strength of the ridge penalty.
RIDGE = 0.4
ROUNDS = 90
# Hashes that fewer tokens have are left out.
FEWEST = 2
SEED = 11
WEIGHTS = {"presidio": 1.5, "multidogo": 4.0, "own": 0.7, "other": 1.0}

# What rules find, and so what the tagger sees as a placeholder.
BY_RULES = {"EMAIL", "PHONE", "CREDIT_CARD", "IBAN", "IP_ADDRESS", "SSN"}


# Tokens -----------------------------------------------------------------------------------------


def fnv(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


SECTIONS = ("first", "last", "town", "street", "ordinary")


def read_lists(path):
    flags, bit = collections.defaultdict(int), 0
    for line in Path(path).read_text().splitlines():
        if line.startswith("["):
            bit = 1 << SECTIONS.index(line[1:-1])
        elif line and not line.startswith("#"):
            flags[line] |= bit
    return flags


def plain(text):
    """The folded characters, and the index in the text of each."""
    folded, origin = [], []
    for index, char in enumerate(text):
        for c in fold(char):
            folded.append(c)
            origin.append(index)
    return folded, origin


def case(word):
    """0 lower, 1 capital first, 2 capitals, 3 mixed."""
    upper = [c.isupper() for c in word]
    if not any(upper):
        return 0
    if all(c.isupper() or not c.isalpha() for c in word):
        return 2 if len(word) > 1 else 1
    return 1 if upper[0] and not any(upper[1:]) else 3


def shape(token):
    return "".join("0" if c.isdigit() else "a" for c in token)


def gap(between):
    if "\n" in between:
        return 3
    if any(c in ".!?" for c in between):
        return 4
    if "," in between:
        return 2
    return 1 if between and between.isspace() else 5


# word, two, three and four last letters, three first ones, case, lists, gap before.
W, S2, S3, S4, P3, C, G, GAP, M, POS = range(10)


def tokens(text, flags):
    """(start and end in the text, attributes) of each token."""
    folded, origin = plain(text)
    found, at, end = [], 0, 0
    while at < len(folded):
        c = folded[at]
        if c == PLACEHOLDER:
            stop = at + 1
        elif c.isalnum():
            stop = at
            while stop < len(folded) and folded[stop].isalnum():
                stop += 1
        else:
            at += 1
            continue
        token = "".join(folded[at:stop])
        typed = text[origin[at] : origin[stop - 1] + 1]
        before = gap("".join(folded[end:at])) if found else 0
        if token == PLACEHOLDER:
            row = [fnv(token), 0, 0, 0, 0, 30, 0, before]
        elif any(c.isdigit() for c in token):
            sort = 10 + min(len(token), 9) if token.isdigit() else 20 + (token[0].isdigit())
            row = [fnv(shape(token[:12])), 0, 0, 0, 0, sort, 0, before]
        else:
            row = [fnv(token), fnv(token[-2:]), fnv(token[-3:]), fnv(token[-4:]), fnv(token[:3]), case(typed),
                   flags.get(token, 0) | (32 if len(token) == 1 else 0), before]
        found.append((origin[at], origin[stop - 1] + 1, row))
        end = at = stop
    size = len(found)
    lower = not any(c.isupper() for c in text)
    count = 0 if size <= 1 else 1 if size == 2 else 2 if size == 3 else 3 if size <= 5 else 4 if size <= 9 else 5
    for index, (_, _, row) in enumerate(found):
        row += [count * 2 + lower, min(index, 3)]
    return found


# Features ---------------------------------------------------------------------------------------

# Attribute and distance of each part.
TEMPLATES = [
    [(W, 0)],
    [(W, -1)],
    [(W, 1)],
    [(W, -2)],
    [(W, 2)],
    [(W, -1), (W, 0)],
    [(W, 0), (W, 1)],
    [(W, -2), (W, -1)],
    [(W, 1), (W, 2)],
    [(S2, 0), (C, 0)],
    [(S3, 0)],
    [(S4, 0)],
    [(P3, 0)],
    [(C, 0), (G, 0)],
    [(C, -1), (C, 0), (C, 1)],
    [(G, -1), (G, 0), (G, 1)],
    [(W, -1), (G, 0)],
    [(W, -2), (W, -1), (G, 0)],
    [(W, 1), (G, 0)],
    [(GAP, 0), (GAP, 1), (C, 0)],
    [(M, 0), (G, 0), (C, 0)],
    [(G, -1), (G, 0), (GAP, 0)],
    [(G, 0), (G, 1), (GAP, 1)],
    [(C, 0), (C, 1), (C, 2)],
    [(C, -2), (C, -1), (C, 0)],
    [(S3, -1), (C, 0)],
    [(S3, 1), (C, 0)],
    [(W, -3), (W, -2), (W, -1)],
    [(POS, 0), (G, 0), (M, 0)],
    [(M, 0)],
    [(W, -1), (C, 0), (C, 1)],
    [(C, 0), (W, 1), (C, 2)],
    [(W, -1), (W, 1)],
    [(C, -1), (G, 0), (C, 1), (M, 0)],
]
WIDEST = 3


def mix(value, part):
    value = (value ^ part) * np.uint32(0x9E3779B1)
    return value ^ (value >> np.uint32(15))


def features(rows):
    """Hashes of each token; `rows` are the tokens of one text."""
    size = len(rows)
    padded = np.ones((size + 2 * WIDEST, 10), np.uint32)
    padded[WIDEST : WIDEST + size] = rows
    made = np.empty((size, len(TEMPLATES)), np.uint32)
    for number, parts in enumerate(TEMPLATES):
        value = np.full(size, number + 1, np.uint32)
        for attribute, distance in parts:
            value = mix(value, padded[WIDEST + distance : WIDEST + distance + size, attribute])
        made[:, number] = mix(value, np.uint32(0)) >> np.uint32(32 - BITS)
    return made


# Data -------------------------------------------------------------------------------------------

CUED_CODE = ("zip", "code", "pin", "postal", "cod")


def labelled(data):
    """(source, key of the split, no labels at all, text, parts) of the texts with labels."""
    for path in split.found(Path(data) / "pii_eval", "*.dev.jsonl*"):
        source = path.name.split(".")[0].split("_")[0]
        for row in split.lines(path):
            parts, hidden, skip = [], [], False
            for span in row["spans"]:
                kind, where = span["type"], (span["start"], span["end"])
                if kind in BY_RULES and (kind != "SSN" or len(span["value"]) > 8):
                    hidden.append(where)
                elif kind == "PERSON":
                    parts.append((*where, 1))
                elif kind == "ADDRESS":
                    parts.append((*where, 2))
                elif kind == "ZIP_CODE":
                    skip |= source == "multidogo" and not any(cue in row["text"] for cue in CUED_CODE)
                    parts.append((*where, 2))
            # A town in an address.
            for span in sorted(row["spans"], key=lambda span: span["start"]):
                if span["type"] == "LOCATION" and near(row["text"], span, parts):
                    parts.append((span["start"], span["end"], 2))
            lone = [p for p in parts if p[2] == 2 and row["text"].strip().isdigit()]
            if not skip and not lone:
                key = spelled(row["template"]) if "template" in row else row["text"]
                yield source, key, not row["spans"], *hide(row["text"], parts, hidden)


def spelled(number):
    """The number of a template in words, as a wording group is made of words."""
    return " ".join(chr(97 + place) + chr(97 + int(digit)) for place, digit in enumerate(number[1:]))


def looks_unlabelled(text, parts, flags):
    """Whether a text without labels may have a name all the same: the publisher labelled some only."""
    words = [flags.get(word, 0) for word in fold(text).split()]
    return not parts and (" name " in f" {text} " or any(flag & 3 and not flag & 16 for flag in words))


def near(text, span, parts):
    ends = [text[end : span["start"]] for _, end, label in parts if label == 2 and end <= span["start"]]
    starts = [text[span["end"] : start] for start, _, label in parts if label == 2 and start >= span["end"]]
    return any(not any(c.isalnum() for c in between) and len(between) < 8 for between in ends + starts)


def hide(text, parts, hidden):
    """Puts placeholders where rules find something."""
    for start, end in sorted(set(hidden), reverse=True):
        if any(s < end and start < e for s, e, _ in parts):
            continue
        text = text[:start] + PLACEHOLDER + text[end:]
        shift = end - start - 1
        parts = [(s - shift, e - shift, l) if s >= end else (s, e, l) for s, e, l in parts]
    return text, parts


def benign(data, flags):
    """(source, key, text) of messages that have nothing to hide: questions to a desk."""
    seen = set()
    for row in split.rows(data):
        family = split.family(row.source)
        # Such messages of MultiDoGO may have names and addresses.
        clear = family != "multidogo" or is_everyday(row.text, flags)
        if clear and row.text not in seen:
            seen.add(row.text)
            yield family, row.part, row.text
    for path in split.found(Path(data) / "cache_eval", "pool.*.jsonl*"):
        for row in split.lines(path):
            if row["text"] not in seen and not row["label"]:
                seen.add(row["text"])
                yield "curekart", split.part("curekart", row["text"]), row["text"]


def is_everyday(text, flags):
    """Whether all words of a text without labels are ordinary ones."""
    words = fold(text).split()
    long = [word for word in words if word.isalpha() and len(word) > 3]
    return all(flags.get(word, 0) & 16 for word in long) and not any(c.isdigit() for c in text)


class Set:
    def __init__(self):
        self.hashes, self.labels, self.lengths, self.weights = [], [], [], []

    def add(self, text, parts, weight, flags, forget=False):
        found = tokens(text, flags)[:80]
        if forget:
            for start, end, row in found:
                if label_of(start, end, parts):
                    row[G] &= ~7
        if not found:
            return
        self.hashes.append(features(np.array([row for _, _, row in found], np.uint32)))
        self.labels.append([label_of(start, end, parts) for start, end, _ in found])
        self.lengths.append(len(found))
        self.weights.append(weight)


def label_of(start, end, parts):
    return next((label for s, e, label in parts if s < end and start < e), 0)


# The chain --------------------------------------------------------------------------------------


class Chain:
    """Texts of the same length together, so that all are walked at once."""

    def __init__(self, data, columns):
        self.columns = columns
        order = np.argsort(np.array(data.lengths), kind="stable")
        hashes = np.concatenate([data.hashes[i] for i in order])
        kept = columns[hashes]
        rows = np.repeat(np.arange(len(hashes)), hashes.shape[1])
        flat, good = kept.ravel(), kept.ravel() >= 0
        shape_ = (len(hashes), int(columns.max()) + 1)
        self.matrix = scipy.sparse.csr_matrix((np.ones(good.sum()), (rows[good], flat[good])), shape_)
        self.transposed = self.matrix.T.tocsr()
        self.truth = np.concatenate([data.labels[i] for i in order]).astype(int)
        self.groups, at, index = [], 0, 0
        lengths = [data.lengths[i] for i in order]
        weights = [data.weights[i] for i in order]
        while index < len(lengths):
            size = lengths[index]
            stop = index
            while stop < len(lengths) and lengths[stop] == size:
                stop += 1
            self.groups.append((at, stop - index, size, np.array(weights[index:stop])))
            at += (stop - index) * size
            index = stop

    def loss(self, vector):
        width = self.matrix.shape[1]
        weights = np.zeros((width, LABELS))
        weights[:, 1:] = vector[: width * 2].reshape(width, 2)
        turns = vector[width * 2 :].reshape(LABELS, LABELS)
        scores = self.matrix @ weights
        total, push, turned = 0.0, np.zeros_like(scores), np.zeros_like(turns)
        for at, count, size, weight in self.groups:
            part = scores[at : at + count * size].reshape(count, size, LABELS)
            truth = self.truth[at : at + count * size].reshape(count, size)
            loss, marginal, pairs = walk(part, turns)
            right = part[np.arange(count)[:, None], np.arange(size)[None], truth].sum(1)
            right += turns[truth[:, :-1], truth[:, 1:]].sum(1)
            total += float(((loss - right) * weight).sum())
            marginal[np.arange(count)[:, None], np.arange(size)[None], truth] -= 1
            push[at : at + count * size] = (marginal * weight[:, None, None]).reshape(-1, LABELS)
            pairs = (pairs * weight[:, None, None]).sum(0)
            for i in range(LABELS):
                for j in range(LABELS):
                    pairs[i, j] -= (((truth[:, :-1] == i) & (truth[:, 1:] == j)).sum(1) * weight).sum()
            turned += pairs
        gradient = np.concatenate([(self.transposed @ push)[:, 1:].ravel(), turned.ravel()])
        return total + 0.5 * RIDGE * float(vector @ vector), gradient + RIDGE * vector


def walk(scores, turns):
    """Log of the sum over all labellings, what each token is, and each pair."""
    count, size, _ = scores.shape
    forward, backward = np.empty_like(scores), np.zeros_like(scores)
    forward[:, 0] = scores[:, 0]
    for t in range(1, size):
        forward[:, t] = scores[:, t] + together(forward[:, t - 1, :, None] + turns[None], 1)
    for t in range(size - 2, -1, -1):
        backward[:, t] = together(turns[None] + (scores[:, t + 1] + backward[:, t + 1])[:, None, :], 2)
    loss = together(forward[:, -1], 1)
    marginal = np.exp(forward + backward - loss[:, None, None])
    pairs = np.zeros((count, LABELS, LABELS))
    for t in range(1, size):
        both = forward[:, t - 1, :, None] + turns[None] + (scores[:, t] + backward[:, t])[:, None, :]
        pairs += np.exp(both - loss[:, None, None])
    return loss, marginal, pairs


def together(values, axis):
    top = values.max(axis, keepdims=True)
    return (np.log(np.exp(values - top).sum(axis, keepdims=True)) + top).squeeze(axis)


# The fitted tagger ------------------------------------------------------------------------------


class Tagger:
    """As src/guard/pii/tagger/chain.rs reads it: whole numbers, and one scale for all."""

    def __init__(self, table, turns, bias, bonus, flags):
        self.table, self.turns, self.bias, self.bonus, self.flags = table, turns, bias, bonus, flags

    def labels(self, text):
        found = tokens(text, self.flags)
        if not found:
            return []
        hashes = features(np.array([row for _, _, row in found], np.uint32))
        scores = np.zeros((len(found), LABELS), np.int64)
        scores[:, 1:] = self.table[hashes].sum(1)
        scores[:, 0] += self.bias
        scores[:, 2] += self.bonus
        best, back = scores[0], []
        for score in scores[1:]:
            ways = best[:, None] + self.turns
            back.append(ways.argmax(0))
            best = ways.max(0) + score
        label = int(best.argmax())
        path = [label]
        for step in reversed(back):
            label = int(step[label])
            path.append(label)
        return [(start, end, label) for (start, end, _), label in zip(found, reversed(path))]


def fit(data, flags):
    hashes = np.concatenate(data.hashes)
    counts = np.bincount(hashes.ravel(), minlength=1 << BITS)
    columns = np.full(1 << BITS, -1)
    used = np.flatnonzero(counts >= FEWEST)
    columns[used] = np.arange(len(used))
    chain = Chain(data, columns)
    start = np.zeros(len(used) * 2 + LABELS * LABELS)
    found = scipy.optimize.minimize(chain.loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    print(f"loss {found.fun:.0f} after {found.nit} rounds", file=sys.stderr)
    weights, turns = found.x[: len(used) * 2].reshape(-1, 2), found.x[len(used) * 2 :].reshape(LABELS, LABELS)
    scale = 127 / np.quantile(np.abs(weights), 0.9999)
    table = np.zeros((1 << BITS, 2), np.int64)
    table[used] = np.clip(np.rint(weights * scale), -127, 127)
    return table, np.rint(turns * scale).astype(np.int64), scale


# Figures ----------------------------------------------------------------------------------------


def measure(tagger, rows, show=0):
    hidden, spans, alarms, missed, wrong = collections.Counter(), collections.Counter(), 0, [], []
    for text, parts in rows:
        found = [piece for piece in tagger.labels(text) if piece[2]]
        for start, end, label in parts:
            spans[label] += 1
            inside = [token for token in tokens(text, tagger.flags) if token[0] < end and start < token[1]]
            whole = all(any(s <= token[0] and token[1] <= e for s, e, _ in found) for token in inside)
            hidden[label] += whole
            if not whole:
                missed.append((label, text[start:end], text))
        loose = [p for p in found if not any(s < p[1] and p[0] < e for s, e, _ in parts)]
        alarms += bool(loose)
        if loose:
            wrong.append(([text[s:e] for s, e, _ in loose], text))
    share = lambda label: f"{100 * hidden[label] / max(1, spans[label]):5.1f} % of {spans[label]}"
    print(f"   names {share(1)}, addresses {share(2)}, false alarms in {alarms} of {len(rows)} "
          f"({100 * alarms / max(1, len(rows)):.2f} %)")
    for line in missed[:show]:
        print("      missed", line)
    for line in wrong[:show]:
        print("      alarm ", line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("--lists", required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--bias", type=float, default=-0.9)
    parser.add_argument("--bonus", type=float, default=0.0, help="for addresses")
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    flags = read_lists(arguments.lists)
    data, report = Set(), collections.defaultdict(list)
    for source, key, empty, text, parts in labelled(arguments.data):
        if split.part(source, key) == "train":
            if source != "multidogo" or not looks_unlabelled(text, parts, flags):
                data.add(text, parts, WEIGHTS.get(source, WEIGHTS["other"]), flags)
        else:
            kind = "with" if parts else "nothing" if empty else "other"
            report[f"{source} {kind}"].append((text, parts))
    for source, part, text in benign(arguments.data, flags):
        if part == "train":
            data.add(text, [], WEIGHTS["other"], flags)
        else:
            report[source + " questions"].append((text, []))
    for text, _ in own.examples() + own.about_goods():
        data.add(text, [], WEIGHTS["other"], flags)
    for index, (text, parts) in enumerate(people.made()):
        # The lists do not have everybody.
        data.add(text, parts, WEIGHTS["own"], flags, forget=index % 4 == 0)
    report["made"] = list(people.made(people.SEED + 1))[::10]
    print(len(data.lengths), "texts,", sum(data.lengths), "tokens", file=sys.stderr)
    table, turns, scale = fit(data, flags)
    for bias in sorted({0.4, arguments.bias, -1.0}):
        print("bias", bias)
        tagger = Tagger(table, turns, round(bias * scale), round(arguments.bonus * scale), flags)
        for name, rows in sorted(report.items()):
            print(f"  {name}")
            measure(tagger, rows, arguments.show if bias == arguments.bias else 0)
    if arguments.out:
        write(arguments.out, Tagger(table, turns, round(arguments.bias * scale), round(arguments.bonus * scale), flags), report["made"])


def write(out, tagger, made):
    head = np.array([*tagger.turns.ravel(), tagger.bias, tagger.bonus], "<i4").tobytes()
    (out / "weights.bin").write_bytes(head + tagger.table.astype(np.int8).tobytes())
    examples = []
    # A placeholder cannot be typed.
    typed = [text for text, _ in made if PLACEHOLDER not in text]
    for text in typed[:: max(1, len(typed) // 60)]:
        found = [(len(text[:start].encode()), len(text[:end].encode()), label) for start, end, label in tagger.labels(text)]
        examples.append({"text": text, "tokens": found})
    (out / "examples.json").write_text(json.dumps(examples, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()

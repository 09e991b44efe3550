#!/usr/bin/env python3
"""Fits the head of src/guard/injection and writes it as plain data; or writes the messages to measure.

    injection.py DATA --model data/model/all-MiniLM-L6-v2 --out src/guard/injection/head.json
    injection.py DATA --rows data/train/injection.jsonl

The head is a network with one hidden layer on the embedding of a message, with two outputs. It is
fitted on the part `train` of the split, on injection.txt, and on customer messages of all other
folders, which are the large harmless class. The scores from which it counts are chosen on texts of
the same part that the network, fitted without them, has not seen.

The rows are those of DATA/injection_eval in the part `report`, with what a plain baseline says to
each: TF-IDF of words and pairs of words with logistic regression, fitted on the same texts.
"""

import argparse
import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import own
import split

ATTACK = 1
# Harmful wishes are no injections, and tasks in other people's e-mails are harmless in one's own.
LEFT_OUT = {"harmful_request"}
CUSTOMERS = ("customer_message", "customer_message_trigger_words")
FOLDS = 4
# How many messages are made of a customer message and an attack.
COMPOSED = 3000
LONGEST_COMPOSED = 400
# Shares of the customer messages that may be above the two scores, among those with trigger words.
ALARMS_ALONE = 0.003
ALARMS_WITH_A_RULE = 0.05


@dataclass(frozen=True)
class Row:
    text: str
    label: int
    category: str
    part: str
    group: str


def place(row):
    """(source, wording group) of a row of injection_eval, as the split wants them."""
    if "cluster" in row:
        return "garak", "".join("abcdefghij"[int(digit)] for digit in str(row["cluster"]))
    if row["category"] == "jailbreak_dan_family":
        return "garak", " ".join(row["text"].split()[:6])
    if "instruction" in row:
        return "injection", row["instruction"]
    if row["label"] == "attack" or row["source"].startswith("deepset"):
        return "injection", row["text"]
    return row["source"], row["text"]


def injections(data):
    for path in split.found(Path(data) / "injection_eval", "injection.*.jsonl*"):
        for row in split.lines(path):
            source, wording = place(row)
            kept_aside = ".dev." not in path.name
            part = "report" if kept_aside else split.part(source, wording)
            yield row, part, f"{split.family(source)}/{split.group(wording)}"


def customers(data):
    """(source, text) of messages that no attack is among."""
    for row in split.rows(data):
        if row.part == "train":
            yield row.source, row.text
    for path in split.found(Path(data) / "conversations", "cucom_ecommerce.dev.jsonl*"):
        for row in split.lines(path):
            for turn in row["turns"]:
                if turn["role"] == "user" and split.part("cucom", turn["text"]) == "train":
                    yield "cucom", turn["text"]


def texts(data):
    """Everything that is fitted on or reported on, once per text."""
    rows, seen = [], set()

    def add(text, label, category, part, group):
        if text not in seen:
            seen.add(text)
            rows.append(Row(text, label, category, part, group))

    for row, part, group in injections(data):
        if row["category"] in LEFT_OUT:
            continue
        add(row["text"], int(row["label"] == "attack"), row["category"], part, group)
        # The attack alone, as a sentence is measured where a rule fires.
        if row["category"] == "embedded_in_customer_message" and part == "train":
            add(row["instruction"], ATTACK, "instruction", part, group)
    for section, text in own.entries("injection.txt"):
        add(text, int(section == "attack"), f"own {section}", "train", f"own/{split.group(text)}")
    for source, text in customers(data):
        add(text, 0, "customer", "train", f"{split.family(source)}/{split.group(text)}")
    for text, group in own_customers():
        add(text, 0, "own customer", "train", group)
    rows += composed(rows)
    return rows


def own_customers():
    for text, _ in own.examples() + own.about_goods():
        yield text, f"own/{split.group(text)}"
    for line in (split.HERE / "../../tests/data/triage/person.tsv").read_text().splitlines():
        text = line.split("\t")[2]
        yield text, f"own/{split.group(text)}"


def composed(rows):
    """Customer messages with an attack before or behind them."""
    fitted = [row for row in rows if row.part == "train" and len(row.text) <= LONGEST_COMPOSED]
    customer = [row.text for row in fitted if row.category in ("customer", *CUSTOMERS)]
    kinds = ("instruction", "deepset_injection", "system_prompt_extraction", "own attack")
    attacks = [row for row in fitted if row.category in kinds]
    for index in range(COMPOSED if attacks and customer else 0):
        attack = attacks[index % len(attacks)]
        message = customer[zlib.crc32(f"{index} {attack.text}".encode()) % len(customer)]
        parts = (message, attack.text) if index // len(attacks) % 2 else (attack.text, message)
        yield Row(" ".join(parts), ATTACK, "composed", "train", attack.group)


# How much all rows of a category count together.
WEIGHT = {
    "customer": 3.0,
    "own customer": 1.0,
    "customer_message": 1.0,
    "customer_message_trigger_words": 2.0,
    "benign_trigger_words": 0.5,
    "benign_scary_words": 0.3,
    "deepset_benign": 0.5,
    "email_clean": 0.2,
    "own benign": 1.5,
    "own attack": 1.0,
    "instruction": 0.5,
    "composed": 1.0,
    "deepset_injection": 1.0,
    "jailbreak_in_the_wild": 1.0,
    "jailbreak_dan_family": 0.1,
    "system_prompt_extraction": 0.4,
    "embedded_in_customer_message": 0.7,
    "indirect_in_email": 0.3,
}


def weights(rows):
    count = {}
    for row in rows:
        count[row.category] = count.get(row.category, 0) + 1
    weight = np.array([WEIGHT[row.category] / count[row.category] for row in rows])
    return (weight / weight.mean()).astype(np.float32)


def fold(row):
    return zlib.crc32(row.group.encode()) % FOLDS


def score(network, vectors):
    """The share of an attack, 0 to 1."""
    benign, attack = network.logits(vectors).T
    return 1 / (1 + np.exp(benign - attack))


def thresholds(rows, vectors, fit):
    """Scores that so many customer messages with trigger words exceed, unseen."""
    folds = np.array([fold(row) for row in rows])
    unseen, known = [], []
    for each in range(FOLDS):
        network = fit(folds != each)
        measured = folds == each
        unseen.append(score(network, vectors[measured]))
        known += [row for row, in_fold in zip(rows, measured) if in_fold]
    unseen = np.concatenate(unseen)
    kind = lambda categories: unseen[[row.category in categories for row in known]]
    triggers, plain = kind(CUSTOMERS[1:]), kind(("customer", CUSTOMERS[0]))
    alone = max(np.quantile(triggers, 1 - ALARMS_ALONE), np.quantile(plain, 1 - ALARMS_ALONE / 2))
    with_rule = np.quantile(triggers, 1 - ALARMS_WITH_A_RULE)
    report(known, unseen, alone, with_rule, "on unseen texts of `train`")
    return round(float(alone), 3), round(float(with_rule), 3)


def report(rows, scores, alone, with_rule, where):
    print(f"{where}: share above {alone:.3f} and {with_rule:.3f}")
    for category in sorted({row.category for row in rows}):
        of = scores[[row.category == category for row in rows]]
        print(f"  {category:32} {len(of):6} rows  {(of >= alone).mean():6.1%}  {(of >= with_rule).mean():6.1%}")


def fit_head(arguments):
    from embed import Embedder, Kept
    from network import Network, Recipe

    recipe = Recipe(hidden=64, epochs=16, batch=256, rate=2e-3, decay=1e-3, dropout=0.4, smoothing=0.02, seed=7)
    embedder = Embedder(arguments.model)
    rows = texts(arguments.data)
    train = [row for row in rows if row.part == "train"]
    if not any(row.category == CUSTOMERS[0] for row in train):
        sys.exit(f"error: {arguments.data} has no injection_eval")
    kept = Kept(embedder, arguments.cache)
    vectors = kept.embed([row.text for row in train])
    labels = np.array([row.label for row in train])

    def fit(chosen):
        chosen_rows = [row for row, keep in zip(train, chosen) if keep]
        return Network.fit(vectors[chosen], labels[chosen], 2, weights(chosen_rows), recipe)

    alone, with_rule = thresholds(train, vectors, fit)
    network, layers = fit(np.ones(len(train), bool)).quantised()
    head = {"embedder": embedder.name, "alone": alone, "with_a_rule": with_rule, "layers": layers}
    arguments.out.write_text(json.dumps(head, indent=1) + "\n")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB")
    measured = [row for row in rows if row.part == "report"]
    scores = score(network, kept.embed([row.text for row in measured]))
    report(measured, scores, alone, with_rule, "on `report`")


def write_rows(arguments):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    train = [row for row in texts(arguments.data) if row.part == "train"]
    measured = [row for row, part, _ in injections(arguments.data) if part == "report"]
    if not measured:
        sys.exit(f"error: {arguments.data} has no injection_eval/injection.*.jsonl")
    if any(row.label == ATTACK for row in train):
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
            LogisticRegression(C=10, max_iter=300),
        )
        model.fit([row.text for row in train], [row.label for row in train], logisticregression__sample_weight=weights(train))
        for row, share in zip(measured, model.predict_proba([row["text"] for row in measured])[:, 1]):
            row["baseline"] = round(float(share), 4)
    arguments.rows.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.rows, "w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in measured)
    print(f"{len(train)} messages fitted the baseline, {len(measured)} are measured", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description="Fit the head against injection, or write what is measured.")
    parser.add_argument("data", type=Path, help="folder with injection_eval and the other folders")
    parser.add_argument("--model", type=Path, help="folder of the embedding model")
    parser.add_argument("--cache", type=Path, default=Path("data/train"), help="keeps vectors between runs")
    parser.add_argument("--out", type=Path, default=Path("src/guard/injection/head.json"))
    parser.add_argument("--rows", type=Path, help="only writes the messages to measure")
    arguments = parser.parse_args()
    if arguments.rows:
        write_rows(arguments)
    elif arguments.model:
        fit_head(arguments)
    else:
        parser.error("--model or --rows is needed")


if __name__ == "__main__":
    main()

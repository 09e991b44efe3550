#!/usr/bin/env python3
"""Fits the head of src/triage and writes it as plain data.

    train.py DATA --model data/model/all-MiniLM-L6-v2 --out src/triage/head.json
    train.py DATA --leave-out hint3     reports on a source that the head has never seen; writes nothing

The head is a network with one hidden layer on the embedding of a message. It is fitted on the part
`train` of split.py and on own.py. Its temperature is fitted on texts of the same part that the
network, fitted without them, has not seen.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import own
import split
from embed import Embedder, Kept
from network import Network, Recipe, softmax

TOPICS = (
    "technical billing orders returns shipping account product general smalltalk out_of_scope human unknown".split()
)
# Groups of topics that the accuracy is measured on; all others are `general`.
COARSE = {
    "technical": "technical",
    "billing": "billing",
    "returns": "billing",
    "human": "human",
    "out_of_scope": "out_of_scope",
    "unknown": "unknown",
}
GROUPS = "technical billing general out_of_scope human unknown".split()
UNKNOWN = GROUPS.index("unknown")
MEMBERS = np.array([[COARSE.get(topic, "general") == group for group in GROUPS] for topic in TOPICS], np.float32)

RECIPE = Recipe(
    hidden=256, epochs=24, batch=256, rate=2e-3, decay=1e-3, dropout=0.4, smoothing=0.05, seed=20
)
FOLDS = 4
# How much a source counts, against that of the square root of its texts.
SOURCE_WEIGHT = {"own": 4.0, "goods": 2.0, "multidogo": 3.0, "clinc": 1.5}
# Every third message of these is added with a spelling mistake, and so is every one of our own.
MISSPELT = {"bitext", "banking77"}
MISSPELT_EVERY = 3
MISSPELT_WEIGHT = 0.5
# How much a real user's message without an answer counts, against others of its source.
UNKNOWN_WEIGHT = 4.0
# All fragments that answer a question of the agent together, against all else.
FRAGMENTS_WEIGHT = 0.02


@dataclass
class Data:
    texts: list
    vectors: np.ndarray
    topics: np.ndarray
    sources: np.ndarray
    train: np.ndarray
    # Rows of routing_eval, which the figures are quoted on.
    routing: np.ndarray
    real: np.ndarray
    fragments: np.ndarray
    folds: np.ndarray

    @classmethod
    def read(cls, folder, embedder):
        rows = list(split.rows(folder))
        extra = [("own", *pair) for pair in own.examples()] + [("goods", *pair) for pair in own.about_goods()]
        spelt = [row for row in rows if row.part == "train" and row.source in MISSPELT][::MISSPELT_EVERY]
        spelt = [(split.family(row.source), row.text, row.topic) for row in spelt] + extra
        typos = [(source, own.misspelt(text), topic) for source, text, topic in spelt]
        extra += [(f"{source} misspelt", text, topic) for source, text, topic in typos if text]
        texts = [row.text for row in rows] + [text for _, text, _ in extra]
        none = np.zeros(len(extra), bool)
        topics = [row.topic for row in rows] + [topic for _, _, topic in extra]
        return cls(
            texts=texts,
            vectors=embedder.embed(texts),
            topics=np.array([TOPICS.index(topic) for topic in topics]),
            sources=np.array([split.family(row.source) for row in rows] + [source for source, _, _ in extra]),
            train=np.append([row.part == "train" for row in rows], ~none),
            routing=np.append([row.folder == "routing_eval" for row in rows], none),
            real=np.append([row.real_user for row in rows], none),
            fragments=np.append([row.label == "contentonly" for row in rows], none),
            folds=np.array([hash_fold(text) for text in texts]),
        )


def hash_fold(text):
    """The fold of a wording group."""
    return int.from_bytes(split.hashlib.sha256(split.group(text).encode()).digest()[:4], "big") % FOLDS


def weights(data, rows):
    weight = np.zeros(len(rows))
    plain = rows & ~data.fragments
    for source in np.unique(data.sources[plain]):
        of_source = plain & (data.sources == source)
        share = MISSPELT_WEIGHT if source.endswith(" misspelt") else SOURCE_WEIGHT.get(source, 1.0)
        weight[of_source] = share / np.sqrt(of_source.sum())
        weight[of_source & data.real & (data.topics == TOPICS.index("unknown"))] *= UNKNOWN_WEIGHT
    fragments = rows & data.fragments
    weight[fragments] = weight.sum() * FRAGMENTS_WEIGHT / max(1, fragments.sum())
    weight = weight[rows]
    return (weight / weight.mean()).astype(np.float32)


def fitted(data, rows):
    return Network.fit(data.vectors[rows], data.topics[rows], len(TOPICS), weights(data, rows), RECIPE)


def temperature(data, rows):
    """By which logits are divided so that confidence is the share that is right."""
    logits, truth = [], []
    for fold in range(FOLDS):
        unseen = rows & (data.folds == fold)
        measured = unseen & data.routing & (data.topics != TOPICS.index("unknown"))
        network = fitted(data, rows & ~unseen)
        logits.append(network.logits(data.vectors[measured]))
        truth.append(MEMBERS[data.topics[measured]].argmax(1))
    logits, truth = np.concatenate(logits), np.concatenate(truth)

    def loss(candidate):
        shares = softmax(logits / candidate) @ MEMBERS
        return -np.log(shares[np.arange(len(truth)), truth] + 1e-9).mean()

    return float(min(np.arange(0.6, 2.5, 0.02), key=loss))


def judged(shares):
    """The group that a message goes to, and the confidence. Nothing goes to `unknown`."""
    chosen = shares[:, :UNKNOWN].argmax(1)
    return chosen, shares[np.arange(len(shares)), chosen]


def calibration_error(confidence, right):
    """Expected calibration error over ten bins of equal width."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [
        (bins == each).mean() * abs(confidence[bins == each].mean() - right[bins == each].mean())
        for each in np.unique(bins)
    ]
    return sum(gaps)


def report(data, network, heat, rows):
    shares = softmax(network.logits(data.vectors[rows]) / heat) @ MEMBERS
    truth = MEMBERS[data.topics[rows]].argmax(1)
    chosen, confidence = judged(shares)
    right, known = chosen == truth, truth != UNKNOWN
    for source in np.unique(data.sources[rows]):
        of_source = known & (data.sources[rows] == source)
        if of_source.any():
            print(f"  {source:10} {of_source.sum():5} rows  {right[of_source].mean():6.1%} right")
    real = known & data.real[rows]
    if real.any():
        print(f"  real users {real.sum():5} rows  {right[real].mean():6.1%} right")
    print(f"  calibration error {calibration_error(confidence[known], right[known]):.3f}")


def main():
    parser = argparse.ArgumentParser(description="Fit the head of triage.")
    parser.add_argument("data", type=Path, help="folder with routing_eval, cache_eval, conversations")
    parser.add_argument("--model", type=Path, required=True, help="folder of the embedding model")
    parser.add_argument("--cache", type=Path, default=Path("data/train"), help="keeps vectors between runs")
    parser.add_argument("--out", type=Path, default=Path("src/triage/head.json"))
    parser.add_argument("--leave-out", metavar="SOURCE", help="only report on a source that is not fitted on")
    arguments = parser.parse_args()
    embedder = Embedder(arguments.model)
    data = Data.read(arguments.data, Kept(embedder, arguments.cache))
    if not data.routing.any():
        sys.exit(f"error: {arguments.data} has no routing_eval")
    if arguments.leave_out:
        left = np.isin(data.sources, [arguments.leave_out, f"{arguments.leave_out} misspelt"])
        network = fitted(data, data.train & ~left)
        print(f"fitted without {arguments.leave_out}, on all of its rows:")
        report(data, network, 1.0, left & data.routing)
        return
    heat = round(temperature(data, data.train), 2)
    network, layers = fitted(data, data.train).quantised()
    head = {"embedder": embedder.name, "topics": TOPICS, "temperature": heat, "layers": layers}
    arguments.out.write_text(json.dumps(head, indent=1) + "\n")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, temperature {heat}; on `report`:")
    report(data, network, heat, ~data.train & data.routing)


if __name__ == "__main__":
    main()

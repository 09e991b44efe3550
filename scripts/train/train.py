#!/usr/bin/env python3
"""Fits the head of src/triage and writes it as plain data.

    train.py DATA --model data/model/all-MiniLM-L6-v2 --out src/triage/head.json
    train.py DATA --leave-out hint3     reports on a source that the head has never seen; writes nothing

The head is a network with one hidden layer on the embedding of a message. It is fitted on the part
`train` of split.py and on own.py. Its temperature is fitted on texts of the same part that the
network, fitted without them, has not seen.
"""

import argparse
import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import own
import split
from embed import Embedder, Kept

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

HIDDEN = 256
EPOCHS = 24
BATCH = 256
RATE = 2e-3
DECAY = 1e-3
DROPOUT = 0.4
SMOOTHING = 0.05
SEED = 20
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


def softmax(values):
    values = np.exp(values - values.max(1, keepdims=True))
    return values / values.sum(1, keepdims=True)


class Network:
    """logits = relu(x @ w1 + b1) @ w2 + b2"""

    def __init__(self, parameters):
        self.parameters = parameters

    def logits(self, vectors):
        w1, b1, w2, b2 = self.parameters
        return np.maximum(vectors @ w1 + b1, 0) @ w2 + b2

    @classmethod
    def fit(cls, vectors, topics, weight):
        """Adam with decoupled decay and a cosine of the rate; the same on every machine of a kind."""
        random = np.random.default_rng(SEED)
        dim, classes = vectors.shape[1], len(TOPICS)
        # The network sees components around one; the factor moves into the weights at the end.
        scale = np.float32(np.sqrt(dim))
        vectors = vectors * scale
        target = np.eye(classes, dtype=np.float32)[topics] * (1 - SMOOTHING) + SMOOTHING / classes
        parameters = [
            random.normal(0, np.sqrt(2 / dim), (dim, HIDDEN)),
            np.zeros(HIDDEN),
            random.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, classes)),
            np.zeros(classes),
        ]
        parameters = [parameter.astype(np.float32) for parameter in parameters]
        first = [np.zeros_like(parameter) for parameter in parameters]
        second = [np.zeros_like(parameter) for parameter in parameters]
        steps, step = EPOCHS * -(-len(vectors) // BATCH), 0
        for _ in range(EPOCHS):
            order = random.permutation(len(vectors))
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                w1, b1, w2, b2 = parameters
                x = vectors[batch]
                before = x @ w1 + b1
                kept = (random.random(before.shape, np.float32) >= DROPOUT) / np.float32(1 - DROPOUT)
                hidden = np.maximum(before, 0) * kept
                error = (softmax(hidden @ w2 + b2) - target[batch]) * (weight[batch, None] / len(batch))
                back = (error @ w2.T) * kept * (before > 0)
                gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
                step += 1
                rate = RATE / 2 * (1 + np.cos(np.pi * step / steps))
                for index, gradient in enumerate(gradients):
                    first[index] = 0.9 * first[index] + 0.1 * gradient
                    second[index] = 0.999 * second[index] + 0.001 * gradient**2
                    move = first[index] / (1 - 0.9**step) / (np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8)
                    if parameters[index].ndim == 2:
                        move = move + DECAY * parameters[index]
                    parameters[index] = (parameters[index] - rate * move).astype(np.float32)
        parameters[0] = parameters[0] * scale
        return cls(parameters)

    @classmethod
    def of(cls, data, rows):
        return cls.fit(data.vectors[rows], data.topics[rows], weights(data, rows))

    def quantised(self):
        """With the weights of each output in 255 steps, and what is written of them."""
        parameters, layers = [], []
        for w, b in (self.parameters[:2], self.parameters[2:]):
            scale = np.abs(w).max(0) / 127
            steps = np.round(w / scale).astype(np.int8)
            b = np.round(b, 4).astype(np.float32)
            scale = np.array([float(f"{s:.6g}") for s in scale], np.float32)
            parameters += [steps * scale, b]
            layers.append(
                {
                    # Of one output after the other.
                    "weights": base64.b64encode(steps.T.tobytes()).decode(),
                    "scale": [float(f"{s:.6g}") for s in scale],
                    "bias": [float(f"{x:.4f}") for x in b],
                }
            )
        return Network(parameters), layers


def temperature(data, rows):
    """By which logits are divided so that confidence is the share that is right."""
    logits, truth = [], []
    for fold in range(FOLDS):
        unseen = rows & (data.folds == fold)
        measured = unseen & data.routing & (data.topics != TOPICS.index("unknown"))
        network = Network.of(data, rows & ~unseen)
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
        network = Network.of(data, data.train & ~left)
        print(f"fitted without {arguments.leave_out}, on all of its rows:")
        report(data, network, 1.0, left & data.routing)
        return
    heat = round(temperature(data, data.train), 2)
    network, layers = Network.of(data, data.train).quantised()
    head = {"embedder": embedder.name, "topics": TOPICS, "temperature": heat, "layers": layers}
    arguments.out.write_text(json.dumps(head, indent=1) + "\n")
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1000:.0f} kB, temperature {heat}; on `report`:")
    report(data, network, heat, ~data.train & data.routing)


if __name__ == "__main__":
    main()

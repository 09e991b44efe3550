"""Vectors of texts, made as src/embedding makes them, and kept between runs."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

BATCH = 64


class Embedder:
    def __init__(self, folder):
        """`folder` is what `make model` left: model_int8.onnx, tokenizer.json, meta.json."""
        folder = Path(folder)
        meta = json.loads((folder / "meta.json").read_text())
        self.name, self.dim = meta["name"], meta["dim"]
        self.id = meta["models"]["model_int8.onnx"]["embedder_id"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(meta["max_tokens"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model_int8.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def embed(self, texts):
        """A row of length one for each text. Texts of one length make a batch, so none is padded."""
        ids = [self.tokenizer.encode(text).ids for text in texts]
        by_length = {}
        for index, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(index)
        vectors = np.zeros((len(texts), self.dim), np.float32)
        for _, indices in sorted(by_length.items()):
            for start in range(0, len(indices), BATCH):
                batch = indices[start : start + BATCH]
                tokens = np.array([ids[index] for index in batch], np.int64)
                inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens)}
                vectors[batch] = self.session.run(["embedding"], inputs)[0]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Kept:
    """Vectors of an embedder in a file, so that each text is embedded once."""

    def __init__(self, embedder, cache):
        self.embedder = embedder
        self.path = Path(cache) / f"{embedder.id}.npz"
        self.known = {}
        if self.path.exists():
            kept = np.load(self.path)
            self.known = dict(zip(kept["texts"].tolist(), kept["vectors"].astype(np.float32)))

    def embed(self, texts):
        new = [text for text in dict.fromkeys(texts) if text not in self.known]
        if new:
            print(f"embedding {len(new)} texts ...", flush=True)
            self.known |= zip(new, self.embedder.embed(new))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            vectors = np.array(list(self.known.values()), np.float16)
            np.savez(self.path, texts=np.array(list(self.known)), vectors=vectors)
        # Rounded as in the file, so that the first run gives what later runs give.
        return np.array([self.known[text] for text in texts]).astype(np.float16).astype(np.float32)

"""What a model must show before it is installed."""

import math

import numpy as np
import onnxruntime

from bert_numpy import encode

# Similarities of these three texts as sentence-transformers publishes them for all-MiniLM-L6-v2:
# an anchor from outside, which a mistake shared by our graph and our numpy would miss.
ANCHORS = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
PUBLISHED = {(0, 1): 0.6660, (0, 2): 0.1046, (1, 2): 0.1411}

TEXTS = ANCHORS + [
    "Where is my order?",
    "How do I cancel my order?",
    "Can I still change the delivery address after I have paid?",
    "I was charged twice for the same pair of shoes, please refund one of them.",
    "My parcel is marked as delivered, but nobody in the house has received anything.",
    "Do you ship to Canada?",
    "I forgot my password and the mail to reset it never arrives.",
    "What is your return policy for opened electronics?",
    "The zip of the jacket broke after two days.",
    "¿Cuándo llega mi pedido?",
    "Is the blue one, size 42, back in stock soon?",
    "hi",
    " ".join(["The kettle leaks and I would like a replacement."] * 12),
]


class CheckFailed(Exception):
    pass


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def embed(model: onnxruntime.InferenceSession, batch: list) -> np.ndarray:
    ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return model.run(["embedding"], {"input_ids": ids, "attention_mask": mask})[0]


def require(holds: bool, what: str) -> None:
    if not holds:
        raise CheckFailed(what)


def check(tensors: dict, shape, tokenizer, float_model: bytes, int8_model: bytes) -> list:
    """Raises CheckFailed, or returns the figures as lines of text."""
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    exact, quantised = session(float_model), session(int8_model)
    floats = np.concatenate([embed(exact, [tokens]) for tokens in ids])
    ints = np.concatenate([embed(quantised, [tokens]) for tokens in ids])
    reference = np.stack([encode(tensors, shape, tokens) for tokens in ids])

    error = float(np.abs(floats - reference).max())
    require(error < 1e-5, f"model.onnx differs from numpy by {error:.1e}")
    for (a, b), published in PUBLISHED.items():
        similarity = float(floats[a] @ floats[b])
        require(math.isclose(similarity, published, abs_tol=2e-4), f"anchor {a}, {b}: {similarity:.4f} for {published}")
    cosine = (floats * ints).sum(1)
    require(cosine.min() > 0.985, f"int8 against float32: cosine {cosine.min():.4f}")
    drift = 1 - float((embed(quantised, ids) * ints).sum(1).min())
    require(drift < 1e-3, f"int8 in a batch against alone: 1 - cosine = {drift:.1e}")
    return [
        f"float32 against numpy: largest difference {error:.1e}",
        f"int8 against float32: cosine mean {cosine.mean():.4f}, least {cosine.min():.4f}",
        f"int8 in a padded batch against alone: 1 - cosine at most {max(drift, 0):.1e}",
    ]

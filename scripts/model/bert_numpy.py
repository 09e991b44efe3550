"""The same encoder in plain numpy: slow, obvious, and what the ONNX graph is checked against."""

import math

import numpy as np

from bert_onnx import Shape

ERF = np.vectorize(math.erf, otypes=[np.float64])


def layer_norm(x, weight, bias, epsilon):
    mean = x.mean(-1, keepdims=True)
    variance = x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * weight + bias


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def encode(tensors: dict, shape: Shape, ids: list) -> np.ndarray:
    """One text, without padding, in float64: a unit vector [hidden]."""

    def t(name):
        return tensors[name].astype(np.float64)

    def dense(x, name):
        return x @ t(f"{name}.weight").T + t(f"{name}.bias")

    def norm(x, name):
        return layer_norm(x, t(f"{name}.weight"), t(f"{name}.bias"), shape.epsilon)

    def heads(x):
        return x.reshape(len(ids), shape.heads, -1).transpose(1, 0, 2)

    x = (
        t("embeddings.word_embeddings.weight")[ids]
        + t("embeddings.position_embeddings.weight")[: len(ids)]
        + t("embeddings.token_type_embeddings.weight")[0]
    )
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(shape.layers):
        p = f"encoder.layer.{layer}"
        q, k, v = (heads(dense(x, f"{p}.attention.self.{part}")) for part in ("query", "key", "value"))
        scores = q @ k.transpose(0, 2, 1) / math.sqrt(shape.hidden // shape.heads)
        context = (softmax(scores) @ v).transpose(1, 0, 2).reshape(len(ids), shape.hidden)
        x = norm(dense(context, f"{p}.attention.output.dense") + x, f"{p}.attention.output.LayerNorm")
        inner = dense(x, f"{p}.intermediate.dense")
        inner = inner * 0.5 * (1.0 + ERF(inner / math.sqrt(2.0)))
        x = norm(dense(inner, f"{p}.output.dense") + x, f"{p}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)

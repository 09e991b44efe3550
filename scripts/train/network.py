"""A network with one hidden layer, fitted with numpy and written as plain data."""

import base64
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recipe:
    hidden: int
    epochs: int
    batch: int
    rate: float
    decay: float
    dropout: float
    smoothing: float
    seed: int


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
    def fit(cls, vectors, labels, classes, weight, recipe):
        """Adam with decoupled decay and a cosine of the rate; the same on every machine of a kind."""
        random = np.random.default_rng(recipe.seed)
        dim = vectors.shape[1]
        # The network sees components around one; the factor moves into the weights at the end.
        scale = np.float32(np.sqrt(dim))
        vectors = vectors * scale
        target = np.eye(classes, dtype=np.float32)[labels] * (1 - recipe.smoothing) + recipe.smoothing / classes
        parameters = [
            random.normal(0, np.sqrt(2 / dim), (dim, recipe.hidden)),
            np.zeros(recipe.hidden),
            random.normal(0, np.sqrt(1 / recipe.hidden), (recipe.hidden, classes)),
            np.zeros(classes),
        ]
        parameters = [parameter.astype(np.float32) for parameter in parameters]
        first = [np.zeros_like(parameter) for parameter in parameters]
        second = [np.zeros_like(parameter) for parameter in parameters]
        steps, step = recipe.epochs * -(-len(vectors) // recipe.batch), 0
        for _ in range(recipe.epochs):
            order = random.permutation(len(vectors))
            for start in range(0, len(order), recipe.batch):
                batch = order[start : start + recipe.batch]
                w1, b1, w2, b2 = parameters
                x = vectors[batch]
                before = x @ w1 + b1
                kept = (random.random(before.shape, np.float32) >= recipe.dropout) / np.float32(1 - recipe.dropout)
                hidden = np.maximum(before, 0) * kept
                error = (softmax(hidden @ w2 + b2) - target[batch]) * (weight[batch, None] / len(batch))
                back = (error @ w2.T) * kept * (before > 0)
                gradients = [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
                step += 1
                rate = recipe.rate / 2 * (1 + np.cos(np.pi * step / steps))
                for index, gradient in enumerate(gradients):
                    first[index] = 0.9 * first[index] + 0.1 * gradient
                    second[index] = 0.999 * second[index] + 0.001 * gradient**2
                    move = first[index] / (1 - 0.9**step) / (np.sqrt(second[index] / (1 - 0.999**step)) + 1e-8)
                    if parameters[index].ndim == 2:
                        move = move + recipe.decay * parameters[index]
                    parameters[index] = (parameters[index] - rate * move).astype(np.float32)
        parameters[0] = parameters[0] * scale
        return cls(parameters)

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

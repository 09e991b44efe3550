"""Writes a BERT sentence encoder as an ONNX graph, from its tensors, with nothing but `onnx.helper`.

Inputs: `input_ids` and `attention_mask`, int64 [batch, seq]. Output: `embedding`, float32
[batch, hidden], mean-pooled over the mask and L2-normalised. Only standard operators.

Two precisions share one graph and differ in `linear` and `words`: `Graph` is float32,
`Int8Graph` multiplies integers. The usual dynamic quantisation takes one scale for the whole
batch, so that a text gets another vector in other company (cosine 0.99 to itself). Here every
token has its own scale: a text has one vector, alone or in a batch, and the error halves.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
ZERO_POINT = 128


@dataclass(frozen=True)
class Shape:
    """What config.json of the model says about its form."""

    layers: int
    heads: int
    hidden: int
    epsilon: float

    @classmethod
    def of(cls, config: dict) -> "Shape":
        if config["hidden_act"] != "gelu" or config["position_embedding_type"] != "absolute":
            raise ValueError("only BERT with gelu and absolute positions is known here")
        return cls(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            hidden=config["hidden_size"],
            epsilon=config["layer_norm_eps"],
        )


class Graph:
    """Collects nodes and constants; a method that adds something returns the name of its value.

    Hidden states are [tokens, hidden], where tokens = batch x seq.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        self.nodes = []
        self.constants = {}

    def constant(self, name: str, value: np.ndarray) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def ints(self, *values: int) -> str:
        name = "ints_" + "_".join(map(str, values))
        return self.constant(name, np.array(values, dtype=np.int64))

    def scalar(self, name: str, value: float) -> str:
        return self.constant(name, np.array(value, dtype=np.float32))

    def add(self, op: str, inputs: list, output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def linear(self, source: str, weight: np.ndarray, name: str) -> str:
        """`weight` is [inputs, outputs]."""
        return self.add("MatMul", [source, self.constant(f"{name}.weight", weight)], f"{name}/product")

    def words(self, table: np.ndarray) -> str:
        return self.add("Gather", [self.constant("words.table", table), "input_ids"], "words")

    def dense(self, source: str, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        product = self.linear(source, weight, name)
        return self.add("Add", [product, self.constant(f"{name}.bias", bias)], f"{name}/out")

    def layer_norm(self, source: str, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        inputs = [source, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)]
        return self.add("LayerNormalization", inputs, f"{name}/out", axis=-1, epsilon=self.shape.epsilon)

    def gelu(self, source: str, name: str) -> str:
        """x (1 + erf(x / sqrt 2)) / 2, in the form that ONNX Runtime fuses into one operator."""
        scaled = self.add("Div", [source, self.scalar("sqrt_two", 2**0.5)], f"{name}/scaled")
        erf = self.add("Erf", [scaled], f"{name}/erf")
        shifted = self.add("Add", [erf, self.scalar("one", 1.0)], f"{name}/shifted")
        product = self.add("Mul", [source, shifted], f"{name}/product")
        return self.add("Mul", [product, self.scalar("half", 0.5)], f"{name}/out")


class Int8Graph(Graph):
    """Weights are int8 with a scale per column, activations uint8 with a scale per token."""

    def __init__(self, shape: Shape):
        super().__init__(shape)
        self.quantised = {}

    def linear(self, source: str, weight: np.ndarray, name: str) -> str:
        integers, row_scale = self.activations(source)
        column_scale = scale_of(weight, axis=0)
        quantised = self.constant(f"{name}.weight", to_int8(weight / column_scale))
        scale = self.constant(f"{name}.scale", column_scale)
        product = self.add("MatMulInteger", [integers, quantised, self.zero_point()], f"{name}/integers")
        product = self.add("Cast", [product], f"{name}/floats", to=TensorProto.FLOAT)
        product = self.add("Mul", [product, scale], f"{name}/columns")
        return self.add("Mul", [product, row_scale], f"{name}/product")

    def words(self, table: np.ndarray) -> str:
        row_scale = scale_of(table, axis=1)
        integers = self.constant("words.table", to_int8(table / row_scale))
        rows = self.add("Gather", [integers, "input_ids"], "words/integers")
        rows = self.add("Cast", [rows], "words/floats", to=TensorProto.FLOAT)
        scales = self.add("Gather", [self.constant("words.scale", row_scale), "input_ids"], "words/scales")
        return self.add("Mul", [rows, scales], "words")

    def activations(self, source: str) -> tuple:
        """The value as uint8, and the scale of each row; query, key and value share theirs."""
        if source not in self.quantised:
            largest = self.add("Abs", [source], f"{source}/abs")
            largest = self.add("ReduceMax", [largest], f"{source}/largest", axes=[1], keepdims=1)
            scale = self.add("Mul", [largest, self.scalar("step", 1 / 127)], f"{source}/scale")
            flat = self.add("Reshape", [scale, self.ints(-1)], f"{source}/scale_of_row")
            inputs = [source, flat, self.zero_point_of_rows(source)]
            integers = self.add("QuantizeLinear", inputs, f"{source}/integers", axis=0)
            self.quantised[source] = (integers, scale)
        return self.quantised[source]

    def zero_point(self) -> str:
        return self.constant("zero_point", np.array(ZERO_POINT, dtype=np.uint8))

    def zero_point_of_rows(self, source: str) -> str:
        name = "zero_point_of_rows"
        if not self.quantised:
            shape = self.add("Shape", [source], "rows/shape")
            count = self.add("Slice", [shape, self.ints(0), self.ints(1), self.ints(0)], "rows")
            value = numpy_helper.from_array(np.array([ZERO_POINT], dtype=np.uint8))
            self.add("ConstantOfShape", [count], name, value=value)
        return name


def scale_of(values: np.ndarray, axis: int) -> np.ndarray:
    largest = np.abs(values).max(axis, keepdims=True)
    return (np.maximum(largest, 1e-12) / 127).astype(np.float32)


def to_int8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), -127, 127).astype(np.int8)


def embeddings(graph: Graph, tensors: dict) -> str:
    # Every token has type 0, so its row goes into the positions. These are sliced, not gathered by
    # a Range: that trips ONNX Runtime's optimiser.
    table = tensors["embeddings.position_embeddings.weight"]
    table = table + tensors["embeddings.token_type_embeddings.weight"][0]
    table = graph.constant("positions.table", table)
    length = graph.add("Slice", ["shape", graph.ints(1), graph.ints(2), graph.ints(0)], "length")
    positions = graph.add("Slice", [table, graph.ints(0), length, graph.ints(0)], "positions")
    words = graph.words(tensors["embeddings.word_embeddings.weight"])
    total = graph.add("Add", [words, positions], "embeddings/sum")
    rows = graph.add("Reshape", [total, graph.ints(-1, graph.shape.hidden)], "embeddings/rows")
    weight, bias = (tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias"))
    return graph.layer_norm(rows, weight, bias, "embeddings/norm")


def attention(graph: Graph, tensors: dict, hidden: str, layer: int) -> str:
    prefix, name = f"encoder.layer.{layer}.attention.self", f"layer{layer}/attention"
    size = graph.shape.hidden // graph.shape.heads

    def heads(part: str, order: list, scale: float = 1.0) -> str:
        weight = tensors[f"{prefix}.{part}.weight"].T * np.float32(scale)
        bias = tensors[f"{prefix}.{part}.bias"] * np.float32(scale)
        rows = graph.dense(hidden, weight, bias, f"{name}/{part}")
        split = graph.add("Reshape", [rows, "shape_of_heads"], f"{name}/{part}/split")
        return graph.add("Transpose", [split], f"{name}/{part}/heads", perm=order)

    query = heads("query", [0, 2, 1, 3], size**-0.5)
    key = heads("key", [0, 2, 3, 1])
    value = heads("value", [0, 2, 1, 3])
    scores = graph.add("MatMul", [query, key], f"{name}/scores")
    masked = graph.add("Add", [scores, "penalty"], f"{name}/masked")
    weights = graph.add("Softmax", [masked], f"{name}/weights", axis=-1)
    context = graph.add("MatMul", [weights, value], f"{name}/context")
    merged = graph.add("Transpose", [context], f"{name}/merged", perm=[0, 2, 1, 3])
    return graph.add("Reshape", [merged, graph.ints(-1, graph.shape.hidden)], f"{name}/rows")


def encoder_layer(graph: Graph, tensors: dict, hidden: str, layer: int) -> str:
    prefix, name = f"encoder.layer.{layer}", f"layer{layer}"

    def dense(source: str, part: str) -> str:
        weight, bias = (tensors[f"{prefix}.{part}.dense.{end}"] for end in ("weight", "bias"))
        return graph.dense(source, weight.T, bias, f"{name}/{part}")

    def residual(source: str, skip: str, part: str) -> str:
        total = graph.add("Add", [source, skip], f"{name}/{part}/residual")
        weight, bias = (tensors[f"{prefix}.{part}.LayerNorm.{end}"] for end in ("weight", "bias"))
        return graph.layer_norm(total, weight, bias, f"{name}/{part}/norm")

    context = attention(graph, tensors, hidden, layer)
    attended = residual(dense(context, "attention.output"), hidden, "attention.output")
    inner = graph.gelu(dense(attended, "intermediate"), f"{name}/gelu")
    return residual(dense(inner, "output"), attended, "output")


def pooled(graph: Graph, hidden: str) -> str:
    """The sum over the tokens of the mask, brought to length one; the mean points the same way."""
    size = graph.ints(graph.shape.hidden)
    shape = graph.add("Concat", ["shape", size], "shape_of_hidden", axis=0)
    tokens = graph.add("Reshape", [hidden, shape], "pool/tokens")
    row = graph.add("Unsqueeze", ["mask", graph.ints(1)], "pool/mask")
    total = graph.add("MatMul", [row, tokens], "pool/sum")
    total = graph.add("Reshape", [total, graph.ints(-1, graph.shape.hidden)], "pool/rows")
    length = graph.add("ReduceL2", [total], "pool/length", axes=[-1], keepdims=1)
    length = graph.add("Max", [length, graph.scalar("tiny", 1e-12)], "pool/positive")
    return graph.add("Div", [total, length], "embedding")


def build(tensors: dict, graph: Graph) -> onnx.ModelProto:
    shape = graph.shape
    graph.add("Shape", ["input_ids"], "shape")
    heads = graph.ints(shape.heads, shape.hidden // shape.heads)
    graph.add("Concat", ["shape", heads], "shape_of_heads", axis=0)
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    absent = graph.add("Sub", [graph.scalar("one", 1.0), "mask"], "mask/absent")
    scores = graph.add("Mul", [absent, graph.scalar("minus_large", -1e4)], "mask/scores")
    graph.add("Unsqueeze", [scores, graph.ints(1, 2)], "penalty")

    hidden = embeddings(graph, tensors)
    for layer in range(shape.layers):
        hidden = encoder_layer(graph, tensors, hidden, layer)
    output = pooled(graph, hidden)

    tokens = ["batch", "seq"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sentence-encoder",
            [
                helper.make_tensor_value_info("input_ids", TensorProto.INT64, tokens),
                helper.make_tensor_value_info("attention_mask", TensorProto.INT64, tokens),
            ],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", shape.hidden])],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rushdesk",
    )
    onnx.checker.check_model(model, full_check=True)
    return model

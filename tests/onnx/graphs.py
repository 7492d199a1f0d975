"""Small ONNX models made by hand, good ones and such that nobody should serve."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from jupyter_mlstudio.entities.models import Signature, TensorSpec

OPSET = 18


def model(graph: Any, opset: int = OPSET, **imports: int) -> onnx.ModelProto:
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, v) for domain, v in imports.items())]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _value(name: str, shape: list[Any], kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def doubling() -> bytes:
    """Answers twice its input, ``(n, 2) float32``."""
    two = numpy_helper.from_array(np.array(2, np.float32), "two")
    node = helper.make_node("Mul", ["X", "two"], ["Y"])
    graph = helper.make_graph([node], "doubling", [_value("X", ["n", 2])], [_value("Y", ["n", 2])], [two])
    return model(graph).SerializeToString()


DOUBLING = Signature(
    inputs=[TensorSpec(name="X", datatype="FP32", shape=[-1, 2])],
    outputs=[TensorSpec(name="Y", datatype="FP32", shape=[-1, 2])],
    task="other",
)


def logarithm() -> bytes:
    """Answers the logarithm: NaN of a negative number, an infinity of zero."""
    node = helper.make_node("Log", ["X"], ["Y"])
    return model(helper.make_graph([node], "log", [_value("X", ["n", 2])], [_value("Y", ["n", 2])])).SerializeToString()


def endless() -> bytes:
    """Turns a loop 2^62 times."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["goes"]), helper.make_node("Mul", ["x", "one"], ["x2"])],
        "body",
        [_value("i", [], TensorProto.INT64), _value("go", [], TensorProto.BOOL), _value("x", ["n", 2])],
        [_value("goes", [], TensorProto.BOOL), _value("x2", ["n", 2])],
        [numpy_helper.from_array(np.array(1, np.float32), "one")],
    )
    constants = [
        numpy_helper.from_array(np.array(2**62, np.int64), "trips"),
        numpy_helper.from_array(np.array(True), "yes"),
    ]
    node = helper.make_node("Loop", ["trips", "yes", "X"], ["Y"], body=body)
    graph = helper.make_graph([node], "endless", [_value("X", ["n", 2])], [_value("Y", ["n", 2])], constants)
    return model(graph).SerializeToString()


def greedy() -> bytes:
    """Asks for 4 TiB of memory, out of a file of a few bytes."""
    size = numpy_helper.from_array(np.array([2**20, 2**20], np.int64), "size")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["X", "sum"], ["Y"]),
    ]
    graph = helper.make_graph(nodes, "greedy", [_value("X", ["n", 2])], [_value("Y", ["n", 2])], [size])
    return model(graph).SerializeToString()


def sized() -> bytes:
    """Asks for as much memory as its input says, which is what a bad request does."""
    nodes = [
        helper.make_node("Cast", ["X"], ["size"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["size", "flat"], ["sizes"]),
        helper.make_node("ConstantOfShape", ["sizes"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["X", "sum"], ["Y"]),
    ]
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    graph = helper.make_graph(nodes, "sized", [_value("X", ["n", 2])], [_value("Y", ["n", 2])], [flat])
    return model(graph).SerializeToString()


def external(location: str) -> bytes:
    """Keeps its weight in another file."""
    weight = numpy_helper.from_array(np.zeros((2,), np.float32), "W")
    onnx.external_data_helper.set_external_data(weight, location)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    node = helper.make_node("Add", ["X", "W"], ["Y"])
    graph = helper.make_graph([node], "external", [_value("X", ["n", 2])], [_value("Y", ["n", 2])], [weight])
    return model(graph).SerializeToString()


def custom() -> bytes:
    """Uses an operator of a domain that nobody knows."""
    node = helper.make_node("Evil", ["X"], ["Y"], domain="com.x")
    graph = helper.make_graph([node], "custom", [_value("X", ["n", 2])], [_value("Y", ["n", 2])])
    return model(graph, OPSET, **{"com.x": 1}).SerializeToString()


def newer() -> bytes:
    """Comes from a future opset."""
    node = helper.make_node("Identity", ["X"], ["Y"])
    graph = helper.make_graph([node], "newer", [_value("X", ["n", 2])], [_value("Y", ["n", 2])])
    return model(graph, 9999).SerializeToString()


def typed() -> bytes:
    """Passes one tensor of each type through."""
    kinds = {
        "BOOL": TensorProto.BOOL, "UINT8": TensorProto.UINT8, "INT64": TensorProto.INT64, "INT8": TensorProto.INT8,
        "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE, "BYTES": TensorProto.STRING,
    }  # fmt: skip
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in kinds]
    inputs = [_value(name, ["n", 2], kind) for name, kind in kinds.items()]
    outputs = [_value(f"{name}_out", ["n", 2], kind) for name, kind in kinds.items()]
    return model(helper.make_graph(nodes, "typed", inputs, outputs)).SerializeToString()


TYPES = ("BOOL", "UINT8", "INT64", "INT8", "FP32", "FP64", "BYTES")
TYPED = Signature(
    inputs=[TensorSpec(name=name, datatype=name, shape=[-1, 2]) for name in TYPES],
    outputs=[TensorSpec(name=f"{name}_out", datatype=name, shape=[-1, 2]) for name in TYPES],
    task="other",
)

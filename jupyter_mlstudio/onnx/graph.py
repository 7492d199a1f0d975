"""Reads an ONNX file's graph to show it. ``python -m jupyter_mlstudio.onnx.graph FILE`` does it in a limited child."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.graphs import Graph, GraphNode, GraphTensor
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import limit_memory, nodes_of, parse

NODES_LIMIT, TENSORS_LIMIT, LINKS_LIMIT, ATTRIBUTES_LIMIT, METADATA_LIMIT = 10_000, 10_000, 64, 32, 50
NAME_SHOWN, TEXT_SHOWN = 120, 2000
INFER_LIMIT_BYTES = 256 * 1024 * 1024


def read(model: bytes) -> Graph:
    """Reads the graph; nothing is executed, and lists and texts end at limits.

    Raises:
        Invalid: it is not an ONNX file.
    """
    proto = parse(model)
    graph = proto.graph
    constants = {tensor.name for tensor in graph.initializer}
    return Graph(
        ir_version=proto.ir_version,
        opsets={_name(one.domain) or "ai.onnx": one.version for one in proto.opset_import[:METADATA_LIMIT]},
        producer=_name(proto.producer_name), producer_version=_name(proto.producer_version),
        domain=_name(proto.domain), model_version=proto.model_version, doc=_text(proto.doc_string or graph.doc_string),
        metadata={_name(one.key): _text(one.value) for one in proto.metadata_props[:METADATA_LIMIT]},
        name=_name(graph.name),
        inputs=[_value(one) for one in graph.input[:TENSORS_LIMIT] if one.name not in constants],
        outputs=[_value(one) for one in graph.output[:TENSORS_LIMIT]],
        initialisers=[_constant(one) for one in graph.initializer[:TENSORS_LIMIT]],
        initialiser_count=len(graph.initializer),
        parameters=sum(math.prod(one.dims) for one in graph.initializer),
        nodes=[_node(one) for one in graph.node[:NODES_LIMIT]],
        node_count=len(graph.node),
        operators=_counted(graph),
        whole=len(graph.node) <= NODES_LIMIT and len(graph.initializer) <= TENSORS_LIMIT,
    )  # fmt: skip


def values(model: bytes) -> list[GraphTensor]:
    """Finds the types and shapes of tensors between nodes; fewer, or none, where the graph does not tell."""
    from onnx import shape_inference

    proto = parse(model)
    found = proto
    if len(model) <= INFER_LIMIT_BYTES:
        with contextlib.suppress(shape_inference.InferenceError, RuntimeError, ValueError):
            found = shape_inference.infer_shapes(proto)
    return [_value(one) for one in found.graph.value_info[:TENSORS_LIMIT] if one.type.WhichOneof("value")]


def _counted(graph: Any) -> dict[str, int]:
    found = Counter(f"{node.domain}:{node.op_type}" if node.domain else node.op_type for node in nodes_of(graph))
    return {_name(op): count for op, count in sorted(found.items(), key=lambda one: (-one[1], one[0]))}


def _node(node: Any) -> GraphNode:
    return GraphNode(
        name=_name(node.name), op=_name(node.op_type), domain=_name(node.domain),
        inputs=[_name(name) for name in node.input[:LINKS_LIMIT]],
        outputs=[_name(name) for name in node.output[:LINKS_LIMIT]],
        attributes={_name(one.name): _attribute(one) for one in node.attribute[:ATTRIBUTES_LIMIT]},
    )  # fmt: skip


def _attribute(attribute: Any) -> str:
    """One attribute in a few words: a number, a short list, or the size of what is larger."""
    from onnx import AttributeProto

    kind: str = AttributeProto.AttributeType.Name(attribute.type).lower()
    if kind in ("int", "float"):
        return f"{getattr(attribute, kind[0]):g}" if kind == "float" else str(attribute.i)
    if kind == "string":
        return _name(attribute.s.decode(errors="replace"))
    if kind in ("ints", "floats"):
        values = getattr(attribute, kind)
        some = ", ".join(f"{value:g}" for value in values[:8])
        return f"[{some}{', ...' if len(values) > 8 else ''}]" + (f" ({len(values)})" if len(values) > 8 else "")
    if kind == "tensor":
        return f"{_constant(attribute.t).type}{list(attribute.t.dims[:8])}"
    if kind == "graph":
        return f"graph of {len(attribute.g.node)} nodes"
    return kind


def _value(value: Any) -> GraphTensor:
    kind = value.type.WhichOneof("value") or "unknown"
    if kind != "tensor_type":
        return GraphTensor(name=_name(value.name), type=kind.removesuffix("_type"))
    tensor = value.type.tensor_type
    shape: list[int | str] = [
        one.dim_value if one.HasField("dim_value") else _name(one.dim_param) or "?" for one in tensor.shape.dim[:16]
    ]
    return GraphTensor(name=_name(value.name), type=_type(tensor.elem_type), shape=shape)


def _constant(tensor: Any) -> GraphTensor:
    return GraphTensor(name=_name(tensor.name), type=_type(tensor.data_type), shape=list(tensor.dims[:16]))


def _type(number: int) -> str:
    from onnx import TensorProto

    known = TensorProto.DataType.values()
    return TensorProto.DataType.Name(number).lower() if number in known else f"type {number}"


def _name(text: str) -> str:
    return _plain(text, NAME_SHOWN)


def _text(text: str) -> str:
    return _plain(text, TEXT_SHOWN)


def _plain(text: str, limit: int) -> str:
    """A text without what a terminal or a page would obey, cut."""
    cut = text if len(text) <= limit else text[: limit - 3] + "..."
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in cut)


def main(path: str) -> int:
    """Prints the graph as JSON, and what is between its nodes as another line; status 1 and an ``error`` without one.

    The first line is there before shapes are inferred: whatever a strange graph does to that, it is shown.
    """
    limit_memory()
    try:
        model = Path(path).read_bytes()
        print(json.dumps({"graph": asdict(read(model))}), flush=True)
    except Invalid as error:
        print(json.dumps({"error": error.message}))
        return 1
    except MemoryError:
        print(json.dumps({"error": "the ONNX model needs more memory to read than is allowed"}))
        return 1
    with contextlib.suppress(MemoryError):
        print(json.dumps({"values": [asdict(one) for one in values(model)]}))
    return 0


if __name__ == "__main__":
    end(main(sys.argv[1]))

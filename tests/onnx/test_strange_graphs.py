"""Graphs that are valid protobuf and yet no model to serve: each is refused in words, or served as it is."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import INPUTS_LIMIT, inspect
from jupyter_mlstudio.onnx.session import execute, open_session
from tests.onnx import graphs


def made(nodes: list[onnx.NodeProto], inputs: list[str], outputs: list[onnx.ValueInfoProto], *held: object) -> bytes:
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in inputs]
    graph = helper.make_graph(nodes, "strange", tensors, outputs, list(held))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", graphs.OPSET)], ir_version=10)
    return bytes(model.SerializeToString())


def floats(name: str, shape: list[int | None]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


@pytest.mark.parametrize(
    "entries",
    [
        [("location", "weights"), ("length", "-1")],
        [("location", "weights"), ("offset", str(2**60)), ("length", "8")],
        [("location", "weights"), ("location", "/etc/passwd")],
        [("location", "weights"), ("__class__", "os.system")],
        [("location", "https://example.org/weights")],
    ],
    ids=["negative", "huge", "twice", "strange", "elsewhere"],
)
def test_M05_weights_that_lie_elsewhere_are_refused_whatever_is_said_of_them(entries: list[tuple[str, str]]) -> None:
    weights = numpy_helper.from_array(np.ones((1, 2), np.float32), "W")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in entries:
        weights.external_data.add(key=key, value=value)
    node = helper.make_node("Mul", ["X", "W"], ["Y"])

    with pytest.raises(Invalid, match="other files"):
        inspect(made([node], ["X"], [floats("Y", [None, 2])], weights))


def test_M11_a_graph_that_turns_in_a_circle_is_refused() -> None:
    nodes = [helper.make_node("Add", ["X", "B"], ["A"]), helper.make_node("Add", ["A", "X"], ["B"])]

    with pytest.raises(Invalid):
        inspect(made(nodes, ["X"], [floats("B", [None, 2])]))


def test_M11_graphs_within_graphs_within_graphs_are_refused() -> None:
    def field(number: int, content: bytes) -> bytes:
        """A field of a protobuf message: libraries refuse to build what is so deep."""
        length, size = len(content), b""
        while length > 127:
            length, size = length >> 7, size + bytes([length & 127 | 128])
        return bytes([number << 3 | 2]) + size + bytes([length]) + content

    graph = field(1, helper.make_node("Identity", ["X"], ["Y"]).SerializeToString())
    for _ in range(200):
        branch = field(1, b"then_branch") + field(6, graph)
        graph = field(1, field(2, b"Y") + field(4, b"If") + field(5, branch))
    opset = helper.make_opsetid("", graphs.OPSET).SerializeToString()
    model = b"\x08\x0a" + field(7, graph) + field(8, opset)

    with pytest.raises(Invalid):
        inspect(model)


def test_M11_more_inputs_than_anybody_sends_are_refused() -> None:
    names = [f"X{number}" for number in range(INPUTS_LIMIT + 1)]
    nodes = [helper.make_node("Identity", [names[0]], ["Y"])]

    with pytest.raises(Invalid, match=f"has {INPUTS_LIMIT + 1} inputs"):
        inspect(made(nodes, names, [floats("Y", [None, 2])]))


def test_M12_a_name_that_is_none_is_refused() -> None:
    nodes = [helper.make_node("Identity", [""], ["Y"])]

    with pytest.raises(Invalid):
        inspect(made(nodes, [""], [floats("Y", [None, 2])]))


def test_M12_dimensions_that_are_free_are_served() -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"])]
    model = made(nodes, ["X"], [floats("Y", [None, None])])

    assert inspect(model).outputs == ["Y"]
    found = execute(open_session(model), ["Y"], {"X": np.ones((3, 2), np.float32)})
    assert found[0].shape == (3, 2)


def test_M13_four_megabytes_of_words_about_itself_do_no_harm() -> None:
    model = onnx.load_from_string(graphs.doubling())
    model.doc_string = "<script>alert(1)</script>" * 160_000
    model.metadata_props.add(key="<b>", value="x" * 1_000_000)

    assert inspect(model.SerializeToString()).operators == ["Mul"]

"""Brings old ONNX files up to date: a newer opset, and tensors instead of the maps that ZipMap makes.

``ZipMap`` (ONNX-ML's ``Operators-ml.md``) turns a table of probabilities into a map for each row, which no tensor
protocol can carry. The same numbers without it are a tensor, with the labels beside it.
"""

from __future__ import annotations

from typing import Any

from jupyter_mlstudio.entities.graphs import NEWEST_OPSET
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import parse

OLDEST = 7
"""The oldest opset that an upgrade starts from."""

IR_VERSION = 10


def upgraded(model: bytes, opset: int = NEWEST_OPSET) -> bytes:
    """Returns the model in another opset of the standard operators.

    Raises:
        Invalid: it is there already or older than opset 7, or an operator has no form in that opset.
    """
    import onnx
    from onnx import version_converter

    proto = parse(model)
    found = next((one.version for one in proto.opset_import if one.domain in ("", "ai.onnx")), 0)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST <= opset <= newest:
        raise Invalid(
            f"there is no upgrade to opset {opset}: give one from {OLDEST} to {onnx.defs.onnx_opset_version()}"
        )
    if found >= opset:
        raise Invalid(f"the model has opset {found} already, and {opset} is not newer")
    if found < OLDEST:
        raise Invalid(f"the model has opset {found}; what is older than {OLDEST} cannot be upgraded")
    without_maps(proto)
    if proto.ir_version < 4:  # there, constants are inputs too
        constants = {tensor.name for tensor in proto.graph.initializer}
        inputs = [value for value in proto.graph.input if value.name not in constants]
        del proto.graph.input[:]
        proto.graph.input.extend(inputs)
    proto.ir_version = max(proto.ir_version, IR_VERSION)
    try:
        converted = version_converter.convert_version(proto, opset)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Invalid(f"it has no form in opset {opset}: {first[:300]}") from error
    known = {entry.domain for entry in converted.opset_import}
    converted.opset_import.extend(entry for entry in proto.opset_import if entry.domain and entry.domain not in known)
    return bytes(converted.SerializeToString())


def without_maps(proto: Any) -> list[str]:
    """Replaces each ZipMap by the tensor that it reads, in place; answers the labels of the last one."""
    from onnx import TensorProto, helper

    labels: list[str] = []
    graph = proto.graph
    outputs = {value.name: value for value in graph.output}
    for node in graph.node:
        if node.op_type != "ZipMap" or not node.input or not node.output:
            continue
        for attribute in node.attribute:
            texts = [text.decode(errors="replace") for text in attribute.strings]
            labels = texts or [str(number) for number in attribute.ints]
        if (value := outputs.get(node.output[0])) is not None:
            made = helper.make_tensor_value_info(value.name, TensorProto.FLOAT, [None, len(labels) or None])
            value.CopyFrom(made)
        node.op_type, node.domain = "Identity", ""
        del node.attribute[:]
    return labels

"""What neural networks of all frameworks share: rows by argument, labels for their outputs, signatures.

A network answers with numbers. One that was logged with labels gets them, and probabilities, in its graph: a softmax or
a sigmoid is added unless it ends with one. Operators: ONNX's ``Operators.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.protocol import DATATYPES
from jupyter_mlstudio.onnx.torch_graph import LINKS
from jupyter_mlstudio.plugins.converters.base import Converted, Original, Prediction

SOFTMAX, SIGMOID, EXP, NONE = LINKS
"""What is between a network's outputs and probabilities."""

HEAD = "labels_"


@dataclass(frozen=True, slots=True)
class Network:
    """A loaded network: ``answer`` takes arrays and gives one, ``program`` is what its framework exports.

    ``inputs`` names its arguments, ``columns`` the features where it takes a table, ``link`` is None where it is to be
    told from the numbers.
    """

    answer: Callable[[list[Any]], Any]
    program: Any
    inputs: list[str]
    labels: list[Any] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    link: str | None = None


def arrays(original: Original) -> list[Any]:
    """The rows as one array for each argument."""
    if isinstance(original.rows, np.ndarray):
        return [original.rows]
    return [np.stack([row[name] for row in original.rows]) for name in original.model.inputs]


def predicted(original: Original) -> Prediction:
    """The network's answers for the rows: labels with probabilities, or values."""
    network: Network = original.model
    values = np.asarray(network.answer(arrays(original)))
    if not network.labels:
        return Prediction(values=values)
    probabilities = _probabilities(values, network)
    return Prediction(np.asarray(network.labels)[probabilities.argmax(axis=1)], probabilities)


def finished(model: Any, original: Original) -> Converted:
    """Gives an exported graph its labels and its signature.

    Raises:
        Invalid: it has several outputs, or its number of outputs and of labels differ.
    """
    network: Network = original.model
    graph = model.graph
    if len(graph.output) != 1:
        raise Invalid(f"the network answers with {len(graph.output)} tensors; return one, from a module around it")
    shape = _shape(graph.output[0])
    if not shape or shape[0] != -1:
        raise Invalid(f"the network answers with the shape {shape}, which is not one answer for each row")
    for value in (*graph.node, *graph.value_info, graph):
        value.ClearField("metadata_props")  # paths of the machine that exported it
    if network.labels:
        _add_labels(model, network.labels, link_of(network, original), shape)
        outputs = [_spec(value, name) for value, name in zip(graph.output, ("label", "probabilities"), strict=True)]
    else:
        outputs = [_spec(graph.output[0], "values")]
    inputs = [_spec(value, value.name) for value in graph.input]
    if len(inputs) == 1 and inputs[0].shape[1:] == [len(network.columns)]:
        only = inputs[0]
        inputs = [TensorSpec(name=only.name, datatype=only.datatype, shape=only.shape, onnx_name=only.onnx_name,
                             columns=network.columns)]  # fmt: skip
    task = "classification" if network.labels else "other"
    labels = [str(label) for label in network.labels]
    return Converted(model.SerializeToString(), Signature(inputs=inputs, outputs=outputs, task=task, labels=labels))


def link_of(network: Network, original: Original) -> str:
    """What turns the network's outputs into probabilities, from its last operator or, where that is hidden, numbers."""
    return network.link or link_of_values(np.asarray(network.answer(arrays(original))))


def link_of_values(values: Any) -> str:
    """Tells probabilities from logits by their numbers: between 0 and 1 and, of several, with the sum 1."""
    several = values.ndim > 1 and values.shape[1] > 1
    within = bool(((values >= 0) & (values <= 1)).all())
    if within and (not several or np.allclose(values.sum(axis=1), 1, atol=1e-3)):
        return NONE
    return SOFTMAX if several else SIGMOID


def _probabilities(values: Any, network: Network) -> Any:
    values = values[:, np.newaxis] if values.ndim == 1 else values
    wanted = len(network.labels)
    if values.ndim != 2 or values.shape[1] != (1 if wanted == 2 and values.shape[1] == 1 else wanted):
        raise Invalid(f"the network answers with the shape {list(values.shape)}, which does not fit {wanted} labels")
    link = network.link or link_of_values(values)
    if link == SOFTMAX:
        shifted = np.exp(values - values.max(axis=1, keepdims=True))
        values = shifted / shifted.sum(axis=1, keepdims=True)
    elif link == SIGMOID:
        values = 1 / (1 + np.exp(-values))
    elif link == EXP:
        values = np.exp(values)
    return np.hstack([1 - values, values]) if values.shape[1] == 1 else values


def _add_labels(model: Any, labels: Sequence[Any], link: str, shape: list[int]) -> None:
    from onnx import TensorProto, helper

    graph, single = model.graph, len(shape) == 1 or shape[1] == 1
    kind = graph.output[0].type.tensor_type.elem_type
    last = graph.output[0].name
    nodes, constants = [], []

    def name(what: str) -> str:
        return f"{HEAD}{what}"

    if len(shape) == 1:
        constants.append(helper.make_tensor(name("column"), TensorProto.INT64, [2], [-1, 1]))
        nodes.append(helper.make_node("Reshape", [last, name("column")], [name("flat")]))
        last = name("flat")
    if link != NONE:
        operator = {SOFTMAX: "Softmax", SIGMOID: "Sigmoid", EXP: "Exp"}[link]
        more: dict[str, Any] = {"axis": 1} if link == SOFTMAX else {}
        nodes.append(helper.make_node(operator, [last], [name("linked")], **more))
        last = name("linked")
    if single:
        constants.append(helper.make_tensor(name("one"), kind, [1], [1.0]))
        nodes.append(helper.make_node("Sub", [name("one"), last], [name("other")]))
        nodes.append(helper.make_node("Concat", [name("other"), last], [name("probabilities")], axis=1))
    else:
        nodes.append(helper.make_node("Identity", [last], [name("probabilities")]))
    constants.append(_label_tensor(name("names"), labels))
    nodes.append(helper.make_node("ArgMax", [name("probabilities")], [name("best")], axis=1, keepdims=0))
    nodes.append(helper.make_node("Gather", [name("names"), name("best")], [name("label")], axis=0))
    graph.node.extend(nodes)
    graph.initializer.extend(constants)
    rows = graph.output[0].type.tensor_type.shape.dim[0].dim_param or "rows"
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(name("label"), constants[-1].data_type, [rows]))
    graph.output.append(helper.make_tensor_value_info(name("probabilities"), kind, [rows, len(labels)]))


def _label_tensor(name: str, labels: Sequence[Any]) -> Any:
    from onnx import TensorProto, helper

    if all(isinstance(label, bool) for label in labels):
        return helper.make_tensor(name, TensorProto.BOOL, [len(labels)], list(labels))
    if all(isinstance(label, int) for label in labels):
        return helper.make_tensor(name, TensorProto.INT64, [len(labels)], list(labels))
    texts: Any = [str(label).encode() for label in labels]
    return helper.make_tensor(name, TensorProto.STRING, [len(labels)], texts)


def _shape(value: Any) -> list[int]:
    return [dimension.dim_value or -1 for dimension in value.type.tensor_type.shape.dim]


def _spec(value: Any, name: str) -> TensorSpec:
    import onnx

    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    return TensorSpec(name=name, datatype=DATATYPES[dtype.name], shape=_shape(value), onnx_name=value.name)

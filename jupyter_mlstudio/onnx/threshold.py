"""Puts a decision threshold into the graph of a binary classifier, so that every runtime answers by it.

The label output becomes ``labels[probabilities[:, positive] >= threshold]``, with the positive label as the second one.
Operators: ONNX's ``Operators.md``; only such forms are used as are the same from opset 7 on, except that
``GreaterOrEqual`` is there from opset 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.errors import Invalid

PREFIX = "threshold_"
GREATER_OR_EQUAL_SINCE = 12


def place_of(labels: Sequence[str], positive: str | None) -> int:
    """Which of two classes is the positive one; the second, when nobody says.

    Raises:
        Invalid: it is neither of them.
    """
    if positive is None:
        return 1
    plain = [_plain(label) for label in labels]
    if positive not in labels and _plain(positive) not in plain:
        known = " or ".join(repr(label) for label in labels)
        raise Invalid(f"the model answers {known}, so its positive label is not {positive[:80]!r}")
    return list(labels).index(positive) if positive in labels else plain.index(_plain(positive))


def _plain(label: str) -> str:
    """A label as text in which ``True``, ``1`` and ``1.0`` are one."""
    return {"true": "1", "false": "0"}.get(label.lower(), label).removesuffix(".0")


def with_threshold(model: bytes, signature: Signature, threshold: float, positive: int = 1) -> bytes:
    """Returns the model with its label decided by the probability of one of its two classes.

    The comparison is made in the number type of the probabilities, with the threshold rounded to it: a threshold that
    is one of the probabilities then counts as reached, as in scikit-learn.

    Args:
        positive: the place of the class that is answered where its probability reaches the threshold, 0 or 1.

    Raises:
        Invalid: the threshold is no probability, or the model is no binary classifier with one table of probabilities.
    """
    import onnx
    from onnx import TensorProto, helper

    label, probabilities = _outputs(signature)
    if not 0 < threshold < 1:
        raise Invalid(f"the threshold is {threshold}; give a probability between 0 and 1")
    proto = onnx.load_model_from_string(model)
    kinds = {one.name: one.type.tensor_type.elem_type for one in proto.graph.output}
    if kinds.get(probabilities) not in (TensorProto.FLOAT, TensorProto.DOUBLE) or label not in kinds:
        raise Invalid("the model has no probabilities that a threshold could be applied to")
    _rename_label(proto.graph, label)
    opset = next(one.version for one in proto.opset_import if one.domain in ("", "ai.onnx"))
    names = {name: f"{PREFIX}{name}" for name in ("place", "value", "labels", "positive", "below", "reached", "index")}
    proto.graph.initializer.extend(
        [
            helper.make_tensor(names["place"], TensorProto.INT64, [], [positive]),
            helper.make_tensor(names["value"], kinds[probabilities], [], [threshold]),
            _labels(names["labels"], [signature.labels[1 - positive], signature.labels[positive]], kinds[label]),
        ]
    )
    reached = [helper.make_node("GreaterOrEqual", [names["positive"], names["value"]], [names["reached"]])]
    if opset < GREATER_OR_EQUAL_SINCE:
        reached = [
            helper.make_node("Less", [names["positive"], names["value"]], [names["below"]]),
            helper.make_node("Not", [names["below"]], [names["reached"]]),
        ]
    proto.graph.node.extend(
        [
            helper.make_node("Gather", [probabilities, names["place"]], [names["positive"]], axis=1),
            *reached,
            helper.make_node("Cast", [names["reached"]], [names["index"]], to=TensorProto.INT64),
            helper.make_node("Gather", [names["labels"], names["index"]], [label], axis=0),
        ]
    )
    entry = proto.metadata_props.add()
    entry.key, entry.value = "decision_threshold", repr(threshold)
    return bytes(proto.SerializeToString())


def _outputs(signature: Signature) -> tuple[str, str]:
    """The graph's names of label and probabilities."""
    names = {spec.name: spec.onnx_name or spec.name for spec in signature.outputs}
    if len(signature.labels) != 2 or "label" not in names or "probabilities" not in names:
        found = f"{len(signature.labels)} labels" if signature.labels else "no labels"
        raise Invalid(f"a threshold is for binary classifiers with probabilities; this model has {found}")
    return names["label"], names["probabilities"]


def _rename_label(graph: Any, label: str) -> None:
    """Gives what produced the label another name; what reads it inside the graph goes on reading that."""
    old = f"{PREFIX}before"
    for node in graph.node:
        for names in (node.output, node.input):
            for number, name in enumerate(names):
                if name == label:
                    names[number] = old


def _labels(name: str, labels: Sequence[str], kind: int) -> Any:
    from onnx import TensorProto, helper

    if kind == TensorProto.STRING:
        texts: Any = [label.encode() for label in labels]
        return helper.make_tensor(name, kind, [2], texts)
    numbers = [{"True": 1, "False": 0}.get(label, label) for label in labels]
    return helper.make_tensor(name, kind, [2], [int(float(number)) for number in numbers])

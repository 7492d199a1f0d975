"""Classifiers with several labels for a row: one classifier for each label, beside each other or in a chain.

``label`` has a column for each label. ``probabilities`` has, for :class:`MultiOutputClassifier`, the classes of the
first label, then those of the second, and so on; for :class:`ClassifierChain`, as its own ``predict_proba``, the
probability of the second class of each label. What learns several labels at once answers as it does in scikit-learn:
trees, forests and neighbours in the first form, networks in the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.refused import Refused
from jupyter_mlstudio.plugins.converters.sklearn_apart import learns_many
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, INT64, Graph, float_type, kind_of, label_array
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside
from jupyter_mlstudio.plugins.converters.sklearn_wrappers import inner

NAMES = ("ClassifierChain", "MultiOutputClassifier")


def final(model: Any) -> Any:
    """The estimator at the end of searches and pipelines."""
    while (inside := getattr(model, "best_estimator_", None)) is not None or hasattr(model, "steps"):
        model = inside if inside is not None else model.steps[-1][1]
    return model


def answers_many(model: Any) -> bool:
    """Whether a model answers with several labels for a row in a way that is converted here."""
    last = final(model)
    return (type(last).__name__ in NAMES and hasattr(last, "predict_proba")) or learns_many(last)


def beside_each_other(probabilities: Any) -> Any:
    """What a model's ``predict_proba`` answers for several labels, as one matrix."""
    return np.hstack(probabilities) if isinstance(probabilities, list) else probabilities


def register(part: Any, options: dict[str, Any], parser: Callable[..., Any]) -> None:
    """Tells skl2onnx, in this process, how such a model is written."""
    from skl2onnx import update_registered_converter

    kind = type(part)
    update_registered_converter(
        kind, f"Mlstudio{kind.__name__}", _shape, _write, overwrite=True, options=options, parser=parser
    )


def _shape(operator: Any) -> None:
    from skl2onnx.common import data_types

    model, rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    kinds = {label_array(one).dtype.kind for one in model.classes_}
    if len(kinds) > 1:
        raise Refused(f"{type(model).__name__} answers texts and numbers for a row: encode the texts before")
    chain = type(model).__name__ == "ClassifierChain"
    if chain and any(len(one) != 2 for one in model.classes_):
        raise Refused("ClassifierChain has no ONNX form for a label of more than two classes")
    width = len(model.classes_) if chain or _seconds(model) else sum(len(one) for one in model.classes_)
    labels = data_types.StringTensorType if kinds == {"U"} else data_types.Int64TensorType
    floats = data_types.DoubleTensorType if float_type(operator.inputs) == DOUBLE else data_types.FloatTensorType
    operator.outputs[0].type = labels([rows, len(model.classes_)])
    operator.outputs[1].type = floats([rows, width])


def _write(scope: Any, operator: Any, container: Any) -> None:
    graph, model = Graph(scope, container), operator.raw_operator
    wide = kind_of(operator.outputs[1]) == DOUBLE
    labels, probabilities = (_chained if type(model).__name__ == "ClassifierChain" else _each)(graph, operator, wide)
    graph.node("Concat", labels, operator.outputs[0].full_name, axis=1)
    graph.node("Identity", [beside(probabilities).name], operator.outputs[1].full_name)


def _each(graph: Graph, operator: Any, wide: bool) -> tuple[list[str], list[Tensor]]:
    """Every classifier by itself, on the same rows."""
    model = operator.raw_operator
    found = [_answers(graph, one, operator.inputs, wide) for one in model.estimators_]
    labels, probabilities = [label for label, _ in found], [probability for _, probability in found]
    return labels, [one.columns([1]) for one in probabilities] if _seconds(model) else probabilities


def _seconds(model: Any) -> bool:
    """Whether the model answers with the probability of each label's second class alone."""
    return bool(getattr(model, "second_class_only", False))


def _chained(graph: Graph, operator: Any, wide: bool) -> tuple[list[str], list[Tensor]]:
    """Each classifier sees the rows and what those before it answered (``_BaseChain._get_predictions``)."""
    from skl2onnx.common import data_types

    model = operator.raw_operator
    if model.chain_method_ not in ("predict", "predict_proba"):
        raise Refused(f"ClassifierChain with chain_method={model.chain_method_!r} has no ONNX form: use 'predict'")
    rows = Tensor(graph, graph.matrix(operator.inputs), wide)
    floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
    width = model.estimators_[0].n_features_in_
    labels: list[str] = []
    probabilities: list[Tensor] = []
    told: list[Tensor] = []
    for number, one in enumerate(model.estimators_):
        seen = graph.scope.declare_local_variable("seen", floats([None, width + number]))
        graph.node("Identity", [beside([rows, *told]).name], seen.full_name)
        label, both = _answers(graph, one, [seen], wide)
        labels.append(label)
        probabilities.append(both.columns([1]))
        as_number = Tensor(graph, graph.node("Cast", [label], to=kind_of(seen)), wide)
        told.append(as_number if model.chain_method_ == "predict" else probabilities[-1])
    order = np.argsort(model.order_)
    return [labels[place] for place in order], [probabilities[place] for place in order]


def _answers(graph: Graph, model: Any, inputs: list[Any], wide: bool) -> tuple[str, Tensor]:
    """One classifier's label as a column, and its probabilities."""
    label, probabilities = inner(graph, model, inputs)
    name = graph.node("Cast", [probabilities.full_name], to=DOUBLE if wide else 1)
    column = graph.node("Reshape", [label.full_name, graph.constant(np.array([-1, 1]))], version=14)
    if label_array(model.classes_).dtype.kind != "U":
        column = graph.node("Cast", [column], to=INT64)
    return column, Tensor(graph, name, wide)

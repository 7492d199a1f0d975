"""What converts to ONNX without an error and answers wrongly: each case is mended here, or refused with a way out.

Found by comparing each kind of model with its conversion (scikit-learn 1.9, skl2onnx 1.20, onnxruntime 1.31). A gate
on sample rows alone would miss a case that the rows do not show, so these are told by the model's own settings.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters import automl, sklearn_apart, sklearn_grouped
from jupyter_mlstudio.plugins.converters.sklearn_inputs import parts

MISSING_TEXT = ""
"""How a missing text travels: ONNX strings have no null."""


def mended(model: Any) -> Any:
    """Returns an equal model in the form that converts rightly. The given one is not changed.

    A search becomes its best estimator, linear discriminants the logistic regression with the same coefficients (their
    probabilities are its), a soft vote gets its weights as an array, and what learns several labels at once becomes one
    classifier for each.
    """
    name = type(model).__name__
    if hasattr(model, "best_estimator_"):
        return mended(model.best_estimator_)
    if name == "SelfTrainingClassifier":
        return mended(model.estimator_)
    if name == "FrozenEstimator":
        return mended(model.estimator)
    if hasattr(model, "steps"):
        twin = copy.copy(model)
        twin.steps = [(step, mended(part)) for step, part in model.steps]
        return twin
    if name == "LinearDiscriminantAnalysis":
        return _as_logistic(model)
    if name == "KBinsDiscretizer" and model.encode == "onehot":
        return _dense_bins(model)
    if name in ("VotingClassifier", "VotingRegressor"):
        return _plain_vote(model)
    if name == "CalibratedClassifierCV":
        return _calibrated(model, mended)
    if sklearn_apart.learns_many(model):
        return sklearn_apart.taken_apart(model)
    return model


def with_cast(model: Any) -> Any:
    """Returns the model with its last part computing in float32, everything before it in float64.

    Of a vote or a stack of pipelines, the last part of each, also where it is calibrated.
    """
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    if (inside := _inside(model)) and all(map(_members, inside)):
        return _calibrated(model, with_cast)
    members = _members(model)
    if members and all(hasattr(member, "steps") for member in members):
        twin = copy.copy(model)
        twin.estimators_ = [with_cast(member) for member in members]
        return twin
    steps = list(model.steps) if hasattr(model, "steps") else [("model", model)]
    return Pipeline([*steps[:-1], ("to_float32", CastTransformer(dtype=np.float32)), steps[-1]])


def _members(model: Any) -> list[Any]:
    """What a vote or a stack is of; nothing for other models."""
    return list(getattr(model, "estimators_", [])) if type(model).__name__.startswith(("Voting", "Stacking")) else []


def _inside(model: Any) -> list[Any]:
    """The classifiers that a calibrated one is of."""
    return [one.estimator for one in getattr(model, "calibrated_classifiers_", [])]


def _calibrated(model: Any, change: Callable[[Any], Any]) -> Any:
    """A calibrated model of changed classifiers."""
    twin = copy.copy(model)
    twin.calibrated_classifiers_ = [copy.copy(one) for one in model.calibrated_classifiers_]
    for one in twin.calibrated_classifiers_:
        one.estimator = change(one.estimator)
    return twin


def _as_logistic(model: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    twin = LogisticRegression()
    twin.coef_, twin.intercept_, twin.classes_ = model.coef_, model.intercept_, model.classes_
    twin.n_features_in_, twin.n_iter_ = model.n_features_in_, np.array([1])
    return twin


def _dense_bins(model: Any) -> Any:
    twin = copy.copy(model)
    twin.encode = "onehot-dense"
    return twin


def _plain_vote(model: Any) -> Any:
    twin = copy.copy(model)
    twin.estimators_ = [mended(part) for part in model.estimators_]
    if twin.weights is not None:
        twin.weights = np.asarray(twin.weights, dtype=np.float64)
    if hasattr(twin, "flatten_transform"):
        twin.flatten_transform = False
    return twin


FLAGS_ONLY = ("OneHotEncoder", "KBinsDiscretizer", "OrdinalEncoder", "LabelBinarizer", "MultiLabelBinarizer")


def conversion_functions(
    model: Any, doubles: bool
) -> tuple[dict[type, Callable[..., None]], dict[type, Callable[..., None]]]:
    """Converters and shape calculators that replace skl2onnx's own for parts of this model.

    Args:
        doubles: whether numbers are float64, so that encoders, whose operators answer in float32, must follow.
    """
    converters: dict[type, Callable[..., None]] = {}
    shapes: dict[type, Callable[..., None]] = {}
    for part in parts(model):
        kind = type(part)
        if kind.__name__ == "SimpleImputer":
            converters[kind], shapes[kind] = _imputer(kind), _imputer_shape(kind)
        if kind.__module__ in automl.HOMES:
            converters[kind], shapes[kind] = automl.announce(kind, doubles)
        if doubles and kind.__name__ in FLAGS_ONLY:
            converters[kind], shapes[kind] = _widened(kind), _widened_shape(kind)
        if kind.__name__ in sklearn_grouped.NAMES:
            usual, usual_shape = converters.get(kind) or _own(kind), shapes.get(kind) or _shape_of(kind)
            converters[kind] = _either(sklearn_grouped.convert, usual)
            shapes[kind] = _either(sklearn_grouped.shape, usual_shape)
    return converters, shapes


def _either(grouped: Callable[..., None], usual: Callable[..., None]) -> Callable[..., None]:
    """Chooses for each encoder of a class: its operator is the only argument, or the second of three."""

    def choose(*arguments: Any) -> None:
        encoder = arguments[min(1, len(arguments) - 1)].raw_operator
        (grouped if sklearn_grouped.is_grouped(encoder) else usual)(*arguments)

    return choose


def _widened(kind: type) -> Callable[..., None]:
    """Casts what an encoder answers, small whole numbers, to float64: exact, and then it fits beside other columns."""
    own = _own(kind)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        from skl2onnx.common import data_types

        answer = operator.outputs[0]
        if not isinstance(answer.type, data_types.DoubleTensorType):
            own(scope, operator, container)
            return
        narrow = scope.declare_local_variable("narrow", data_types.FloatTensorType(answer.type.shape))
        operator.outputs.set_element(0, narrow)
        own(scope, operator, container)
        operator.outputs.set_element(0, answer)
        _node(scope, container, "Cast", [narrow.full_name], answer.full_name, 13, to=_DOUBLE)

    return convert


def _widened_shape(kind: type) -> Callable[..., None]:
    own = _shape_of(kind)

    def shape(operator: Any) -> None:
        from skl2onnx.common import data_types

        own(operator)
        if isinstance(operator.outputs[0].type, data_types.FloatTensorType):
            operator.outputs[0].type = data_types.DoubleTensorType(operator.outputs[0].type.shape)

    return shape


def _own(kind: type) -> Callable[..., None]:
    from skl2onnx._supported_operators import _get_sklearn_operator_name
    from skl2onnx.common._registration import get_converter

    return get_converter(_get_sklearn_operator_name(kind))  # type: ignore[no-any-return]


def _shape_of(kind: type) -> Callable[..., None]:
    from skl2onnx._supported_operators import _get_sklearn_operator_name
    from skl2onnx.common._registration import get_shape_calculator

    return get_shape_calculator(_get_sklearn_operator_name(kind))  # type: ignore[no-any-return]


def _replaces_nan(imputer: Any) -> bool:
    """Tells whether the imputer fills NaN or None with one value for each column, and drops no column."""
    statistics = getattr(imputer, "statistics_", None)
    if statistics is None or (
        imputer.missing_values not in (None, "nan") and imputer.missing_values == imputer.missing_values
    ):
        return False
    return all(value is not None and value == value for value in np.asarray(statistics).tolist())


def _imputer(kind: type) -> Callable[..., None]:
    """Mends imputation, which ONNX's own operator does in float32 only and never for text.

    Missing is NaN in numbers and the empty string in text; each becomes its column's fill value.
    """
    own = _own(kind)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        imputer = operator.raw_operator
        if not _replaces_nan(imputer):
            own(scope, operator, container)
            return
        element = _element_type(operator.inputs)
        source = _joined(scope, container, operator.inputs, element)
        missing = _missing(scope, container, source, element)
        fills = scope.get_unique_variable_name("fills")
        values = [str(value).encode() if element == _STRING else value for value in imputer.statistics_.tolist()]
        container.add_initializer(fills, element, [1, len(values)], values)
        answer = operator.outputs[0].full_name
        made = [answer] if imputer.indicator_ is None else [scope.get_unique_variable_name("filled")]
        _node(scope, container, "Where", [missing, fills, source], made[0], 16)
        if imputer.indicator_ is not None:
            made.append(_indicator(scope, container, missing, imputer.indicator_, element))
            _node(scope, container, "Concat", made, answer, 13, axis=1)

    return convert


_FLOAT, _INT64, _STRING, _DOUBLE = 1, 7, 8, 11
"""Element types of onnx.TensorProto."""


def _element_type(variables: list[Any]) -> int:
    """The type that can hold all of these; integers become float64, because a fill value may be a fraction."""
    kinds = {int(variable.type.to_onnx_type().tensor_type.elem_type) for variable in variables}
    if kinds == {_STRING}:
        return _STRING
    if _STRING in kinds:
        raise Invalid("an imputer fills text and numbers at once: use one for each")
    return _FLOAT if _FLOAT in kinds else _DOUBLE


def _joined(scope: Any, container: Any, variables: list[Any], element: int) -> str:
    names = []
    for variable in variables:
        names.append(variable.full_name)
        if int(variable.type.to_onnx_type().tensor_type.elem_type) != element:
            names[-1] = scope.get_unique_variable_name("as_float")
            _node(scope, container, "Cast", [variable.full_name], names[-1], 13, to=element)
    if len(names) == 1:
        return str(names[0])
    joined = str(scope.get_unique_variable_name("joined"))
    _node(scope, container, "Concat", names, joined, 13, axis=1)
    return joined


def _missing(scope: Any, container: Any, source: str, element: int) -> str:
    missing = str(scope.get_unique_variable_name("missing"))
    if element != _STRING:
        _node(scope, container, "IsNaN", [source], missing, 13)
        return missing
    empty = scope.get_unique_variable_name("empty")
    container.add_initializer(empty, _STRING, [], [MISSING_TEXT.encode()])
    _node(scope, container, "Equal", [source, empty], missing, 19)
    return missing


def _indicator(scope: Any, container: Any, missing: str, indicator: Any, element_type: int) -> str:
    """Adds a column of 0 and 1 for each column that the indicator watches."""
    columns, picked, flags = (str(scope.get_unique_variable_name(name)) for name in ("columns", "picked", "flags"))
    container.add_initializer(columns, _INT64, [len(indicator.features_)], indicator.features_.tolist())
    _node(scope, container, "Gather", [missing, columns], picked, 13, axis=1)
    _node(scope, container, "Cast", [picked], flags, 13, to=element_type)
    return flags


def _node(
    scope: Any, container: Any, kind: str, inputs: list[str], output: str, version: int, **attributes: Any
) -> None:
    name = scope.get_unique_operator_name(kind)
    container.add_node(kind, inputs, output, name=name, op_version=version, **attributes)


def _imputer_shape(kind: type) -> Callable[..., None]:
    own = _shape_of(kind)

    def shape(operator: Any) -> None:
        from skl2onnx.common import data_types

        imputer = operator.raw_operator
        if not _replaces_nan(imputer):
            own(operator)
            return
        width = imputer.n_features_in_ + (0 if imputer.indicator_ is None else len(imputer.indicator_.features_))
        kinds = {_FLOAT: data_types.FloatTensorType, _STRING: data_types.StringTensorType}
        kind = kinds.get(_element_type(operator.inputs), data_types.DoubleTensorType)
        operator.outputs[0].type = kind([operator.inputs[0].get_first_dimension(), width])

    return shape

"""Estimators written as Python."""

from __future__ import annotations

import datetime
import enum
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_tables import Role
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.family import Making, Shape
from jupyter_mlstudio.learning.featurise import FORMS, Features
from jupyter_mlstudio.learning.parameters import same_parameters
from jupyter_mlstudio.learning.source import WIDTH, Source


class Colour(enum.Enum):
    RED = 1


def made_again(value: Any) -> Any:
    """What the written source makes, in an empty module."""
    writer = Source()
    expression = writer.write(value)
    names: dict[str, Any] = {}
    exec(f"{writer.imports()}\nmade = {expression}\n", names)
    return names["made"]


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert (
        Source().write(RandomForestClassifier(n_estimators=100, max_depth=3)) == "RandomForestClassifier(max_depth=3)"
    )


def test_imports_are_of_public_places_and_stand_once() -> None:
    writer = Source()
    writer.write(make_pipeline(StandardScaler(), HistGradientBoostingClassifier()))
    writer.write(FunctionTransformer(np.log1p))
    assert writer.imports().splitlines() == [
        "import numpy as np",
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "from sklearn.pipeline import Pipeline",
        "from sklearn.preprocessing import FunctionTransformer, StandardScaler",
    ]


def test_long_calls_have_a_line_for_each_argument() -> None:
    steps = [("impute", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())]
    model = Pipeline([*steps, ("model", LogisticRegression(C=0.25, max_iter=1000, class_weight={0: 1.0, 1: 3.5}))])
    written = Source().write(model)
    assert max(map(len, written.splitlines())) <= WIDTH
    assert '        ("scale", StandardScaler()),' in written.splitlines()
    assert same_parameters(made_again(model), model)


def nested() -> Any:
    columns = ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(missing_values=float("nan")), StandardScaler()),
                ["a b", "ü", "it's"],
            ),
            ("words", OneHotEncoder(categories=[np.array(["x", "y"], dtype=object)], dtype=np.float32), [3, 4]),
            ("all", "passthrough", make_column_selector(dtype_include=float)),
            ("rest", "drop", slice(0, 3)),
        ],
        sparse_threshold=0.0,
    )
    vote = VotingClassifier(
        [("one", LogisticRegression(C=1e-7)), ("two", RandomForestClassifier())], weights=[0.1, 0.9]
    )
    return Pipeline([("columns", columns), ("vote", vote)])


@pytest.mark.parametrize(
    "model",
    [
        nested(),
        TransformedTargetRegressor(regressor=Ridge(), func=np.log1p, inverse_func=np.expm1, check_inverse=False),
        GaussianProcessRegressor(kernel=1.5 * RBF([1.0, 2.0]) + WhiteKernel(0.1)),
        GridSearchCV(Ridge(), {"alpha": np.logspace(-3, 3, 30)}, cv=StratifiedKFold(3, shuffle=True, random_state=1)),
        FunctionTransformer(partial(np.clip, a_min=0, a_max=1), kw_args={"from": 1}),
        RandomForestClassifier(max_features=np.float64(0.5), n_estimators=np.int64(10), max_depth=None),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_written_makes_the_same_estimator(model: Any) -> None:
    again = made_again(model)
    assert Source().write(again) == Source().write(model)
    assert clone(again) is not None


def test_every_estimator_of_scikit_learn_that_needs_nothing_is_made_again() -> None:
    for _, kind in all_estimators():
        try:
            model = kind()
        except (TypeError, FutureWarning):
            continue
        assert same_parameters(made_again(model), model), kind


@pytest.mark.parametrize(
    "value",
    [
        None, True, -3, 2.5e-300, math.inf, -math.inf, "quo\"te's\nä", b"\x00", (), (1,), [], {}, set(), {3, 1},
        frozenset({2}), {"a": [1, (2, {"b": None})]}, range(3), slice(None, 4), np.float32(0.1), Colour.RED,
        datetime.date(2024, 5, 31), datetime.timedelta(days=1), np.datetime64("2024-05-31", "D"), np.dtype("float32"),
        np.float32, np.log1p, len, math.sqrt, StandardScaler, list(range(200)), Ellipsis,
    ],
    ids=repr,
)  # fmt: skip
def test_values_are_made_again(value: Any) -> None:
    again = made_again(value)
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, np.nan, np.inf, -0.0]), np.array([[1, 2], [3, 4]], dtype=np.int8), np.empty((0, 2)),
        np.array(["a", None, 1.5], dtype=object), np.array(["ä", "b"]), np.array(3.0),
    ],
    ids=repr,
)  # fmt: skip
def test_arrays_are_made_again_to_the_bit(array: Any) -> None:
    again = made_again(array)
    assert again.dtype == array.dtype
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes() or again.tolist() == array.tolist()


class Local(BaseEstimator):  # type: ignore[misc]
    """One that keeps what it was given."""

    def __init__(self, what: Any = None) -> None:
        self.what = what


@pytest.mark.parametrize(
    "value",
    [lambda x: x, np.random.RandomState(0), np.random.default_rng(0), object(), open],
    ids=lambda v: str(v)[:20],
)
def test_what_has_no_source_is_refused_by_name(value: Any) -> None:
    if value is open:
        assert "open" in Source().write(Local(open))
        return
    with pytest.raises(Invalid, match="has no source"):
        Source().write(Local(value))


def test_two_classes_of_one_name_are_told_apart() -> None:
    import optuna.samplers
    import sklearn.pipeline

    writer = Source()
    fake = type("Pipeline", (sklearn.pipeline.Pipeline,), {"__module__": "optuna.samplers"})
    optuna.samplers.Pipeline = fake  # type: ignore[attr-defined]
    try:
        written = writer.write([sklearn.pipeline.Pipeline, fake])
    finally:
        del optuna.samplers.Pipeline  # type: ignore[attr-defined]
    assert written == "[Pipeline, optuna.samplers.Pipeline]"
    assert "import optuna.samplers" in writer.imports()


def test_an_object_that_was_named_before_is_its_variable() -> None:
    writer, scaler = Source(), StandardScaler()
    writer.call("scaler", scaler)
    assert writer.write([scaler, StandardScaler()]) == "[scaler, StandardScaler()]"


CLASSES = Shape(task=Task.CLASSIFICATION, rows=500, features=8, classes=3, metric="norm_macro_recall", rarest=0.05)
VALUES = Shape(task=Task.REGRESSION, rows=500, features=8, skewed=True, metric="r2_score")


@pytest.mark.parametrize("shape", [CLASSES, VALUES], ids=["classes", "values"])
@pytest.mark.parametrize("family", families.FAMILIES, ids=lambda family: family.name)
def test_every_family_is_made_again(family: Any, shape: Shape) -> None:
    if family.refuses(shape):
        return  # a family for the other task
    for params in family.known(shape):
        model = family.make(
            dict(params) | ({} if shape.classifies else {"log_target": True}), Making(shape, 7, 1, (0,))
        )
        again = made_again(model)
        assert same_parameters(again, model)
        assert str(again.get_params(deep=True)) == str(model.get_params(deep=True))


@pytest.mark.parametrize("form", [*FORMS, "trees-telling"])
@pytest.mark.parametrize("numbers", ["standard", "robust", "none"])
def test_every_featuriser_is_made_again(form: str, numbers: str) -> None:
    roles = {
        "age": Role.NUMERIC, "few": Role.CATEGORICAL, "many": Role.CATEGORICAL, "when": Role.DATETIME,
        "said it's": Role.TEXT, "flag": Role.BOOLEAN,
    }  # fmt: skip
    made = Features(
        task=Task.CLASSIFICATION,
        classes=2,
        rows=1000,
        roles=roles,
        distinct={"few": 4, "many": 900} | dict.fromkeys(roles, 50),
    ).transformer(form, {"numbers": numbers})
    assert same_parameters(made_again(made), made)

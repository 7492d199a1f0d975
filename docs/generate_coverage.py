"""Writes coverage.md: every estimator of scikit-learn, converted to ONNX and compared.

``python docs/generate_coverage.py [names]``; with names it prints their rows only.

Each estimator is fitted on rows that it can take (``Case``), in a process of its own with a time limit, and goes
through the same ladder as a registered model. A transformer stands before a linear model, as in a pipeline.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).with_name("coverage.md")
TIMEOUT_S = 180.0
WORKERS = 2
SEVERAL = " of several"
"""After a class's name: fitted with several labels or targets for a row."""
AT_ONCE = {
    **dict.fromkeys(("DecisionTreeClassifier", "ExtraTreeClassifier", "ExtraTreesClassifier", "KNeighborsClassifier",
                     "MLPClassifier", "RadiusNeighborsClassifier", "RandomForestClassifier", "RidgeClassifier"),
                    "labels"),
    **dict.fromkeys(("DecisionTreeRegressor", "ExtraTreesRegressor", "KNeighborsRegressor", "LinearRegression",
                     "MLPRegressor", "RandomForestRegressor"), "targets"),
}  # fmt: skip
"""What learns several answers at once, by the rows that it is fitted with."""
ANSWERS = ("LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer")


@dataclass(frozen=True)
class Case:
    """How one class is fitted: its instance, and the name of the rows in :func:`rows_of`."""

    make: Callable[[type], Any] = lambda kind: kind()
    rows: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table. ``converts``, ``loads`` and ``agrees`` are None where it did not come to that."""

    name: str
    module: str
    kind: str
    converts: bool | None = None
    loads: bool | None = None
    agrees: bool | None = None
    difference: float | None = None
    dtype: str = ""
    reason: str = ""


def rows_of(name: str) -> tuple[Any, Any]:
    """Rows and answers."""
    from sklearn import datasets

    random = np.random.default_rng(0)
    if name == "regression":
        data = datasets.load_diabetes()
        return data.data, data.target - data.target.min() + 1
    if name == "line":
        rows, answers = rows_of("regression")
        return rows[:, [2]], answers
    if name == "targets":
        rows, answers = rows_of("regression")
        return rows, np.c_[answers, -answers]
    if name == "texts":
        words = np.array(["red", "Blue", "green", "fast", "slow", "the", "Éclair"])
        texts = [" ".join(random.choice(words, 6)) for _ in range(200)]
        return texts, np.array([int("red" in text) for text in texts])
    if name == "codes":
        rows = random.integers(0, 4, (300, 3)).astype(np.float64)
        return rows, (rows[:, 0] + rows[:, 1] > 3).astype(int)
    if name == "missing":
        rows, answers = rows_of("classes")
        rows[::5, 1] = rows[::7, 2] = np.nan
        return rows, answers
    data = datasets.load_iris()
    data.data += random.uniform(0, 1e-3, data.data.shape)  # no two rows are equal, and no two distances
    if name == "labels":
        return data.data, np.c_[data.target > 0, data.target > 1].astype(int)
    if name == "binary":
        return data.data, (data.target > 0).astype(int)
    return data.data.copy(), data.target


def cases() -> dict[str, Case]:
    """Classes that do not work as they come: they need an argument or other rows."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier

    def logistic() -> Any:
        return LogisticRegression(max_iter=500)

    two, two_values = [("a", logistic()), ("b", DecisionTreeClassifier(random_state=0))], [("a", Ridge())]
    one = Case(lambda kind: kind(logistic()))
    seeded = Case(lambda kind: kind(random_state=0))
    numbers, _labels, texts, codes = (Case(rows=name) for name in ("targets", "labels", "texts", "codes"))
    return {
        "BaggingClassifier": seeded, "BaggingRegressor": Case(lambda kind: kind(random_state=0), "regression"),
        "CCA": numbers, "PLSCanonical": numbers, "MultiTaskElasticNet": numbers, "MultiTaskElasticNetCV": numbers,
        "MultiTaskLasso": numbers, "MultiTaskLassoCV": numbers, "PLSRegression": numbers,
        "PLSSVD": Case(lambda kind: kind(n_components=1)),
        "MultiOutputRegressor": Case(lambda kind: kind(Ridge()), "targets"),
        "RegressorChain": Case(lambda kind: kind(Ridge()), "targets"),
        "MultiOutputClassifier": Case(lambda kind: kind(logistic()), "labels"),
        "ClassifierChain": Case(lambda kind: kind(logistic()), "labels"),
        "OneVsRestClassifier": one, "OneVsOneClassifier": one, "OutputCodeClassifier": one,
        "SelfTrainingClassifier": one, "FrozenEstimator": Case(lambda kind: kind(logistic().fit(*rows_of("classes")))),
        "RFE": one, "RFECV": one, "SelectFromModel": one, "SequentialFeatureSelector": one,
        "FixedThresholdClassifier": Case(lambda kind: kind(logistic(), threshold=0.7), "binary"),
        "TunedThresholdClassifierCV": Case(lambda kind: kind(logistic()), "binary"),
        "GridSearchCV": Case(lambda kind: kind(logistic(), {"C": [0.1, 1.0]}, cv=2)),
        "RandomizedSearchCV": Case(lambda kind: kind(logistic(), {"C": [0.1, 1.0]}, n_iter=2, cv=2)),
        "HalvingGridSearchCV": Case(lambda kind: kind(logistic(), {"C": [0.1, 1.0]}, cv=2)),
        "HalvingRandomSearchCV": Case(lambda kind: kind(logistic(), {"C": [0.1, 1.0]}, cv=2)),
        "VotingClassifier": Case(lambda kind: kind(two, voting="soft")),
        "VotingRegressor": Case(lambda kind: kind(two_values), "regression"),
        "StackingClassifier": Case(lambda kind: kind(two)),
        "StackingRegressor": Case(lambda kind: kind(two_values), "regression"),
        "TransformedTargetRegressor": Case(
            lambda kind: kind(Ridge(), func=np.log1p, inverse_func=np.expm1), "regression"),
        "Pipeline": Case(lambda kind: kind([("model", logistic())])),
        "ColumnTransformer": Case(lambda kind: kind([("kept", "passthrough", [0, 2])])),
        "FeatureUnion": Case(lambda kind: kind([("kept", "passthrough"), ("again", "passthrough")])),
        "IsotonicRegression": Case(rows="line"),
        "SparseCoder": Case(lambda kind: kind(np.eye(4))),
        "CountVectorizer": texts, "TfidfVectorizer": texts, "HashingVectorizer": texts,
        "TfidfTransformer": codes, "CategoricalNB": codes, "OneHotEncoder": codes, "OrdinalEncoder": codes,
        "TargetEncoder": codes, "MissingIndicator": Case(rows="missing"), "SimpleImputer": Case(rows="missing"),
        "KNNImputer": Case(rows="missing"), "IterativeImputer": Case(rows="missing"),
        "RadiusNeighborsClassifier": Case(lambda kind: kind(radius=3.0)),
        "RadiusNeighborsRegressor": Case(lambda kind: kind(radius=3.0), "regression"),
        "LocalOutlierFactor": Case(lambda kind: kind(novelty=True)),
        "GaussianRandomProjection": Case(lambda kind: kind(n_components=2, random_state=0)),
        "SparseRandomProjection": Case(lambda kind: kind(n_components=2, random_state=0)),
        "GaussianMixture": Case(lambda kind: kind(3, random_state=0)),
        "BayesianGaussianMixture": Case(lambda kind: kind(n_components=3, random_state=0)),
        "FunctionTransformer": Case(lambda kind: kind(np.log1p)),
        "KMeans": Case(lambda kind: kind(3, random_state=0)),
        "MiniBatchKMeans": Case(lambda kind: kind(3, random_state=0)),
        "SVC": Case(lambda kind: kind()), "GaussianProcessRegressor": Case(lambda kind: kind(alpha=1.0), "regression"),
        "PatchExtractor": Case(rows="classes"), "DictVectorizer": Case(rows="classes"),
    }  # fmt: skip


def kind_of(kind: type) -> str:
    """What a class is for, as scikit-learn sorts it."""
    from sklearn.utils import all_estimators

    for word in ("classifier", "regressor", "cluster", "transformer"):
        if any(kind is found for _, found in all_estimators(type_filter=word)):
            return word
    return "other"


def measure(name: str) -> Row:
    """Fits one estimator and climbs the ladder with it."""
    from sklearn.base import is_regressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.utils import all_estimators

    from jupyter_mlstudio.plugins.converters.base import Original
    from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
    from jupyter_mlstudio.programs.ladder import climb

    name, several, _ = name.partition(SEVERAL)
    kind = dict(all_estimators())[name]
    case = cases().get(name, Case())
    if several:
        case = Case(case.make, AT_ONCE[name])
    row = Row(name + several, kind.__module__.split(".")[1], kind_of(kind))
    try:
        model = case.make(kind)
        rows, answers = rows_of(case.rows or ("regression" if is_regressor(model) else "classes"))
        alone = row.kind in ("classifier", "regressor") or (
            (hasattr(kind, "predict") or hasattr(model, "predict")) and row.kind != "transformer"
        )
        alone = alone or (hasattr(kind, "fit_predict") and not hasattr(kind, "transform")) or case.rows == "targets"
        if not alone and not hasattr(kind, "transform"):
            return replaced(row, reason="has neither predict() nor transform(): it answers for no new rows")
        if row.name in ANSWERS:
            return replaced(row, reason="transforms answers, not rows")
        whole = model if alone else make_pipeline(model, LogisticRegression(max_iter=500))
        if alone and not (hasattr(kind, "predict") or hasattr(model, "predict")):
            return replaced(row, reason="has no predict(): it answers for no new rows")
        whole.fit(rows, answers)
    except Exception as error:
        return replaced(row, reason=f"does not fit rows of numbers: {first_line(error)}")
    try:
        conversion = climb(SklearnConverter(), Original(whole, rows, "scikit-learn")).conversion
    except Exception as error:
        return replaced(row, reason=first_line(error))
    report = conversion.parity
    if report is None:
        loaded = "cannot be loaded" in conversion.reason or "cannot compute" in conversion.reason
        return replaced(row, converts=loaded, loads=False if loaded else None, reason=conversion.reason)
    return replaced(
        row, converts=True, loads=True, agrees=conversion.ready, difference=float(report.max_abs_difference),
        dtype=report.dtype, reason=conversion.reason,
    )  # fmt: skip


def replaced(row: Row, **values: Any) -> Row:
    """A row with other values."""
    return Row(**{**row.__dict__, **values})


def first_line(error: Exception) -> str:
    """The first line of what went wrong."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160]


def _child(name: str, sender: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    sender.send(measure(name))


def measure_apart(name: str) -> Row:
    """Measures in a process of its own, which ends after :data:`TIMEOUT_S`."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(name, sender))
    child.start()
    sender.close()
    try:
        if receiver.poll(TIMEOUT_S):
            return receiver.recv()  # type: ignore[no-any-return]
        return Row(name, "", "", reason=f"took longer than {TIMEOUT_S:g} s")
    except EOFError:
        return Row(name, "", "", reason="its process died")
    finally:
        child.kill()
        child.join()


def page(rows: list[Row]) -> str:
    """The page, in Markdown."""
    import onnxruntime
    import skl2onnx
    import sklearn

    at_once = [row for row in rows if row.name.endswith(SEVERAL)]
    rows = [row for row in rows if row not in at_once]
    agreeing = sum(bool(row.agrees) for row in rows)
    lines = [
        "<!-- Generated by docs/generate_coverage.py: do not edit. -->", "",
        "# Coverage of scikit-learn", "",
        (f"All {len(rows)} estimators and transformers of scikit-learn {sklearn.__version__} (`all_estimators()`), with"
        f" skl2onnx {skl2onnx.__version__}"), f"and onnxruntime {onnxruntime.__version__}: {agreeing} agree.",
        "A transformer is tried before a linear model. *Difference* is the largest of any row: of probabilities, or of",
        "values relative to their scale. What does not agree is never served.", "",
        *table(rows), "", "## Several labels or targets for a row", "",
        "Fitted with two labels of two classes each, or with two targets.", "", *table(at_once),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def table(rows: list[Row]) -> list[str]:
    """A table of rows, in Markdown."""
    lines = [
        "| estimator | of | converts | loads | agrees | difference | number type | why not |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        marks = " | ".join({None: "", True: "yes", False: "no"}[mark] for mark in (row.converts, row.loads, row.agrees))
        difference = "" if row.difference is None else f"{row.difference:.1e}"
        reason = row.reason.replace("|", "\\|").replace("\n", " ")
        lines.append(
            f"| {row.name.removesuffix(SEVERAL)} | {row.module} | {marks} | {difference} |"
            f" {row.dtype if row.agrees else ''} | {reason} |"
        )
    return lines


def main() -> int:
    """Measures all and writes the page."""
    from sklearn.utils import all_estimators

    import jupyter_mlstudio.programs.ladder  # noqa: F401  (loaded once, before the processes fork)

    names = sys.argv[1:] or [name for name, _ in all_estimators()] + [name + SEVERAL for name in AT_ONCE]
    with ThreadPoolExecutor(WORKERS) as pool:
        rows = list(pool.map(measure_apart, names))
    if sys.argv[1:]:
        print(page(rows))
        return 0
    PAGE.write_text(page(rows), encoding="utf-8")
    whole = [row for row in rows if not row.name.endswith(SEVERAL)]
    print(f"{sum(bool(row.agrees) for row in whole)} of {len(whole)} agree: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn import (
    calibration,
    compose,
    decomposition,
    discriminant_analysis,
    ensemble,
    feature_extraction,
    feature_selection,
    impute,
    linear_model,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    svm,
    tree,
)  # fmt: skip
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx import forest as forest_module
from jupyter_mlstudio.onnx.session import open_session
from jupyter_mlstudio.plugins.converters.base import Original, Source
from jupyter_mlstudio.plugins.converters.files import read_rows
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.convert import convert, read_manifest
from jupyter_mlstudio.programs.ladder import Outcome, climb
from jupyter_mlstudio.testing.converter import ConverterContract

pipe = pipeline.make_pipeline
NUMBERS = ["age", "hours per week", "emp.var.rate"]


@cache
def people() -> tuple[pd.DataFrame, Any]:
    """A table like the ones people have: text, missing values, booleans, integers, odd names, large numbers."""
    random, n = np.random.default_rng(0), 600
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, n),
            "hours per week": random.normal(40, 10, n),
            "emp.var.rate": random.normal(0, 1e6, n),
            "1st sex": random.choice(["m", "f"], n),
            "job": random.choice(list("abcdefgh"), n),
            "flag": random.random(n) > 0.5,
            "grade": pd.Categorical(random.choice(["x", "y"], n)),
            "code": random.integers(0, 5, n),
        }
    )
    frame.loc[::7, "hours per week"] = np.nan
    frame.loc[::9, "1st sex"] = None
    answers = ((frame["age"] + random.normal(0, 9, n) + (frame["job"] > "d") * 20) > 60).astype(int)
    return frame, answers.to_numpy()


def columns(*, sparse: bool = False) -> Any:
    text = pipe(
        impute.SimpleImputer(strategy="most_frequent"),
        preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=sparse),
    )
    numbers = pipe(impute.SimpleImputer(), preprocessing.StandardScaler())
    codes = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=sparse)
    return compose.ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("text", text, ["1st sex", "job"]), ("codes", codes, ["grade", "code"])]
    )


def logistic() -> Any:
    return linear_model.LogisticRegression(max_iter=2000)


def outcome(model: Any, rows: Any, answers: Any) -> Outcome:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, answers)
    return climb(SklearnConverter(), Original(model, rows, "scikit-learn"))


ON_PEOPLE: dict[str, Callable[[], Any]] = {
    "logistic regression": logistic,
    "histogram boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=20),
    "random forest": lambda: ensemble.RandomForestClassifier(20, random_state=0),
    "extra trees": lambda: ensemble.ExtraTreesClassifier(10, random_state=0),
    "gradient boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=20),
    "ada boost": lambda: ensemble.AdaBoostClassifier(n_estimators=10),
    "decision tree": lambda: tree.DecisionTreeClassifier(random_state=0),
    "bagging": lambda: ensemble.BaggingClassifier(n_estimators=5, random_state=0),
    "svc": lambda: svm.SVC(),
    "calibrated svc": lambda: calibration.CalibratedClassifierCV(svm.LinearSVC()),
    "network": lambda: neural_network.MLPClassifier((10,), max_iter=20, random_state=0),
    "neighbours": lambda: neighbors.KNeighborsClassifier(15),
    "naive bayes": lambda: naive_bayes.GaussianNB(),
    "linear discriminants": lambda: discriminant_analysis.LinearDiscriminantAnalysis(),
    "stochastic gradient": lambda: linear_model.SGDClassifier(loss="log_loss", random_state=0),
    "soft vote with weights in a list": lambda: ensemble.VotingClassifier(
        [("a", logistic()), ("b", ensemble.RandomForestClassifier(5, random_state=0))], voting="soft", weights=[1, 2]
    ),
    "stack": lambda: ensemble.StackingClassifier(
        [("a", logistic()), ("b", ensemble.RandomForestClassifier(5, random_state=0))], logistic()
    ),
    "selection and components": lambda: pipe(
        feature_selection.SelectKBest(k=8), decomposition.PCA(5), logistic()
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ON_PEOPLE)
def test_a_classifier_behind_text_and_missing_values_answers_the_same(name: str) -> None:
    frame, answers = people()
    found = outcome(pipe(columns(), ON_PEOPLE[name]()), frame, answers).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips == found.parity.ties
    assert float(found.parity.max_abs_difference) <= 1e-5
    assert found.signature is not None
    assert [spec.name for spec in found.signature.inputs] == list(frame.columns)


REGRESSORS: dict[str, Callable[[], Any]] = {
    "ridge": linear_model.Ridge,
    "random forest": lambda: ensemble.RandomForestRegressor(10, random_state=0),
    "forest behind a scaler": lambda: pipe(
        preprocessing.StandardScaler(), ensemble.RandomForestRegressor(10, random_state=0)
    ),
    "gradient boosting": lambda: ensemble.GradientBoostingRegressor(n_estimators=20),
    "histogram boosting": lambda: ensemble.HistGradientBoostingRegressor(max_iter=20),
    "poisson boosting": lambda: ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=20),
    "gamma boosting behind a scaler": lambda: pipe(
        preprocessing.StandardScaler(), ensemble.HistGradientBoostingRegressor(loss="gamma", max_iter=20)
    ),
    "quantile boosting": lambda: ensemble.HistGradientBoostingRegressor(loss="quantile", quantile=0.8, max_iter=20),
    "support vectors": lambda: pipe(preprocessing.StandardScaler(), svm.SVR()),
    "poisson": linear_model.PoissonRegressor,
    "vote": lambda: ensemble.VotingRegressor([("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor())]),
    "two targets": linear_model.Ridge,
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_answers_the_same(name: str) -> None:
    data = load_diabetes()
    answers = np.c_[data.target, -data.target] if name == "two targets" else data.target
    found = outcome(REGRESSORS[name](), data.data, answers).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips is None
    assert float(found.parity.max_abs_difference) <= 1e-4


STEPS: dict[str, Callable[[], Any]] = {
    "imputer with indicator": lambda: pipe(impute.SimpleImputer(add_indicator=True), preprocessing.StandardScaler()),
    "quantiles": lambda: pipe(impute.SimpleImputer(), preprocessing.QuantileTransformer(n_quantiles=10)),
    "power": lambda: pipe(impute.SimpleImputer(), preprocessing.PowerTransformer()),
    "bins": lambda: pipe(impute.SimpleImputer(), preprocessing.KBinsDiscretizer()),
    "polynomials": lambda: pipe(
        impute.SimpleImputer(), preprocessing.StandardScaler(), preprocessing.PolynomialFeatures()
    ),
    "robust": lambda: pipe(impute.SimpleImputer(strategy="median"), preprocessing.RobustScaler()),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_on_numbers_answers_the_same(name: str) -> None:
    frame, answers = people()
    found = outcome(pipe(STEPS[name](), logistic()), frame[NUMBERS], answers).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.inputs[0].columns == NUMBERS


def test_texts_are_sent_as_a_list() -> None:
    texts = [f"The {animal} {way} É" for animal in ("cat", "Dog") for way in ("fast", "slow") for _ in range(20)]
    answers = [int("Dog" in text) for text in texts]
    found = outcome(pipe(feature_extraction.text.TfidfVectorizer(), logistic()), texts, answers).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert (found.signature.inputs[0].datatype, found.signature.inputs[0].shape) == ("BYTES", [-1])


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [0.0, 1.0], [3, 7]], ids=str)
def test_labels_of_any_kind_stay_what_they_are(labels: list[Any]) -> None:
    data = load_breast_cancer()
    model = pipe(preprocessing.StandardScaler(), logistic())
    found = outcome(model, data.data, np.array(labels)[data.target]).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.labels == [str(label) for label in np.array(labels)]


def test_a_search_is_served_as_its_best_estimator() -> None:
    data = load_iris(as_frame=True)
    search = model_selection.GridSearchCV(logistic(), {"C": [0.1, 1.0]}, cv=2)
    found = outcome(search, data.data, data.target).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert found.signature.inputs[0].columns == list(data.data.columns)


def test_float32_alone_would_flip_labels_and_float64_is_chosen_instead() -> None:
    """A unix time stamp has more digits than float32: the usual conversion flips labels without a word (M6)."""
    random = np.random.default_rng(0)
    stamps = 1_700_000_000 + random.integers(0, 3600, 4000)
    rows = np.c_[stamps, random.normal(size=4000)].astype(np.float64)
    answers = (stamps - stamps.mean() + 100 * rows[:, 1] > 0).astype(int)
    model = pipe(preprocessing.StandardScaler(), logistic()).fit(rows, answers)
    original = Original(model, rows, "scikit-learn")

    class Usual(SklearnConverter):
        dtypes = ("float32",)

    usual = climb(Usual(), original).conversion
    assert not usual.ready
    assert usual.parity is not None
    assert (usual.parity.label_flips or 0) > 20
    assert "labels flip" in usual.reason
    ours = climb(SklearnConverter(), original).conversion
    assert ours.ready
    assert ours.parity is not None
    assert (ours.parity.dtype, ours.parity.label_flips) == ("float64", 0)


MENDED: dict[str, Callable[[], Any]] = {
    "neighbours by distance": lambda: pipe(columns(), neighbors.KNeighborsClassifier(weights="distance")),
    "categories of text in boosting": lambda: pipe(
        compose.ColumnTransformer([("o", preprocessing.OrdinalEncoder(), ["job", "grade"])]),
        ensemble.HistGradientBoostingClassifier(categorical_features=[0, 1], max_iter=5)),
    "boosting that finds the categories itself": lambda: ensemble.HistGradientBoostingClassifier(max_iter=20),
    "tuned threshold": lambda: pipe(columns(), model_selection.TunedThresholdClassifierCV(logistic())),
    "fixed threshold": lambda: pipe(columns(), model_selection.FixedThresholdClassifier(logistic(), threshold=0.8)),
    "splines": lambda: pipe(
        compose.ColumnTransformer([("s", preprocessing.SplineTransformer(), ["age", "code"])]), logistic()),
    "a function of numpy": lambda: pipe(
        compose.ColumnTransformer([("f", preprocessing.FunctionTransformer(np.log1p), ["age"])]), logistic()),
    "isotonic calibration": lambda: pipe(
        columns(), calibration.CalibratedClassifierCV(svm.LinearSVC(), method="isotonic", cv=3)),
    "one against the rest": lambda: pipe(columns(), multiclass.OneVsRestClassifier(logistic())),
}  # fmt: skip


@pytest.mark.parametrize("name", MENDED)
def test_what_usual_converters_get_wrong_answers_the_same(name: str) -> None:
    frame, answers = people()
    if "itself" in name:
        frame = frame[["age", "grade", "code"]].assign(job=frame["job"].astype("category"))
    found = outcome(MENDED[name](), frame, answers).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips == found.parity.ties


TARGETS: dict[str, Callable[[], Any]] = {
    "log of the target": lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
    "scaled target": lambda: compose.TransformedTargetRegressor(
        linear_model.Ridge(), transformer=preprocessing.StandardScaler()),
    "neighbours by distance": lambda: neighbors.KNeighborsRegressor(weights="distance"),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_a_regressor_that_usual_converters_refuse_answers_the_same(name: str) -> None:
    data = load_diabetes()
    found = outcome(TARGETS[name](), data.data, data.target).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert float(found.parity.max_abs_difference) <= 1e-4


def test_words_of_every_script_are_words() -> None:
    texts = [f"{word} a {other} ça" for word in ("Éclair", "naïve", "Straße", "東京") for other in ("x", "über", "Öl")]
    texts, answers = texts * 4, [int("É" in text or "ü" in text) for text in texts * 4]
    found = outcome(
        pipe(feature_extraction.text.CountVectorizer(ngram_range=(1, 2)), logistic()), texts, answers
    ).conversion
    assert found.ready, found.reason


GROUPED: dict[str, Callable[[], Any]] = {
    "rare ones": lambda: preprocessing.OneHotEncoder(min_frequency=70, handle_unknown="infrequent_if_exist"),
    "all but two": lambda: preprocessing.OneHotEncoder(max_categories=3, handle_unknown="ignore"),
    "without the first": lambda: preprocessing.OneHotEncoder(
        max_categories=3, drop="first", handle_unknown="infrequent_if_exist"
    ),
    "without one of two": lambda: preprocessing.OneHotEncoder(max_categories=2, drop="if_binary"),
    "numbers": lambda: preprocessing.OrdinalEncoder(
        max_categories=3, handle_unknown="use_encoded_value", unknown_value=-1
    ),
    "numbers for missing ones too": lambda: preprocessing.OrdinalEncoder(
        min_frequency=80, handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=-2
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GROUPED)
@pytest.mark.parametrize("with_names", [True, False], ids=["a table", "a matrix"])
def test_categories_that_are_grouped_become_what_the_encoder_makes_of_them(name: str, with_names: bool) -> None:
    frame, answers = people()
    rows: Any = frame[["job", "1st sex", "grade"]].astype(object).where(lambda one: one.notna(), None)
    if with_names:
        rows = rows.assign(code=frame["code"], ratio=np.where(frame["code"] > 3, np.nan, frame["code"] / 4))
        encoded = compose.ColumnTransformer([("o", GROUPED[name](), list(rows.columns))])
    else:
        rows, encoded = rows.to_numpy(dtype=object), GROUPED[name]()
    found = outcome(encoded, rows, answers)
    assert found.conversion.ready, found.conversion.reason
    assert found.conversion.parity is not None
    assert found.conversion.parity.max_abs_difference == 0.0


def test_a_value_that_no_category_is_becomes_what_the_encoder_makes_of_it() -> None:
    values = np.array(["a"] * 50 + ["b"] * 40 + ["c"] * 5 + ["d"] * 5, dtype=object).reshape(-1, 1)
    for name in ("rare ones", "all but two", "without the first", "numbers"):
        encoder = GROUPED[name]().set_params(min_frequency=10, max_categories=None)
        found = outcome(encoder, values, None)
        assert found.onnx is not None, found.conversion.reason
        session = open_session(found.onnx)
        strange = np.array([["a"], ["d"], ["never seen"]], dtype=object)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = encoder.transform(strange)
        answer = session.run(None, {session.get_inputs()[0].name: strange})[0]
        assert np.array_equal(answer, expected.toarray() if hasattr(expected, "toarray") else expected), name


def test_a_pipeline_with_grouped_categories_and_usual_ones_is_served() -> None:
    frame, answers = people()
    both = compose.ColumnTransformer([
        ("grouped", preprocessing.OneHotEncoder(min_frequency=70), ["job"]),
        ("usual", preprocessing.OneHotEncoder(), ["grade", "code"]), ("numbers", "passthrough", ["age"]),
    ])  # fmt: skip
    assert outcome(pipe(both, logistic()), frame, answers).conversion.ready


MANY: dict[str, Callable[[], Any]] = {
    "beside each other": lambda: multioutput.MultiOutputClassifier(logistic()),
    "forests beside each other": lambda: multioutput.MultiOutputClassifier(
        ensemble.RandomForestClassifier(5, random_state=0)
    ),
    "a chain": lambda: multioutput.ClassifierChain(logistic(), order=[2, 0, 1]),
    "a chain of probabilities": lambda: multioutput.ClassifierChain(logistic(), chain_method="predict_proba"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_several_labels_for_a_row_are_answered_as_a_column_each(name: str, tmp_path: Path) -> None:
    data = load_breast_cancer()
    rows = preprocessing.StandardScaler().fit_transform(data.data)
    answers = np.column_stack([data.target, data.data[:, 0] > 14, data.data[:, 1] > 19]).astype(int)
    model = pipe(preprocessing.StandardScaler(), MANY[name]()).fit(rows, answers)
    found = climb(SklearnConverter(), Original(model, rows, "scikit-learn"))
    assert found.conversion.ready, found.conversion.reason
    assert found.onnx is not None
    assert found.conversion.signature is not None
    label, probabilities = found.conversion.signature.outputs
    assert (label.shape, probabilities.shape) == ([-1, 3], [-1, 3 if "chain" in name else 6])
    session = open_session(found.onnx)
    got = session.run([label.onnx_name, probabilities.onnx_name], {"X": rows.astype(_input_type(found))})
    assert np.array_equal(got[0], model.predict(rows))
    expected = model.predict_proba(rows)
    expected = np.hstack(expected) if isinstance(expected, list) else expected
    assert np.abs(got[1] - expected).max() < 1e-5
    for file, content in {"model.onnx": found.onnx, **found.evidence}.items():
        (tmp_path / file).write_bytes(content)
    said = subprocess.run(
        [sys.executable, str(tmp_path / "verify_parity.py")], capture_output=True, text=True, check=True
    ).stdout
    report = json.loads(said)
    assert (report["rows"], report["label_flips"]) == (len(rows), 0)


def _input_type(found: Outcome) -> Any:
    assert found.conversion.signature is not None
    return np.float64 if found.conversion.signature.inputs[0].datatype == "FP64" else np.float32


def test_several_labels_that_are_texts_are_answered_as_texts() -> None:
    data = load_iris()
    answers = np.column_stack([data.target_names[data.target], np.where(data.data[:, 0] > 5.8, "long", "short")])
    found = outcome(multioutput.MultiOutputClassifier(logistic()), data.data, answers).conversion
    assert found.ready, found.reason
    assert found.signature is not None
    assert (found.signature.outputs[0].datatype, found.signature.outputs[1].shape) == ("BYTES", [-1, 5])


def test_several_labels_of_a_classifier_without_a_form_for_them_are_refused_with_what_to_do() -> None:
    data = load_iris()
    answers = np.column_stack([data.target > 0, data.data[:, 0] > 5.8]).astype(int)
    with pytest.raises(Invalid, match="RidgeClassifier has no ONNX form for several labels for a row: use trees"):
        outcome(linear_model.RidgeClassifier(), data.data, answers)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a function of your own": (
        lambda: pipe(
            compose.ColumnTransformer([("f", preprocessing.FunctionTransformer(np.nan_to_num), ["age"])]), logistic()),
        "of numpy's functions"),
    "splines that go on": (
        lambda: pipe(
            compose.ColumnTransformer([("s", preprocessing.SplineTransformer(extrapolation="linear"), ["age"])]),
            logistic()),
        "use 'constant'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_wrong_is_refused_with_a_way_out(name: str) -> None:
    frame, answers = people()
    made, said = REFUSED[name]
    found = outcome(made(), frame, answers)
    assert not found.conversion.ready
    assert found.onnx is None
    assert said in found.conversion.reason


def test_a_tolerance_that_is_not_met_refuses_with_the_numbers() -> None:
    data = load_breast_cancer()
    model = ensemble.GradientBoostingClassifier(random_state=0).fit(data.data, data.target)
    found = climb(SklearnConverter(), Original(model, data.data, "scikit-learn"), tolerance=1e-12).conversion
    assert not found.ready
    assert "where 1e-12 is allowed" in found.reason
    assert found.parity is not None
    assert len(found.parity.attempts) == 3


class TestContract(ConverterContract):
    converter = SklearnConverter

    def write(self, folder: Path) -> None:
        frame, answers = people()
        model = pipe(columns(), ensemble.RandomForestClassifier(5, random_state=0)).fit(frame, answers)
        write_model(folder, model, frame, answers)


def test_a_changed_model_file_is_not_loaded(tmp_path: Path) -> None:
    data = load_iris()
    write_model(tmp_path, logistic().fit(data.data, data.target), data.data)
    (tmp_path / "model.joblib").write_bytes(b"something else")
    with pytest.raises(Invalid, match="digest mismatch"):
        SklearnConverter().load(Source(tmp_path, read_manifest(tmp_path)))


def test_U13_U14_rows_that_would_execute_or_hold_far_too_much_are_refused_unread(tmp_path: Path) -> None:
    import zipfile

    executing = np.array([{"a": 1}], dtype=object)
    np.save(tmp_path / "objects.npy", executing, allow_pickle=True)
    np.savez(tmp_path / "objects.npz", x=executing)
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY\x01")
    (tmp_path / "none.npz").write_bytes(b"PK\x03\x04")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", b"little")
    content = (tmp_path / "bomb.npz").read_bytes()
    at = content.index(b"PK\x01\x02") + 24
    (tmp_path / "bomb.npz").write_bytes(content[:at] + b"\xfe\xff\xff\xff" + content[at + 4 :])
    for name in ("objects.npy", "objects.npz", "cut.npy", "none.npz", "bomb.npz"):
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        with pytest.raises(Invalid, match=r"no arrays of numbers|holds 4\.3 GB of rows: log a smaller sample"):
            read_rows(tmp_path, {"sample": name, "sample_sha256": digest}, "sample")


def test_M01_a_pickle_without_a_manifest_is_not_loaded(tmp_path: Path) -> None:
    import pickle

    canary = tmp_path / "canary"

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.mkdir, (canary,))

    native = tmp_path / "native"
    native.mkdir()
    (native / "model.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(Invalid, match="nothing was loaded"):
        convert(native)
    assert not canary.exists()


def test_M14_an_MLmodel_that_would_execute_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(f"flavors: !!python/object/apply:os.mkdir ['{tmp_path}/canary']\n")
    with pytest.raises(Invalid, match="nothing in it was executed"):
        convert(tmp_path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", ["../canary", "/etc/hostname", "a/b", "", "..", 3])
def test_a_manifest_that_names_a_file_elsewhere_is_refused(tmp_path: Path, name: object) -> None:
    (tmp_path / "mlstudio.json").write_text(json.dumps({"kind": "sklearn", "file": name, "sha256": "0"}))
    with pytest.raises(Invalid, match="no file beside it"):
        convert(tmp_path)


def test_a_model_without_sample_rows_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = load_iris()
    write_model(tmp_path, logistic().fit(data.data, data.target))
    with pytest.raises(Invalid, match="sample=X_test"):
        convert(tmp_path)


def test_a_model_that_mlflow_wrote_is_converted(tmp_path: Path) -> None:
    import joblib
    from mlflow.models.model import Model

    data = load_iris(as_frame=True)
    model = logistic().fit(data.data, data.target)
    joblib.dump(model, tmp_path / "model.pkl")
    (tmp_path / "input_example.json").write_text(json.dumps(json.loads(data.data[:50].to_json(orient="split"))))
    description = Model(saved_input_example_info={"artifact_path": "input_example.json", "type": "dataframe",
                                                  "pandas_orient": "split"})  # fmt: skip
    description.add_flavor("sklearn", pickled_model="model.pkl", sklearn_version="1.9", serialization_format="pickle")
    description.save(str(tmp_path / "MLmodel"))
    found = convert(tmp_path).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.rows == 50


def test_even_votes_of_a_forest_are_even_in_onnx_and_a_table_of_two_classes_has_a_small_file() -> None:
    """Of two classes the second one's share is enough; five trees of ten are half of them."""
    data = load_breast_cancer()
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(data.data[::2], data.target[::2])
    outcome = climb(SklearnConverter(), Original(forest, data.data[1::2], ""))
    report = outcome.conversion.parity
    assert report is not None
    assert report.label_flips == 0
    assert report.max_abs_difference < 1e-15
    nodes = sum(one.tree_.node_count for one in forest.estimators_)
    assert len(outcome.onnx or b"") < 25 * nodes


def test_forests_of_several_classes_and_boosted_ones_are_one_file() -> None:
    """A leaf with shares of several classes has the older form alone, which then holds for all of a file."""
    data = load_iris()
    members = [("a", ensemble.RandomForestClassifier(5, max_depth=2, random_state=0)),
               ("b", ensemble.HistGradientBoostingClassifier(max_iter=3))]  # fmt: skip
    for model in (ensemble.VotingClassifier(members, voting="soft"), members[1][1]):
        outcome = climb(SklearnConverter(), Original(model.fit(data.data, data.target), data.data, ""))
        assert outcome.conversion.ready, outcome.conversion.reason


@pytest.mark.parametrize("classes", [2, 3])
def test_a_large_forest_is_several_operators_that_answer_as_one(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_iris()
    forest = ensemble.ExtraTreesClassifier(30, random_state=0).fit(data.data[::2], data.target[::2] % classes)
    for nodes, operators in ((forest_module.PART, 1), (100, 5)):
        monkeypatch.setattr(forest_module, "PART", nodes)
        outcome = climb(SklearnConverter(), Original(forest, data.data, ""))
        report = outcome.conversion.parity
        assert report is not None
        assert report.label_flips == 0
        assert report.max_abs_difference < 1e-15
        kinds = [node.op_type for node in onnx.load_from_string(outcome.onnx or b"").graph.node]
        assert sum(kind.startswith("TreeEnsemble") for kind in kinds) >= operators

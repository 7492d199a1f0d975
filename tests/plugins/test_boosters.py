from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn import compose, ensemble, impute, linear_model, pipeline, preprocessing
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.catboost import CatboostConverter
from jupyter_mlstudio.plugins.converters.lightgbm import LightgbmConverter
from jupyter_mlstudio.plugins.converters.xgboost import XgboostConverter
from jupyter_mlstudio.programs.convert import convert, read_manifest
from jupyter_mlstudio.programs.ladder import Outcome
from jupyter_mlstudio.testing.converter import ConverterContract

pytestmark = pytest.mark.slow

XGB: dict[str, Any] = {"n_estimators": 15}
LGB: dict[str, Any] = {"n_estimators": 15, "verbose": -1}
CAT: dict[str, Any] = {"iterations": 15, "verbose": 0, "allow_writing_files": False, "thread_count": 1}


def fitted(model: Any, rows: Any, answers: Any, **how: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(rows, answers, **how)


def registered(model: Any, rows: Any) -> Outcome:
    """What registering finds: the model is written as ``log_model`` does, and loaded again from these files."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_model(Path(folder), model, rows)
        return convert(Path(folder))


def cancer(*, missing: bool = False) -> tuple[Any, Any]:
    rows, answers = load_breast_cancer(return_X_y=True)
    if missing:
        rows = rows.copy()
        rows[::3, 4] = rows[::5, 20] = np.nan
    return rows, answers


def shop() -> tuple[pd.DataFrame, Any]:
    """Categories of text and of numbers, with missing ones."""
    random, n = np.random.default_rng(0), 500
    frame = pd.DataFrame(
        {
            "amount": random.normal(size=n),
            "way": pd.Categorical(random.choice(list("pqrstuvw"), n)),
            "size": pd.Categorical(random.choice([10, 20, 30, 70], n)),
        }
    )
    frame.loc[::7, "way"] = None
    frame.loc[::11, "amount"] = np.nan
    bought = frame["way"].isin(["p", "s", "w"]).astype(int) + (frame["size"] == 20) + (frame["amount"] > 0)
    return frame, bought.to_numpy()


CLASSIFIERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "xgboost": lambda: (xgboost.XGBClassifier(**XGB), None),
    "xgboost forest": lambda: (xgboost.XGBRFClassifier(**XGB), None),
    "xgboost dart": lambda: (xgboost.XGBClassifier(booster="dart", rate_drop=0.3, **XGB), None),
    "lightgbm": lambda: (lightgbm.LGBMClassifier(**LGB), ["no", "yes"]),
    "lightgbm forest": lambda: (
        lightgbm.LGBMClassifier(boosting_type="rf", subsample=0.6, subsample_freq=1, **LGB), None),
    "lightgbm with a steep sigmoid": lambda: (lightgbm.LGBMClassifier(sigmoid=2.0, **LGB), [False, True]),
    "catboost": lambda: (catboost.CatBoostClassifier(**CAT), ["no", "yes"]),
    "catboost where missing is largest": lambda: (catboost.CatBoostClassifier(nan_mode="Max", **CAT), None),
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_with_missing_values_answers_the_same(name: str) -> None:
    rows, answers = cancer(missing=True)
    model, labels = CLASSIFIERS[name]()
    found = registered(fitted(model, rows, answers if labels is None else np.array(labels)[answers]), rows).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert (found.parity.dtype, found.parity.label_flips) == ("float64", 0)
    assert float(found.parity.max_abs_difference) < 1e-6
    assert found.signature is not None
    assert found.signature.labels == [str(label) for label in labels or [0, 1]]


MULTICLASS: dict[str, Callable[[], Any]] = {
    "xgboost": lambda: xgboost.XGBClassifier(**XGB),
    "lightgbm": lambda: lightgbm.LGBMClassifier(**LGB),
    "lightgbm one against all": lambda: lightgbm.LGBMClassifier(objective="multiclassova", **LGB),
    "lightgbm where 0 is missing": lambda: lightgbm.LGBMClassifier(zero_as_missing=True, **LGB),
    "catboost": lambda: catboost.CatBoostClassifier(**CAT),
    "catboost one against all": lambda: catboost.CatBoostClassifier(loss_function="MultiClassOneVsAll", **CAT),
    "catboost of unlike trees": lambda: catboost.CatBoostClassifier(grow_policy="Depthwise", **CAT),
}


@pytest.mark.parametrize("name", MULTICLASS)
def test_three_classes_answer_the_same(name: str) -> None:
    rows, answers = load_iris(return_X_y=True)
    rows = rows.round() if "0 is missing" in name else rows
    found = registered(fitted(MULTICLASS[name](), rows, answers), rows).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips == 0
    assert float(found.parity.max_abs_difference) < 1e-6


REGRESSORS: dict[str, Callable[[], Any]] = {
    "xgboost": lambda: xgboost.XGBRegressor(**XGB),
    "xgboost of counts": lambda: xgboost.XGBRegressor(objective="count:poisson", **XGB),
    "xgboost of two targets": lambda: xgboost.XGBRegressor(**XGB),
    "xgboost without trees": lambda: xgboost.XGBRegressor(n_estimators=0),
    "lightgbm": lambda: lightgbm.LGBMRegressor(**LGB),
    "lightgbm of counts": lambda: lightgbm.LGBMRegressor(objective="poisson", **LGB),
    "lightgbm of roots": lambda: lightgbm.LGBMRegressor(reg_sqrt=True, **LGB),
    "catboost": lambda: catboost.CatBoostRegressor(**CAT),
    "catboost of counts": lambda: catboost.CatBoostRegressor(loss_function="Poisson", **CAT),
    "catboost of unlike trees": lambda: catboost.CatBoostRegressor(grow_policy="Lossguide", **CAT),
    "catboost of two targets": lambda: catboost.CatBoostRegressor(loss_function="MultiRMSE", **CAT),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_answers_the_same(name: str) -> None:
    rows, answers = load_diabetes(return_X_y=True)
    answers = np.c_[answers, -answers] if "two targets" in name else answers
    found = registered(fitted(REGRESSORS[name](), rows, answers), rows).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert float(found.parity.max_abs_difference) < 1e-5


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_categories_are_sent_as_they_are_called(library: str) -> None:
    frame, bought = shop()
    models = {
        "xgboost": lambda: xgboost.XGBClassifier(enable_categorical=True, max_cat_to_onehot=2, **XGB),
        "lightgbm": lambda: lightgbm.LGBMClassifier(min_data_per_group=1, cat_smooth=1, **LGB),
    }
    found = registered(fitted(models[library](), frame, bought), frame).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips == 0
    assert float(found.parity.max_abs_difference) < 1e-6
    assert found.signature is not None
    assert [spec.datatype for spec in found.signature.inputs] == ["FP64", "BYTES", "INT64"]


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_a_native_booster_is_taken_without_its_wrapper(library: str) -> None:
    rows, answers = cancer(missing=True)
    booster = (
        xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(rows, answers), 10)
        if library == "xgboost"
        else lightgbm.train({"objective": "binary", "verbose": -1}, lightgbm.Dataset(rows, answers), 10)
    )
    found = registered(booster, rows)
    assert found.conversion.ready, found.conversion.reason
    assert found.onnx is not None
    import onnxruntime

    session = onnxruntime.InferenceSession(found.onnx)
    ours = session.run(None, {"X": rows})[1][:, 1]
    native = booster.predict(xgboost.DMatrix(rows) if library == "xgboost" else rows)
    assert np.abs(ours - native).max() < 1e-6


def test_a_ranker_answers_the_same() -> None:
    rows, answers = load_iris(return_X_y=True)
    groups = np.repeat(np.arange(15), 10)
    for model in (
        fitted(xgboost.XGBRanker(**XGB), rows, answers, qid=groups),
        fitted(lightgbm.LGBMRanker(**LGB), rows, answers, group=[10] * 15),
        fitted(catboost.CatBoostRanker(bootstrap_type="No", **CAT), rows, answers, group_id=groups),
    ):
        found = registered(model, rows).conversion
        assert found.ready, found.reason
        assert found.signature is not None
        assert found.signature.task == "regression"


def test_early_stopping_is_kept() -> None:
    rows, answers = cancer()
    how: dict[str, Any] = {"eval_set": [(rows[400:], answers[400:])], "verbose": False}
    model = xgboost.XGBClassifier(n_estimators=200, early_stopping_rounds=3)
    found = registered(fitted(model, rows[:400], answers[:400], **how), rows)
    assert found.conversion.ready, found.conversion.reason
    assert model.best_iteration + 1 < 200


BEHIND: dict[str, Callable[[], Any]] = {
    "xgboost": lambda: xgboost.XGBClassifier(**XGB),
    "lightgbm": lambda: lightgbm.LGBMClassifier(**LGB),
    "catboost": lambda: catboost.CatBoostClassifier(**CAT),
}


@pytest.mark.parametrize("library", BEHIND)
@pytest.mark.parametrize("place", ["last step", "vote", "stack"])
def test_a_booster_behind_a_scaler_and_text_answers_the_same(library: str, place: str) -> None:
    """The usual converters flip labels here: a scaled value lands on the other side of a threshold."""
    frame, bought = shop()
    frame = frame.assign(way=frame["way"].astype(object), stamp=1.7e9 + 1000 * frame["amount"].fillna(0))
    numbers = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    text = pipeline.make_pipeline(
        impute.SimpleImputer(strategy="most_frequent"),
        preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = compose.ColumnTransformer([("n", numbers, ["amount", "stamp"]), ("t", text, ["way"])])
    model = BEHIND[library]()
    both = [("b", model), ("l", linear_model.LogisticRegression())]
    if place == "vote":
        model = ensemble.VotingClassifier(both, voting="soft")
    if place == "stack":
        model = ensemble.StackingClassifier(both, cv=2)
    found = registered(fitted(pipeline.make_pipeline(columns, model), frame, bought), frame).conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.label_flips == 0


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "xgboost that is linear": (lambda: xgboost.XGBRegressor(booster="gblinear", **XGB), "booster='gbtree'"),
    "lightgbm with linear leaves": (lambda: lightgbm.LGBMRegressor(linear_tree=True, **LGB), "linear_tree=False"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_onnx_form_is_refused_with_a_way_out(name: str) -> None:
    rows, answers = load_diabetes(return_X_y=True)
    made, said = REFUSED[name]
    found = registered(fitted(made(), rows, answers), rows)
    assert not found.conversion.ready
    assert said in found.conversion.reason
    assert found.conversion.reason.count(said) == 1


def test_categories_of_catboost_are_refused_with_the_reason() -> None:
    frame, bought = shop()
    frame = frame.assign(way=frame["way"].astype(object).fillna("none"), size=frame["size"].astype(int))
    found = registered(fitted(catboost.CatBoostClassifier(cat_features=["way"], **CAT), frame, bought), frame)
    assert not found.conversion.ready
    assert "categorical features (columns 1)" in found.conversion.reason
    assert "LightGBM or XGBoost" in found.conversion.reason


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_a_file_that_is_none_of_the_library_is_refused(library: str, tmp_path: Path) -> None:
    rows, answers = cancer()
    write_model(tmp_path, fitted(BEHIND[library](), rows, answers), rows)
    manifest = read_manifest(tmp_path)
    import hashlib

    content = b"\x80\x05 not a model"
    (tmp_path / str(manifest["file"])).write_bytes(content)
    source = Source(tmp_path, dict(manifest) | {"sha256": hashlib.sha256(content).hexdigest()})
    converter = {"xgboost": XgboostConverter, "lightgbm": LightgbmConverter, "catboost": CatboostConverter}[library]()
    with pytest.raises(Invalid, match="is not a model of"):
        converter.load(source)


@pytest.mark.parametrize("library", BEHIND)
def test_a_model_that_mlflow_wrote_is_sniffed_and_converted(library: str, tmp_path: Path) -> None:
    import importlib

    rows, answers = cancer(missing=True)
    frame = pd.DataFrame(rows, columns=[f"column {number}" for number in range(rows.shape[1])])
    model = fitted(BEHIND[library](), frame, answers)
    flavor = importlib.import_module(f"mlflow.{library}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flavor.save_model(model, str(tmp_path / "m"), input_example=frame.head(100), pip_requirements=[])
        found = convert(tmp_path / "m").conversion
    assert found.ready, found.reason
    assert found.parity is not None
    assert found.parity.rows == 100


class TestXgboostContract(ConverterContract):
    converter = XgboostConverter

    def write(self, folder: Path) -> None:
        frame, bought = shop()
        write_model(folder, fitted(xgboost.XGBClassifier(enable_categorical=True, **XGB), frame, bought), frame)


class TestLightgbmContract(ConverterContract):
    converter = LightgbmConverter

    def write(self, folder: Path) -> None:
        frame, bought = shop()
        write_model(folder, fitted(lightgbm.LGBMClassifier(**LGB), frame, bought), frame)


class TestCatboostContract(ConverterContract):
    converter = CatboostConverter

    def write(self, folder: Path) -> None:
        rows, answers = cancer(missing=True)
        write_model(folder, fitted(catboost.CatBoostClassifier(**CAT), rows, answers), rows)

"""A threshold in the graph answers like scikit-learn's probabilities at the same threshold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.session import open_session
from jupyter_mlstudio.onnx.threshold import with_threshold
from jupyter_mlstudio.programs.convert import convert
from jupyter_mlstudio.programs.ladder import Outcome
from jupyter_mlstudio.programs.operating_point import decided, finished

DATA = load_breast_cancer()
NAMES = np.array(["benign", "malignant"])
MODELS = {
    "numbers": (make_pipeline(StandardScaler(), LogisticRegression()), DATA.target),
    "texts": (RandomForestClassifier(20, random_state=1), NAMES[DATA.target]),
    "truth": (make_pipeline(StandardScaler(), LogisticRegression()), DATA.target == 1),
}


def converted(folder: Path, model: object, targets: object) -> Outcome:
    folder.mkdir()
    write_model(folder, model.fit(DATA.data, targets), DATA.data)  # type: ignore[attr-defined]
    return convert(folder)


@pytest.mark.parametrize("kind", list(MODELS))
@pytest.mark.parametrize("threshold", [0.05, 0.37, 0.9])
def test_the_label_is_the_one_of_the_threshold(tmp_path: Path, kind: str, threshold: float) -> None:
    model, targets = MODELS[kind]
    outcome = decided(converted(tmp_path / "model", model, targets), threshold)
    assert outcome.onnx is not None
    report = outcome.conversion.threshold
    assert report is not None
    assert (report.threshold, report.rows) == (threshold, 569)
    assert report.label_flips == report.ties

    signature = outcome.conversion.signature
    assert signature is not None
    names = [spec.onnx_name or spec.name for spec in signature.outputs]
    feeds = {signature.inputs[0].onnx_name or signature.inputs[0].name: DATA.data}
    found = open_session(outcome.onnx).run(names, feeds)
    labels = found[[spec.name for spec in signature.outputs].index("label")]
    wanted = model.classes_[(model.predict_proba(DATA.data)[:, 1] >= threshold).astype(int)]
    assert (labels.astype(wanted.dtype) == wanted).all()
    assert (labels.astype(wanted.dtype) != model.predict(DATA.data)).any()


def test_a_threshold_that_is_one_of_the_probabilities_counts_as_reached(tmp_path: Path) -> None:
    model, targets = MODELS["texts"]
    plain = converted(tmp_path / "model", model, targets)
    chosen = sorted(set(model.predict_proba(DATA.data)[:, 1]))[5]
    report = decided(plain, float(chosen)).conversion.threshold
    assert report is not None
    assert report.label_flips == report.ties


def test_before_opset_12_the_older_operators_say_the_same(tmp_path: Path) -> None:
    model, targets = MODELS["numbers"]
    outcome = converted(tmp_path / "model", model, targets)
    assert outcome.onnx is not None
    assert outcome.conversion.signature is not None
    proto = onnx.load_model_from_string(outcome.onnx)
    next(one for one in proto.opset_import if one.domain == "").version = 11
    old = onnx.load_model_from_string(with_threshold(proto.SerializeToString(), outcome.conversion.signature, 0.5))
    assert [node.op_type for node in old.graph.node][-5:] == ["Gather", "Less", "Not", "Cast", "Gather"]


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan")])
def test_what_is_no_probability_is_refused(tmp_path: Path, threshold: float) -> None:
    model, targets = MODELS["numbers"]
    with pytest.raises(Invalid, match="between 0 and 1"):
        decided(converted(tmp_path / "model", model, targets), threshold)


def test_a_model_of_three_classes_is_refused_with_the_reason(tmp_path: Path) -> None:
    iris = load_iris()
    (tmp_path / "model").mkdir()
    write_model(tmp_path / "model", LogisticRegression(max_iter=500).fit(iris.data, iris.target), iris.data)
    refused = finished(convert(tmp_path / "model"), 0.4)
    assert refused.onnx is None
    assert not refused.conversion.ready
    assert "3 labels" in refused.conversion.reason


def test_latency_of_one_row_and_of_a_hundred_is_measured(tmp_path: Path) -> None:
    model, targets = MODELS["numbers"]
    profile = finished(converted(tmp_path / "model", model, targets), None).conversion.profile
    assert profile is not None
    assert 0 < profile.one_row_ms < profile.hundred_rows_ms * 2

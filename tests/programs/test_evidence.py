from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import compose, ensemble, impute, linear_model, pipeline, preprocessing

from jupyter_mlstudio.entities.models import ParityPolicy
from jupyter_mlstudio.plugins.converters.base import Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.ladder import Outcome, climb

ONLY = """
import importlib.abc, runpy, sys

class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("jupyter_mlstudio", "sklearn", "skl2onnx", "onnx", "pandas", "scipy", "joblib"):
            raise ModuleNotFoundError(f"{name} is not to be had here", name=name)

sys.meta_path.insert(0, Only())
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""A bare interpreter: of all that is installed, numpy and onnxruntime only."""


def people() -> tuple[pd.DataFrame, Any]:
    random, n = np.random.default_rng(0), 400
    frame = pd.DataFrame({"age": random.integers(18, 80, n), "hours": random.normal(40, 10, n),
                          "job": random.choice(["médecin", "smith", "cook"], n)})  # fmt: skip
    frame.loc[::7, "hours"] = np.nan
    return frame, (frame["age"] + random.normal(0, 9, n) > 50).map({True: "yes", False: "no"}).to_numpy()


def columns() -> Any:
    numbers = pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler())
    text = preprocessing.OneHotEncoder(sparse_output=False)
    return compose.ColumnTransformer([("n", numbers, ["age", "hours"]), ("t", text, ["job"])])


def converted(model: Any, rows: Any, answers: Any, **how: Any) -> Outcome:
    return climb(SklearnConverter(), Original(model.fit(rows, answers), rows, "scikit-learn"), **how)


def stamps() -> tuple[Any, Any]:
    """Unix time stamps, which have more digits than float32."""
    random = np.random.default_rng(0)
    seconds = 1_700_000_000 + random.integers(0, 3600, 2000)
    rows = np.c_[seconds, random.normal(size=2000)].astype(np.float64)
    return rows, (seconds - seconds.mean() + 100 * rows[:, 1] > 0).astype(int)


class Usual(SklearnConverter):
    dtypes = ("float32",)


@pytest.mark.parametrize("kind", ["text", "values", "labels alone"])
def test_the_script_beside_the_model_finds_the_same_with_numpy_and_onnxruntime_alone(kind: str, tmp_path: Path) -> None:
    frame, answers = people()
    if kind == "values":
        frame, answers = frame[["age"]], frame["age"].to_numpy() * 3.7
    models = {
        "text": lambda: pipeline.make_pipeline(columns(), ensemble.RandomForestClassifier(10, random_state=0)),
        "values": lambda: linear_model.Ridge(),
        "labels alone": lambda: pipeline.make_pipeline(columns(), linear_model.RidgeClassifier()),
    }
    found = converted(models[kind](), frame, answers)
    assert found.onnx is not None, found.conversion.reason
    assert sorted(found.evidence) == sorted(found.conversion.evidence) == ["parity.npz", "verify_parity.py"]
    for name, content in {"model.onnx": found.onnx, **found.evidence}.items():
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-c", ONLY, str(tmp_path / "verify_parity.py")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    again, report = json.loads(ended.stdout), found.conversion.parity
    assert report is not None
    assert {name: getattr(report, name) for name in again} == again


def test_the_script_is_short_and_knows_nothing_of_the_studio(tmp_path: Path) -> None:
    from jupyter_mlstudio.onnx import parity

    script = Path(parity.__file__).with_name("verify_parity.py").read_text("utf-8")
    assert "jupyter_mlstudio" not in script
    assert len([line for line in script.splitlines() if line and not line.startswith(("import", "from", '"""'))]) <= 28


def test_the_rows_that_differ_most_are_kept_with_both_answers() -> None:
    rows, answers = stamps()
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()).fit(rows, answers)
    report = climb(Usual(), Original(model, rows, "scikit-learn")).conversion.parity
    assert report is not None
    assert [row.row for row in report.worst] == report.worst_rows
    worst = report.worst[0]
    assert worst.flipped
    assert worst.native["label"] != worst.onnx["label"]
    assert worst.native["label"] == int(model.predict(rows[worst.row : worst.row + 1])[0])
    probabilities = model.predict_proba(rows[worst.row : worst.row + 1])[0]
    assert worst.native["probabilities"] == probabilities.tolist()
    assert worst.difference == np.abs(probabilities - worst.onnx["probabilities"]).max()
    assert worst.inputs["X"][1] == np.float32(rows[worst.row, 1])


def test_a_policy_decides_what_is_close_enough() -> None:
    rows, answers = stamps()
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()).fit(rows, answers)
    original = Original(model, rows, "scikit-learn")
    refused = climb(Usual(), original, policy=ParityPolicy(max_label_flips=3, quantile=0.5)).conversion
    assert not refused.ready
    assert "is allowed for 0.5 of the rows" in refused.reason
    lax = ParityPolicy(max_label_flips=2000, max_abs_difference=1.0)
    accepted = climb(Usual(), original, policy=lax).conversion
    assert accepted.ready
    assert accepted.parity is not None
    assert accepted.parity.policy == lax
    best = climb(SklearnConverter(), original, policy=lax).conversion.parity
    assert best is not None
    assert best.dtype == "float64"


def test_a_row_that_is_too_large_is_not_shown() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(60, 300))
    found = converted(linear_model.Ridge(), rows, rows[:, 0] * 1000).conversion.parity
    assert found is not None
    assert found.worst
    assert all(row.inputs is None for row in found.worst)

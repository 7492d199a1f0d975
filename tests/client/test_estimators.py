"""Estimators and checkpoints, through a door and every process behind it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.errors import Invalid, MissingExtra, NotFound

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SKLEARN = """
import argparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

given = argparse.ArgumentParser()
given.add_argument("--C", type=float)
X, y = load_iris(return_X_y=True, as_frame=True)
LogisticRegression(C=given.parse_args().C, max_iter=500).fit(X, y)
"""
CHECKPOINTS = """
from pathlib import Path
import jupyter_mlstudio as studio

run = studio.active_run()
for step, loss in enumerate([0.9, 0.5, 0.7, 0.4]):
    Path("weights.bin").write_text(str(step))
    run.checkpoint("weights.bin", step, metric=loss, keep_best=2, goal="minimize")
"""


def test_D3_an_estimators_script_is_logged_and_its_model_can_be_registered(workspace: Path) -> None:
    Path("train.py").write_text(SKLEARN, encoding="utf-8")
    estimator = studio.SKLearn("train.py", {"C": 1.0})
    run = estimator.submit("irises", params={"C": 0.5}, wait=True)
    assert run.experiment == "irises"
    assert run.tags["estimator"] == "SKLearn"
    assert run.params["C"] == "0.5"
    assert "training_score" in run.metrics
    version = run.register("iris")
    assert version.status == "Ready"
    assert version.parity is not None
    assert version.parity["label_flips"] == 0


def test_D3_what_an_estimator_cannot_submit_is_said(workspace: Path) -> None:
    with pytest.raises(NotFound, match=r"nothing\.py"):
        studio.Estimator("nothing.py")
    Path("train.ipynb").touch()
    with pytest.raises(Invalid, match=r"no \.py file"):
        studio.Estimator("train.ipynb")
    Path("train.py").touch()

    class Absent(studio.Estimator):
        library = ("a_library_that_is_not_there", "absent")

    with pytest.raises(MissingExtra, match=r"jupyter-mlstudio\[absent\]"):
        Absent("train.py")
    assert studio.Estimator("train.py", {"a": 1}, inputs={"data": "x.csv"}).params == {"a": 1, "data": "x.csv"}


def test_D9_only_the_best_checkpoints_of_a_run_are_kept(workspace: Path) -> None:
    Path("train.py").write_text(CHECKPOINTS, encoding="utf-8")
    run = studio.Estimator("train.py", autolog=False).submit(wait=True)
    kept = run.folder / "artifacts" / "checkpoints"
    assert sorted(path.name for path in kept.iterdir()) == ["index.json", "step-000000001", "step-000000003"]
    index = json.loads((kept / "index.json").read_text())
    assert index["best"] == "checkpoints/step-000000003"
    assert [(one["step"], one["metric"]) for one in index["checkpoints"]] == [(1, 0.5), (3, 0.4)]
    assert (kept / "step-000000003" / "weights.bin").read_text() == "3"


def test_D9_checkpoints_hold_models_and_say_what_is_wrong(workspace: Path) -> None:
    with studio.start_run() as run:
        assert run.checkpoint({"weights": [1.0]}, 0) == "checkpoints/step-000000000"
        assert run.checkpoint({"weights": [1.0]}, 1, metric=math.nan, keep_best=1) is None
        for wrong in ({"step": -1}, {"step": 1, "keep_best": 0, "metric": 1.0}, {"step": 1, "keep_best": 1},
                      {"step": 1, "goal": "up"}):  # fmt: skip
            with pytest.raises(Invalid):
                run.checkpoint("weights.bin", **wrong)
        with pytest.raises(Invalid, match="no file or folder"):
            run.checkpoint("nothing.bin", 2)
    assert (run.folder / "artifacts/checkpoints/step-000000000/mlstudio.json").is_file()

"""Trip 3, a sweep: begun from a kernel's process and from Azure's YAML, steered, read back, and written down again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.cli import main
from jupyter_mlstudio.client.sweep_yaml import arguments_of
from tests.client.door import workspace
from tests.client.state import _own_state, forget

__all__ = ["_own_state", "workspace"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore::ResourceWarning")]

SWEEP = """
type: sweep
trial:
  code: .
  command: python train.py --data ${{inputs.data}} --x ${{search_space.x}}
inputs:
  data: {type: uri_file, path: data.txt}
compute: azureml:cpu-cluster
sampling_algorithm: grid
search_space:
  x: {type: choice, values: [1, 4]}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 2, max_concurrent_trials: 2}
display_name: from azure
"""
TRAIN = """
import sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print(f"loss={(float(given['--x']) - float(open(given['--data']).read())) ** 2}")
"""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    forget()


def distance(x: float, y: int, offset: float) -> dict[str, float]:
    studio.log_metric("seen", x)
    return {"distance": (x - 0.5) ** 2 + y, "cost": x + offset}


def test_a_function_is_swept_steered_and_read_back(workspace: Path) -> None:
    space: dict[str, Any] = {"x": "uniform(0,1)", "y": optuna.distributions.IntDistribution(0, 3)}
    found = studio.sweep(
        distance, space, metric="distance", goal="min", trials=6, parallel=2, seed=0, params={"offset": 1.0},
        points=[{"x": 0.5, "y": 0}], name="near",
    ).wait(120)  # fmt: skip

    assert [trial.state.value for trial in found.trials] == ["COMPLETE"] * 6
    assert (found.best_value, found.best_params) == (0.0, {"offset": 1.0, "x": 0.5, "y": 0})
    assert found.best_run.metrics == pytest.approx({"distance": 0.0, "cost": 1.5, "seen": 0.5})
    assert len(found.run.children) == 6
    assert found.study().best_value == 0.0
    assert [studio.get_sweep("near"), *studio.list_sweeps()] == [found, found]
    assert "'y': 'int(0,3)'" in found.code()

    more = found.resume(trials=8).wait(120)

    assert len(more.trials) == 8
    assert [trial.run_id for trial in more.trials[:6]] == [trial.run_id for trial in found.trials]


def test_azures_yaml_is_swept_from_the_terminal_and_written_back_as_it_was(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "sweep.yml").write_text(SWEEP)
    (workspace / "train.py").write_text(TRAIN)
    (workspace / "data.txt").write_text("4")

    assert main(["sweep", "sweep.yml", "--stream"]) == 0

    printed = capsys.readouterr()
    assert "complete  0  x=4" in printed.out
    assert "compute" in printed.out
    found = studio.get_sweep("from azure")
    assert (found.best_params["x"], found.best_value) == (4, 0.0)
    (workspace / "again.yml").write_text(found.code("yaml"))
    again, first = arguments_of(workspace / "again.yml"), arguments_of(workspace / "sweep.yml")
    assert again.what == [part.replace("${{inputs.data}}", str(workspace / "data.txt")) for part in first.what]
    same = ("space", "metric", "goal", "sampler", "trials", "parallel", "name", "folder")
    assert {name: again.arguments[name] for name in same} == {name: first.arguments[name] for name in same}

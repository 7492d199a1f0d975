"""Many models and forecasts with the real supervisor, program, workers and runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, ForecastingSettings, Task, Training
from jupyter_mlstudio.entities.models import MANY, VersionStatus
from jupyter_mlstudio.entities.runs import Run, RunKind, RunStatus
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.learning.forecast import forecast, from_json
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all
from tests.programs.sweeping import ended, log_of
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def sales(stores: dict[str, float], length: int = 60) -> pd.DataFrame:
    """Monthly sales of stores, each with its level, a trend and a season."""
    steps = np.arange(length)
    season = 1 + 0.2 * np.sin(2 * np.pi * steps / 12) + 0.005 * steps
    days = pd.date_range("2018-01-01", periods=length, freq="MS")
    return pd.concat(
        [pd.DataFrame({"month": days, "sold": level * season, "store": name}) for name, level in stores.items()]
    )


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    made.compute.set_slots("local", 2)
    yield made
    end_all(made)
    made.close()


def begun(studio: Studio, table: pd.DataFrame, timeout_s: float, **changed: Any) -> Run:
    table.to_csv(studio.workspace.root / "sales.csv", index=False)
    training = Training(allowed_training_algorithms=["Naive", "Ridge"], enable_model_explainability=False)
    limits = AutoMLLimits(timeout_s=timeout_s, max_trials=2, max_concurrent_trials=changed.pop("parallel", 1))
    forecasting = ForecastingSettings(time_column_name="month", forecast_horizon=3, **changed.pop("settings", {}))
    return studio.automl.create(
        AutoMLSpec(data="sales.csv", target="sold", task=Task.FORECASTING, limits=limits, training=training,
                   forecasting=forecasting, **changed)
    )  # fmt: skip


def test_a_forecast_is_searched_kept_and_goes_on_with_the_table(studio: Studio) -> None:
    table = sales({"north": 100.0, "south": 300.0})
    run = ended(studio, begun(studio, table, 200, settings={"time_series_id_column_names": ["store"]}))

    assert run.status is RunStatus.COMPLETED, log_of(studio, run.id)
    report = studio.automl.report(run.id)
    assert report.task is Task.FORECASTING
    assert report.leaderboard[0].onnx is not None
    assert report.leaderboard[0].onnx.ready
    assert report.leaderboard[0].metrics["mean_absolute_scaled_error"] < 0.5
    folder = studio.workspace.run_folder(run.id) / "artifacts"
    maker, spread = from_json(json.loads((folder / "automl" / "forecast.json").read_bytes()))
    model = joblib.load(folder / "model" / "model.joblib")
    found = forecast(model, maker, table, spread=spread)
    truth = sales({"north": 100.0, "south": 300.0}, 63).groupby("store").tail(3)
    np.testing.assert_allclose(found["sold"], truth["sold"], rtol=0.05)


def test_each_part_gets_a_run_and_only_what_changed_gets_another(studio: Studio) -> None:
    table = pd.concat([sales({"north": 100.0, "south": 300.0}), sales({"tiny": 5.0}, 3)])
    run = ended(studio, begun(studio, table, 200, partition_by=["store"], parallel=2))

    assert run.status is RunStatus.COMPLETED, log_of(studio, run.id)
    north, south, tiny = studio.automl.report(run.id).partitions
    assert (north.key, north.rows, north.failed) == ({"store": "north"}, 60, "")
    assert north.score is not None
    assert south.score is not None
    assert "fewer than" in tiny.failed
    child = studio.runs.get(north.run_id)
    assert (child.kind, child.status, child.parent_run_id) == (RunKind.AUTOML, RunStatus.COMPLETED, run.id)
    assert (studio.workspace.run_folder(child.id) / "artifacts" / "model" / "model.joblib").is_file()

    table = table[table["store"] != "tiny"]
    table.loc[(table["store"] == "south") & (table["month"] == "2018-03-01"), "sold"] += 1
    again = ended(studio, begun(studio, table, 200, partition_by=["store"], parallel=2))
    found = studio.automl.report(again.id).partitions
    assert [one.reused for one in found] == [True, False]
    assert found[0].run_id == north.run_id
    assert found[1].run_id != south.run_id

    version = studio.models.register("sales", run_id=again.id)
    until(lambda: studio.models.version("sales", 1).status is not VersionStatus.CONVERTING, studio)
    version = studio.models.version("sales", 1)
    assert version.status is VersionStatus.READY, version.reason
    assert MANY in [file.path for file in version.files]
    assert version.signature is not None
    assert version.signature.inputs[0].choices == ["north", "south"]
    with pytest.raises(Conflict, match="a model for each value of store, and this is for one graph"):
        studio.graphs.graph("sales", 1)
    packaged = ended(studio, studio.packages.package("sales", 1))
    assert packaged.status is RunStatus.COMPLETED, packaged.reason
    bundle = studio.workspace.run_folder(packaged.id) / "artifacts" / "sales-1"
    checked = subprocess.run([sys.executable, bundle / "verify.py"], capture_output=True, text=True, check=False)
    assert (checked.returncode, "2 models, 2 rows answered" in checked.stdout) == (0, True), checked.stderr
    with pytest.raises(Invalid, match="there is no model for store=east"):
        studio.automl_answers.explain(again.id, {"store": "east", "month": "2023-01-01"})

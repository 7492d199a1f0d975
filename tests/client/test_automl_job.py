"""Azure's automated ML jobs, in the forms that its documentation and its examples have."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlstudio.client.automl_job import arguments_of
from jupyter_mlstudio.errors import Invalid, NotFound

BANK = """
$schema: https://azuremlsdk2.blob.core.windows.net/preview/0.0.1/autoMLJob.schema.json
type: automl
experiment_name: dpv2-cli-automl-classifier-experiment
description: A Classification job using bank marketing
compute: azureml:cpu-cluster
task: classification
primary_metric: accuracy
log_verbosity: debug
target_column_name: "y"
n_cross_validations: auto
test_data_size: 0.1
training_data:
  path: "./training-mltable-folder"
  type: mltable
limits:
  timeout_minutes: 180
  max_trials: 40
  max_concurrent_trials: 5
  trial_timeout_minutes: 20
  max_nodes: 4
  enable_early_termination: true
featurization:
  mode: custom
  column_name_and_types: {contact: Categorical}
  transformer_params:
    imputer:
      - fields: ["job"]
        parameters: {strategy: most_frequent}
  blocked_transformers: [WordEmbedding]
training:
  enable_stack_ensemble: false
  allowed_training_algorithms: [gradient_boosting, logistic_regression]
  ensemble_model_download_timeout: 300
"""

BIKES = """
type: automl
task: forecasting
primary_metric: normalized_root_mean_squared_error
target_column_name: cnt
training_data: {type: uri_file, path: bikes.csv}
forecasting:
  time_column_name: date
  time_series_id_column_names: store
  forecast_horizon: 14
  frequency: D
  target_lags: auto
  target_rolling_window_size: auto
  cv_step_size: 7
  use_stl: season
  feature_lags: Auto
  target_aggregate_function: Sum
  features_unknown_at_forecast_time: windspeed
"""


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSTUDIO_WORKSPACE", str(tmp_path))


def job(folder: Path, text: str) -> Path:
    """A job beside its tables."""
    table = folder / "training-mltable-folder"
    table.mkdir(exist_ok=True)
    (table / "MLTable").write_text("paths:\n  - file: ./bank.csv\ntransformations:\n  - read_delimited:\n")
    (table / "bank.csv").write_text("y\n1\n")
    (folder / "bikes.csv").write_text("date,cnt\n")
    path = folder / "job.yml"
    path.write_text(text)
    return path


def test_a_classification_is_read_and_what_has_no_meaning_here_is_named(tmp_path: Path) -> None:
    read = arguments_of(job(tmp_path, BANK))

    found = read.arguments
    assert found["data"] == str(tmp_path / "training-mltable-folder" / "bank.csv")
    assert (found["task"], found["metric"], found["target"], found["test"]) == ("classification", "accuracy", "y", 0.1)
    assert (found["minutes"], found["trials"], found["parallel"], found["trial_timeout"]) == (180, 40, 5, 1200.0)
    assert found["allow"] == ["gradient_boosting", "logistic_regression"]
    assert found["stack"] is False
    assert found["featurization"]["column_name_and_types"] == {"contact": "Categorical"}
    assert "folds" not in found
    assert found["tags"]["mlflow.note.content"].startswith("A Classification")
    assert read.notes == [
        "left out, it has no meaning here: compute, limits.max_nodes, training.ensemble_model_download_timeout"
    ]


def test_a_forecast_is_read_and_auto_is_left_to_us(tmp_path: Path) -> None:
    read = arguments_of(job(tmp_path, BIKES))

    assert read.arguments["forecasting"] == {
        "time_column_name": "date", "time_series_id_column_names": ["store"], "forecast_horizon": 14, "frequency": "D",
        "cv_step_size": 7, "use_stl": "season", "feature_lags": "auto", "target_aggregate_function": "sum",
        "features_unknown_at_forecast_time": ["windspeed"],
    }  # fmt: skip
    assert read.arguments["minutes"] == 360
    assert not any("left out" in note for note in read.notes)
    assert any("timeout_minutes" in note for note in read.notes)


def test_lags_of_features_and_an_aggregate_that_are_none_are_none(tmp_path: Path) -> None:
    text = BIKES.replace("feature_lags: Auto", "feature_lags: none").replace("function: Sum", "function: null")
    read = arguments_of(job(tmp_path, text)).arguments["forecasting"]
    assert "feature_lags" not in read
    assert "target_aggregate_function" not in read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type: sweep", "no automated ML job"),
        ("[1]", "no automated ML job"),
        ("a: [", "not YAML"),
        (BANK.replace("task: classification", "task: image_classification"), "image_classification"),
        (BANK.replace('"./training-mltable-folder"', "azureml:bank:1"), "download it"),
        (BANK.replace('target_column_name: "y"', ""), "target_column_name"),
        (BANK.replace("limits:\n", "limits: 3\nnothing:\n"), "below limits"),
        (BIKES.partition("forecasting:\n")[0], "time_column_name"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        arguments_of(job(tmp_path, text))


def test_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"absent\.csv"):
        arguments_of(job(tmp_path, BIKES.replace("bikes.csv", "absent.csv")))
    path = job(tmp_path, BANK)
    (path.parent / "training-mltable-folder" / "MLTable").write_text("paths: [{file: ./a.csv}, {file: ./b.csv}]")
    with pytest.raises(Invalid, match="2 paths"):
        arguments_of(path)
    with pytest.raises(NotFound):
        arguments_of(tmp_path / "none.yml")

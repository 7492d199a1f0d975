"""What is shown as Python and as YAML begins the run that it is shown for: it is executed here, and compared."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

import jupyter_mlstudio as studio
from jupyter_mlstudio.entities.automl import (
    AutoMLLimits,
    AutoMLSpec,
    Featurization,
    FeaturizationMode,
    ForecastingSettings,
    StackSettings,
    Task,
    Training,
)
from jupyter_mlstudio.services.automl_code import as_python, as_yaml
from tests.client.gateway import Gateway

SPEC = TypeAdapter(AutoMLSpec)
PLAIN = AutoMLSpec(data="data/sales über.csv", target='it\'s "ours"')
TYPES = {"a.b": "Categorical", "größe": "Ignore", 'quo"te': "DateTime"}
FULL = replace(
    PLAIN, task=Task.CLASSIFICATION, primary_metric="norm_macro_recall", validation_data_size=0.2, test_data_size=0.1,
    weight_column="how much", positive_label="yes",
    limits=AutoMLLimits(
        timeout_s=90.0, max_trials=12, trial_timeout_s=45.0, exit_score=0.9, enable_early_termination=False,
        max_concurrent_trials=2,
    ),
    featurization=Featurization(
        mode=FeaturizationMode.CUSTOM, blocked_transformers=["TfIdf"], column_name_and_types=TYPES,
        transformer_params={"imputer": [{"fields": ["a.b"], "parameters": {"strategy": "median"}}]},
    ),
    training=Training(
        allowed_training_algorithms=["LightGBM", "RandomForest"], enable_vote_ensemble=False,
        stack_ensemble_settings=StackSettings(
            stack_meta_learner_type="LogisticRegressionCV", stack_meta_learner_k_wargs={"cv": 4}
        ),
        enable_model_explainability=False, enable_onnx_compatible_models=False,
    ),
)  # fmt: skip
TABLES = replace(
    PLAIN, task=Task.REGRESSION, primary_metric="r2_score", validation_data="data/sales über.csv",
    test_data="data/test.csv", featurization=Featurization(mode=FeaturizationMode.OFF),
    training=Training(blocked_training_algorithms=["SVM"], enable_stack_ensemble=False),
    limits=AutoMLLimits(timeout_s=3600.0),
)  # fmt: skip
FORECAST = replace(
    PLAIN, task=Task.FORECASTING, n_cross_validations=3, limits=AutoMLLimits(timeout_s=120.0),
    forecasting=ForecastingSettings(
        time_column_name="the day", forecast_horizon=14, time_series_id_column_names=["store", "sku"], frequency="D",
        target_lags=[1, 7], target_rolling_window_size=7, seasonality=7, country_or_region_for_holidays="DE",
        cv_step_size=2, short_series_handling_config="pad", target_aggregate_function="sum", feature_lags="auto",
        features_unknown_at_forecast_time=["wind"],
    ),
)  # fmt: skip
OURS = replace(
    PLAIN, seed=3, partition_by=["store"], positive_label=1,
    limits=AutoMLLimits(timeout_s=300.0, memory_bytes=2_000_000_000),
)  # fmt: skip


@pytest.fixture
def tables(in_run: Gateway, tmp_path: Path) -> Gateway:
    """A workspace with the tables."""
    (tmp_path / "data").mkdir()
    for name in ("sales über.csv", "test.csv"):
        (tmp_path / "data" / name).write_text("a,b\n1,2\n")
    return in_run


def begun(gateway: Gateway) -> tuple[AutoMLSpec, dict[str, Any]]:
    """What was sent last, as the server reads it."""
    body = gateway.submitted[-1]
    assert not body["uploads"]
    return SPEC.validate_json(json.dumps(body["automl"])), body


@pytest.mark.parametrize(
    "spec", [PLAIN, FULL, TABLES, FORECAST, OURS], ids=["plain", "full", "tables", "series", "ours"]
)
def test_the_python_that_is_shown_begins_the_same_run(tables: Gateway, spec: AutoMLSpec) -> None:
    exec(compile(as_python(spec, "a 'name'", "größe"), "shown", "exec"), {})

    found, body = begun(tables)
    assert found == spec
    assert (body["name"], body["experiment"]) == ("a 'name'", "größe")


@pytest.mark.parametrize("spec", [FULL, TABLES, FORECAST], ids=["full", "tables", "series"])
def test_the_yaml_that_is_shown_begins_the_same_run(tables: Gateway, tmp_path: Path, spec: AutoMLSpec) -> None:
    job = tmp_path / "job.yml"
    job.write_text(as_yaml(spec, "a 'name'", "größe"), encoding="utf-8")

    studio.automl_yaml(job)

    found, body = begun(tables)
    assert found == spec
    assert (body["name"], body["experiment"]) == ("a 'name'", "größe")


def test_settings_that_are_long_have_a_line_for_each() -> None:
    lines = as_python(FORECAST).splitlines()
    assert "    forecasting={" in lines
    assert "        'target_aggregate_function': 'sum'," in lines
    assert max(map(len, lines)) <= 100


def test_the_yaml_has_azures_names_and_units() -> None:
    content = yaml.safe_load(as_yaml(replace(FULL, limits=AutoMLLimits(timeout_s=900.0, trial_timeout_s=120.0))))

    assert content["limits"]["timeout_minutes"] == 15
    assert content["limits"]["trial_timeout_minutes"] == 2
    assert content["training_data"] == {"type": "uri_file", "path": FULL.data}
    assert content["training"]["stack_ensemble_settings"]["stack_meta_learner_kwargs"] == {"cv": 4}


def test_what_the_yaml_has_no_word_for_is_named_in_it(tables: Gateway) -> None:
    text = as_yaml(OURS, task=Task.REGRESSION)
    assert (
        text.splitlines()[0]
        == "# Azure Machine Learning does not know: seed, positive_label, partition_by, memory_bytes"
    )


@pytest.mark.parametrize("label", ["yes", "no", "true", "1", "0.5", "null", "2024-05-01"])
def test_a_positive_label_that_looks_like_something_else_stays_what_it_is(
    tables: Gateway, tmp_path: Path, label: str
) -> None:
    job = tmp_path / "job.yml"
    job.write_text(as_yaml(replace(PLAIN, task=Task.CLASSIFICATION, positive_label=label)), encoding="utf-8")
    studio.automl_yaml(job)
    assert begun(tables)[0].positive_label == label


def test_fields_that_are_not_known_are_named(
    tables: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = as_yaml(FULL).replace("limits:", "compute: azureml:gpu\nlimits:\n  max_nodes: 4")
    text = text.replace("featurization:", "featurization:\n  dataset_colour: red")
    (tmp_path / "job.yml").write_text(text, encoding="utf-8")
    studio.automl_yaml(tmp_path / "job.yml")
    said = "".join(capsys.readouterr())
    assert all(name in said for name in ("compute", "limits.max_nodes", "featurization.dataset_colour"))
    assert begun(tables)[0].limits == FULL.limits

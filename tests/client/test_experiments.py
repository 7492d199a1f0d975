from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlstudio import Experiment
from jupyter_mlstudio.errors import NotFound
from tests.client.gateway import Gateway, run_data


def finished(gateway: Gateway, **metrics: Any) -> None:
    """Gives the experiment completed runs with these values of auc, in this order of creation."""
    gateway.runs.clear()
    for number, (name, value) in enumerate(metrics.items()):
        created = f"2026-01-01T00:00:{number:02d}Z"
        gateway.runs[name] = run_data(name, status="Completed", created_at=created, metrics={"auc": value})


@pytest.fixture
def experiment(in_run: Gateway) -> Experiment:
    in_run.experiments["Default"] = {"id": "e1", "name": "Default", "primary_metric": "auc", "goal": "maximize"}
    return Experiment()


def best(experiment: Experiment, *args: Any) -> str | None:
    run = experiment.best_run(*args)
    return None if run is None else run.id


def test_the_best_run_has_the_best_last_value(experiment: Experiment, in_run: Gateway) -> None:
    finished(in_run, a=0.5, b=0.9, c=0.7)

    assert best(experiment) == "b"
    assert best(experiment, "auc", "minimize") == "a"


def test_the_earlier_run_wins_a_tie(experiment: Experiment, in_run: Gateway) -> None:
    finished(in_run, a=0.5, b=0.9, c=0.9)

    assert best(experiment, "auc") == "b"


def test_f39_values_that_are_not_finite_are_never_best(experiment: Experiment, in_run: Gateway) -> None:
    finished(in_run, a="Infinity", b="NaN", c=0.1, d="-Infinity")

    assert best(experiment, "auc") == "c"
    assert best(experiment, "auc", "minimize") == "c"


def test_without_a_finite_value_there_is_no_best_run(experiment: Experiment, in_run: Gateway) -> None:
    finished(in_run, a="NaN")

    assert best(experiment) is None


def test_an_experiment_without_primary_metric_asks_for_one(experiment: Experiment, in_run: Gateway) -> None:
    in_run.experiments["Default"]["primary_metric"] = None

    with pytest.raises(NotFound, match=r"best_run\('auc'\)"):
        experiment.best_run()


def test_creating_an_experiment_that_exists_changes_its_metric(experiment: Experiment, in_run: Gateway) -> None:
    experiment.create(primary_metric="log_loss", goal="minimize")
    Experiment("churn").create(primary_metric="auc")

    assert in_run.experiments["Default"]["goal"] == "minimize"
    assert in_run.experiments["churn"]["primary_metric"] == "auc"

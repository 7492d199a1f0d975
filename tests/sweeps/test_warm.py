"""Past runs as trials that a study knows from the start."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from jupyter_mlstudio.entities.sweeps import Sampling, TrialState
from jupyter_mlstudio.sweeps import samplers
from jupyter_mlstudio.sweeps.warm import Past, known
from tests.sweeps.test_space import MODELS, space_of

SPACE = {"lr": "loguniform(-6,-1)", "depth": "int(2,9)", "w": "normal(0,1)", "model": MODELS, "early": "choice(true,3)"}
TREE: dict[str, Any] = {"lr": 0.01, "w": 1.5, "model": "tree", "early": True}


def past(values: list[float | None], state: TrialState = TrialState.COMPLETE, **params: Any) -> Past:
    return Past(run_id="r", params=params, values=values, state=state)


def test_runs_that_fit_are_trials_text_of_mlflow_included() -> None:
    space = space_of(lr=SPACE["lr"], w=SPACE["w"], model=SPACE["model"], early=SPACE["early"])
    text: dict[str, Any] = {
        "lr": "0.02",
        "w": "-0.5",
        "model": "svm",
        "C": "1.5",
        "kernel": "rbf",
        "early": "True",
        "note": "other",
    }
    found = known(space, [past([0.7], **text), past([0.8], **TREE, depth=4), past([0.6], **{**text, "early": "3"})])
    assert found.left_out == {}
    shown = [space.show(trial.params) for trial in found.trials]
    assert shown[1] == {**TREE, "w": pytest.approx(1.5), "depth": 4}
    assert shown[0]["early"] is True
    assert shown[2]["early"] == 3
    study = optuna.create_study(sampler=samplers.make(Sampling(algorithm="tpe", seed=1), space))
    study.add_trials(found.trials)
    assert [trial.value for trial in study.trials] == [0.7, 0.8, 0.6]
    space.suggest(study.ask())


def test_what_does_not_fit_is_counted_with_its_reason() -> None:
    space = space_of(lr=SPACE["lr"], depth=SPACE["depth"])
    fits: dict[str, Any] = {"lr": 0.01, "depth": 3}
    found = known(
        space,
        [
            past([0.5], **fits),
            past([0.5], **fits),
            past([0.5], lr=0.01),
            past([0.5], lr=5.0, depth=3),
            past([0.5], lr="fast", depth=3),
            past([0.5], lr=0.01, depth=3.5),
            past([None], **fits),
            past([float("nan")], **fits),
            past([0.4], TrialState.FAIL, **fits),
        ],
    )
    assert len(found.trials) == 1
    assert found.left_out == {
        "the same result is there already": 1,
        "the parameter 'depth' is missing": 1,
        "the parameter 'lr' lies outside the space": 2,
        "the parameter 'depth' lies outside the space": 1,
        "the metric is missing or not finite": 2,
        "the trial ended as FAIL": 1,
    }


def test_pruned_trials_keep_what_they_reported() -> None:
    space = space_of(lr=SPACE["lr"])
    steps = [(1, 0.3), (2, 0.4)]
    ended = Past(run_id="r", params={"lr": 0.01}, values=[], state=TrialState.PRUNED, steps=steps)
    study = optuna.create_study(direction="maximize")
    study.add_trials(known(space, [ended]).trials)
    assert study.trials[0].state == optuna.trial.TrialState.PRUNED
    assert study.trials[0].intermediate_values == dict(steps)
    assert study.trials[0].user_attrs["warm_start"] == "r"


def test_a_warm_start_saves_the_search_from_beginning_at_random() -> None:
    space = space_of(x="uniform(-10,10)")
    before = [past([(x - 3) ** 2], x=float(x)) for x in range(-10, 11)]
    study = optuna.create_study(sampler=samplers.make(Sampling(algorithm="tpe", seed=1), space))
    study.add_trials(known(space, before).trials)
    asked = [space.suggest(study.ask())["x"] for _ in range(8)]
    assert sum(abs(x - 3) < 3 for x in asked) >= 5


def test_several_objectives_are_taken_over_together() -> None:
    space = space_of(lr=SPACE["lr"])
    study = optuna.create_study(directions=["maximize", "minimize"])
    study.add_trials(known(space, [past([0.5, 10.0], lr=0.01), past([0.5, None], lr=0.02)]).trials)
    assert [trial.values for trial in study.trials] == [[0.5, 10.0]]

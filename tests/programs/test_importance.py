"""The importance of parameters, told by a process of its own."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import optuna
import pytest

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.programs.importance import guessed, importances
from jupyter_mlstudio.sweeps.space import Space

SPACE = {"a": "uniform(0,1)", "n": "int(1,5)", "k": "choice(x,y)", "w": "normal(0,1)", "q": "quniform(0,1,0.1)"}


def swept(count: int = 60) -> tuple[dict[str, Any], optuna.Study]:
    """Random trials of a known function: the question about them, and the study itself."""
    space = Space({name: spaces.parse(text) for name, text in SPACE.items()})
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    trials = []
    for _ in range(count):
        trial = study.ask()
        params = space.suggest(trial)
        value = 3 * params["a"] + 0.2 * params["n"] + (params["k"] == "x") + 0.5 * params["w"]
        study.tell(trial, value)
        trials.append({"params": {**params, "fixed": 1}, "values": [None, value], "state": "COMPLETE"})
    trials.append({"params": {}, "values": [None, "NaN"], "state": "COMPLETE"})
    trials.append({"params": {}, "values": [], "state": "FAIL"})
    return {"space": space.space, "trials": trials, "objective": 1, "goal": "maximize"}, study


@pytest.mark.parametrize("evaluator", ["fanova", "ped_anova"])
def test_the_shares_are_optunas(evaluator: str) -> None:
    question, study = swept(30)
    kinds = {
        "fanova": optuna.importance.FanovaImportanceEvaluator(seed=0),
        "ped_anova": optuna.importance.PedAnovaImportanceEvaluator(),
    }
    wanted = optuna.importance.get_param_importances(study, evaluator=kinds[evaluator])
    found = importances({**question, "evaluator": evaluator})
    named = {name.split(":")[0]: share for name, share in wanted.items()}
    assert found["trials"] == 30
    assert found["params"] == pytest.approx(named, abs=0.03)
    assert max(found["params"], key=found["params"].__getitem__) == "a"


def test_trials_from_before_the_bounds_changed_and_functions_without_a_space_count_too() -> None:
    question, _study = swept()
    narrowed = {**question["space"], "a": spaces.parse("uniform(0.4,0.5)")}
    for space in (narrowed, {}):
        found = importances({**question, "space": space, "evaluator": "ped_anova"})
        assert found["trials"] == 60
        assert max(found["params"], key=found["params"].__getitem__) == "a"


def test_a_space_is_guessed_from_what_trials_had() -> None:
    numbers = random.Random(1)
    rows = [{"lr": 10 ** numbers.uniform(-6, 0), "n": number, "k": [number % 2]} for number in range(20)]
    found = guessed(rows)
    assert found["lr"]["log"] is True
    assert (found["n"]["type"], found["n"]["low"], found["n"]["high"]) == ("int", 0, 19)
    assert found["k"]["values"] == [[0], [1]]


def asked(question: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyter_mlstudio.programs.importance"]
    return subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=120)


def test_the_program_answers_on_its_standard_output() -> None:
    done = asked({**swept(20)[0], "evaluator": "ped_anova"})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["evaluator"] == "ped_anova"
    assert sum(answer["params"].values()) == pytest.approx(1)


def test_the_program_says_why_it_has_no_answer() -> None:
    question = swept(20)[0]
    few = asked({**question, "trials": question["trials"][:2]})
    assert few.returncode == 1
    assert "2 complete trials say nothing yet" in json.loads(few.stdout)["message"]
    assert "2 complete trials say nothing yet" in few.stderr
    late = asked({**question, "timeout_s": 0.01})
    assert late.returncode == 1
    assert json.loads(late.stdout)["code"] == "timed_out"

from __future__ import annotations

import base64
import pickle
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from tests.client.gateway import Gateway, run_data, sweep_data
from tests.client.test_sweep_yaml import BOOSTING, job

SPACE = {"lr": "loguniform(-6,-1)"}


def add(x: float, y: float = 0) -> float:
    return x + y


@pytest.fixture(autouse=True)
def root(tmp_path: Path) -> Path:
    (tmp_path / ".mlstudio").mkdir(exist_ok=True)
    (tmp_path / "train.py").write_text("")
    return tmp_path


@pytest.fixture
def found(in_run: Gateway) -> studio.Sweep:
    return studio.sweep("train.py", SPACE, metric="auc")


def trial(number: int, state: str = "COMPLETE", **known: Any) -> dict[str, Any]:
    return {
        "number": number, "run_id": f"t{number}", "state": state, "params": {"lr": 0.1 * number}, "feasible": True,
        "values": [number / 10], "steps": [], "started_at": None, "ended_at": None, "reason": "", "retried": False,
        **known,
    }  # fmt: skip


def test_a_script_is_swept(in_run: Gateway) -> None:
    made = studio.sweep(
        "train.py", {**SPACE, "depth": optuna.distributions.IntDistribution(2, 12)}, metric="auc", goal="max",
        trials=40, parallel=4, sampler="tpe(n_startup_trials=5)", seed=1, timeout="2h", trial_timeout=60,
        exit_score=0.99,
        early_termination="bandit(slack_factor=0.1, evaluation_interval=2)", params={"epochs": 3},
        points=[{"lr": 0.01}], constraints=["ms <= 20"], repeats=3, name="s", experiment="e", tags={"a": 1}, cpus=2,
    )  # fmt: skip

    (sent,) = in_run.submitted
    assert (sent["work_kind"], sent["name"], sent["experiment"], sent["tags"]) == ("script", "s", "e", {"a": "1"})
    assert (sent["work"]["script"], sent["work"]["params"], sent["work"]["python"]) == ("train.py", {}, sys.executable)
    assert sent["work"]["resources"]["cpus"] == 2.0
    spec = sent["sweep"]
    assert spec["space"]["lr"] == {"type": "loguniform", "min_value": -6, "max_value": -1}
    assert spec["space"]["depth"]["type"] == "int"
    assert spec["objectives"] == [{"primary_metric": "auc", "goal": "maximize", "value": "last"}]
    assert spec["sampling"] == {"algorithm": "tpe", "seed": 1, "options": {"n_startup_trials": 5}}
    assert spec["early_termination"] == {
        "policy": "bandit", "slack_factor": 0.1, "evaluation_interval": 2, "options": {},
    }  # fmt: skip
    assert spec["limits"] == {
        "max_total_trials": 40, "max_concurrent_trials": 4, "timeout_s": 7200.0, "trial_timeout_s": 60.0,
        "exit_score": 0.99,
    }  # fmt: skip
    assert (spec["fixed"], spec["enqueued"], spec["constraints"]) == ({"epochs": 3}, [{"lr": 0.01}], ["ms <= 20"])
    assert (spec["repeats"], sent["function"]) == (3, None)
    assert repr(made) == "Sweep('s', id='sweep1')"
    assert made._repr_mimebundle_()["application/vnd.jupyter-mlstudio.run+json"]["run_id"] == "sweep1"


def test_a_function_is_sent_as_it_is(in_run: Gateway) -> None:
    studio.sweep(add, {"x": "uniform(0,1)"}, goal="min")

    (sent,) = in_run.submitted
    assert sent["work_kind"] == "trial"
    assert pickle.loads(base64.b64decode(sent["function"]))(1, 2) == 3
    assert sent["work"]["options"]["source"].startswith("def add(x: float")
    assert sent["sweep"]["objectives"] == [{"primary_metric": "objective", "goal": "minimize", "value": "last"}]


def test_several_objectives_and_what_is_known_from_the_start(in_run: Gateway, found: studio.Sweep) -> None:
    studio.sweep(add, objectives={"auc": "max", "ms": "min"}, warm_start=[found, studio.Experiment("old"), "run7"])

    spec = in_run.submitted[-1]["sweep"]
    assert [(one["primary_metric"], one["goal"]) for one in spec["objectives"]] == [
        ("auc", "maximize"), ("ms", "minimize"),
    ]  # fmt: skip
    assert (spec["space"], spec["warm_start"]) == ({}, ["sweep1", "old", "run7"])


def test_azures_yaml_is_swept_and_what_is_said_beside_it_counts(
    in_run: Gateway, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio.sweep(job(root, BOOSTING), trials=2, name="mine")

    (sent,) = in_run.submitted
    assert (sent["work_kind"], sent["name"], sent["experiment"]) == ("command", "mine", "irises")
    assert sent["work"]["folder"] == "src"
    assert sent["sweep"]["limits"]["max_total_trials"] == 2
    assert sent["sweep"]["limits"]["max_concurrent_trials"] == 10
    assert sent["sweep"]["fixed"]["rounds"] == 50
    assert "compute" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"what": "train.py", "space": SPACE}, "the metric is missing"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "objectives": {"b": "max"}}, "not both"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "goal": "up"}, "'up' is not a goal"),
        ({"what": "train.py", "space": SPACE, "metric": {"a": "max"}}, "metric is one name.*several are objectives="),
        ({"what": "train.py", "space": {"lr": "often"}, "metric": "a"}, "lr: 'often' is no distribution"),
        ({"what": "x = 1\n", "space": {"a b": "uniform(0,1)"}, "metric": "a"}, "cannot be a parameter"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "speed": 3}, "'speed' is no argument"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "timeout": "soon"}, "not a time span"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "sampler": optuna.samplers.RandomSampler()}, "an object"),
        ({"what": "train.py", "space": SPACE, "metric": "a", "early_termination": "a b"}, "not a name"),
        ({"what": add, "space": SPACE, "args": ["x"]}, "args is nothing that a function takes"),
    ],
)
def test_n11_a_mistake_is_said_before_anything_starts(in_run: Gateway, given: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        studio.sweep(**given)
    assert in_run.submitted == []


def test_a_sweep_is_steered(in_run: Gateway, found: studio.Sweep) -> None:
    found.pause().resume().set(trials=80, timeout="1h", space={"lr": "loguniform(-5,-1)"})
    found.enqueue(lr=0.1).enqueue({"lr": 0.2}).stop_trial(3).stop()

    assert in_run.steered == [
        ("", {"paused": True}),
        ("", {"paused": False, "limits": {}}),
        ("", {
            "limits": {"max_total_trials": 80, "timeout_s": 3600.0},
            "space": {"lr": {"type": "loguniform", "min_value": -5, "max_value": -1}},
        }),
        ("points", {"params": {"lr": 0.1}}),
        ("points", {"params": {"lr": 0.2}}),
        ("trials/3/stop", {}),
        ("", {"stop": True}),
    ]  # fmt: skip
    with pytest.raises(Invalid, match="nothing to change"):
        found.set()
    with pytest.raises(Invalid, match="'speed' is not a limit of a sweep"):
        found.resume(speed=3)


def test_one_that_is_over_is_gone_on_with_as_a_new_run(in_run: Gateway, found: studio.Sweep) -> None:
    in_run.runs["sweep1"]["status"] = "Completed"

    assert studio.get_sweep(found.id).resume(trials=80).id == "sweep2"
    assert in_run.steered == [("resume", {"limits": {"max_total_trials": 80}})]


def test_trials_are_read_once_and_then_only_what_changed(in_run: Gateway, found: studio.Sweep) -> None:
    in_run.trials = [trial(0), trial(1, "RUNNING", values=[None]), trial(2, "FAIL", values=["NaN"], reason="<b>")]
    assert [one.state.value for one in found.trials] == ["COMPLETE", "RUNNING", "FAIL"]

    in_run.trials.append(trial(1))
    table = found.trials

    assert [(one.number, one.values[0]) for one in table[:2]] == [(0, 0.0), (1, 0.1)]
    assert table.frame()["params.lr"].tolist() == [0.0, 0.1, 0.2]
    assert table.rows()[1]["auc"] == 0.1
    assert repr(table).splitlines()[0].split() == ["trial", "state", "auc", "lr", "reason"]
    assert "<b>" not in table._repr_html_()


def test_the_best_trial_has_its_run_and_the_parameters_of_all(in_run: Gateway, found: studio.Sweep) -> None:
    with pytest.raises(NotFound, match="no complete trial"):
        _ = found.best_trial
    in_run.sweeps["sweep1"]["best"] = trial(7)
    in_run.sweeps["sweep1"]["spec"]["fixed"] = {"epochs": 3}
    in_run.runs["t7"] = run_data("t7")

    assert (found.best_value, found.best_params) == (0.7, {"epochs": 3, "lr": pytest.approx(0.7)})
    assert found.best_run.id == "t7"
    assert not found.lead.within_noise
    with pytest.raises(NotFound, match="no trial 8"):
        found.trial_run(8)


def test_of_several_objectives_no_trial_is_the_best(in_run: Gateway) -> None:
    found = studio.sweep(add, {"x": "uniform(0,1)"}, objectives={"a": "max", "b": "min"})
    in_run.sweeps["sweep1"]["front"] = [1]
    in_run.trials = [trial(0, values=[1, 2]), trial(1, values=[2, 1])]

    with pytest.raises(Conflict, match="several objectives"):
        _ = found.best_trial
    assert [one.number for one in found.front] == [1]


def test_sweeps_are_found_among_the_runs(in_run: Gateway, found: studio.Sweep) -> None:
    in_run.runs = {"sweep1": in_run.runs["sweep1"], "run1": in_run.runs["run1"]}
    in_run.sweeps["sweep1"] = sweep_data("sweep1")

    assert studio.get_sweep("sweep1") == found
    assert found in studio.list_sweeps()
    with pytest.raises(NotFound, match="no sweep, it is a cell"):
        studio.get_sweep("run1")

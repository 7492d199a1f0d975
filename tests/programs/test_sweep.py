"""Sweeps with the real supervisor, controller and workers: calls of a function, and runs of their own."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest
from optuna_dashboard import wsgi

from jupyter_mlstudio.entities.runs import Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import EarlyTermination, Goal, Objective, Sampling, SweepPhase
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all
from tests.programs.sweeping import call, ended, log_of, spec, trials
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

GRID = Sampling(algorithm="grid")
STEPS = """\
import sys, time
import jupyter_mlstudio as studio
x = float(sys.argv[sys.argv.index("--x") + 1])
for step in range(40):
    studio.log_metric("score", x + step * 0.001, step)
    studio.flush()
    time.sleep(0.0 if x > 0.8 else 0.3)
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    made.compute.set_slots("local", 4)
    yield made
    end_all(made)
    made.close()


def choices(*values: Any) -> dict[str, dict[str, Any]]:
    """A space of one parameter."""
    return {"x": {"type": "choice", "values": list(values)}}


def parabola(x: float) -> float:
    """Best at 0.3; says and logs what it does."""
    import jupyter_mlstudio as studio

    print("x is", x)
    studio.log_metric("error", abs(x - 0.3))
    studio.log_param("note", "logged inside")
    return 1 - (x - 0.3) ** 2


def asks_itself(trial: optuna.Trial) -> float:
    """A plain objective of Optuna's."""
    x = trial.suggest_float("x", 0, 1)
    kind = trial.suggest_categorical("kind", ["good", "bad"])
    for step in range(5):
        trial.report(x if kind == "good" else -1.0, step)
        if trial.should_prune():
            raise optuna.TrialPruned(f"at step {step}")
    return x


def strange(x: str) -> Any:
    """Gives what no objective should."""
    if x == "raises":
        raise RuntimeError("no luck\nat all")
    return {
        "nan": math.nan, "inf": math.inf, "-inf": -math.inf, "none": None, "text": "1.5", "fine": 0.5,
        "pair": (1.0, 2.0),
        "nothing": {"other": 1.0},
    }[x]  # fmt: skip


def seeded(x: float, seed: int) -> float:
    """Depends on its seed."""
    return x + seed * 0.01


def two(x: float) -> dict[str, float]:
    """Two objectives and another metric."""
    return {"score": x, "ms": 100 * x, "size": 7.0}


def asleep(x: float) -> float:
    """Takes a while."""
    time.sleep(0.4)
    return x


def endless(x: float) -> float:
    """Does not end by itself."""
    time.sleep(600)
    return x


def unfinite(trial: optuna.Trial) -> float:
    """Reports what is not finite on its way to a number."""
    trial.report(math.nan, 0)
    trial.report(math.inf, 1)
    return trial.suggest_float("x", 0, 1)


def uneven(x: float, seed: int) -> dict[str, float]:
    """Its metrics depend on the seed, and one is not finite."""
    return {"score": x, "extra": math.nan, **({"first": 1.0} if seed == 0 else {})}


def begun_of(studio: Studio, run: Run) -> int:
    return len(trials(studio, run))


def done_of(studio: Studio, run: Run) -> int:
    return sum(one["state"] != "RUNNING" for one in trials(studio, run))


def shown_by_dashboard(storage: optuna.storages.JournalStorage, path: str) -> Any:
    """What optuna-dashboard answers of a study."""
    environ: dict[str, Any] = {"PATH_INFO": f"/api/{path}"}
    setup_testing_defaults(environ)
    told: list[str] = []
    content = b"".join(wsgi(storage)(environ, lambda status, headers, *_: told.append(status)))
    assert told == ["200 OK"]
    return json.loads(content)


def test_each_call_is_a_run_with_its_log_and_metrics_and_optuna_opens_the_study(studio: Studio) -> None:
    run = ended(studio, call(studio, parabola, spec(8, 2, sampling=Sampling(algorithm="tpe", seed=3)), name="parabola"))
    assert (run.status, run.reason) == (RunStatus.COMPLETED, "")
    told = trials(studio, run)
    assert [one["state"] for one in told] == ["COMPLETE"] * 8
    sweep = studio.sweeps.get(run.id)
    assert sweep.best is not None
    assert sweep.best.values[0] == max(one["values"][0] for one in told)
    assert (sweep.phase, sweep.counts["COMPLETE"]) == (SweepPhase.ENDED, 8)
    child = studio.runs.get(sweep.best.run_id)
    x = sweep.best.params["x"]
    assert (child.parent_run_id, child.status) == (run.id, RunStatus.COMPLETED)
    assert child.metrics["score"] == 1 - (x - 0.3) ** 2
    assert child.metrics["error"] == abs(x - 0.3)
    assert child.params == {"x": str(x), "note": "logged inside"}
    assert log_of(studio, child.id) == f"x is {x}\n"
    folder = studio.workspace.run_folder(run.id) / "artifacts"
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / "study.journal")))
    study = optuna.load_study(study_name="parabola", storage=storage)
    assert len(study.trials) == 8
    assert study.best_value == sweep.best.values[0]
    assert study.best_trial.user_attrs["run_id"] == child.id
    (summary,) = shown_by_dashboard(storage, "studies")["study_summaries"]
    assert (summary["study_name"], summary["directions"]) == ("parabola", ["maximize"])
    shown = shown_by_dashboard(storage, f"studies/{summary['study_id']}")["trials"]
    assert [(one["state"], one["values"]) for one in shown] == [("Complete", one["values"]) for one in told]
    assert json.loads((folder / "best.json").read_text())["params"] == {"x": x}
    assert len((folder / "trials.csv").read_text().splitlines()) == 9
    assert studio.runs.get(run.id).metrics["best"] == sweep.best.values[0]


def test_a_plain_objective_of_optunas_reports_and_prunes(studio: Studio) -> None:
    policy = EarlyTermination(policy="median_stopping", delay_evaluation=1)
    asked = spec(14, 1, space={}, early_termination=policy, sampling=Sampling(algorithm="random", seed=1))
    run = ended(studio, call(studio, asks_itself, asked))
    told = trials(studio, run)
    assert len(told) == 14
    states = {one["state"] for one in told}
    assert states == {"COMPLETE", "PRUNED"}
    pruned = next(one for one in told if one["state"] == "PRUNED")
    assert set(pruned["params"]) == {"x", "kind"}
    assert pruned["reason"].startswith("pruned: at step")
    assert pruned["steps"]
    child = studio.runs.get(pruned["run_id"])
    assert (child.status, child.reason) == (RunStatus.CANCELED, pruned["reason"])


def test_N12_an_objective_that_is_no_finite_number_fails_its_trial_and_is_never_best(studio: Studio) -> None:
    names = ["nan", "inf", "-inf", "none", "text", "pair", "nothing", "raises", "fine"]
    run = ended(studio, call(studio, strange, spec(20, 2, space=choices(*names), sampling=GRID)))
    told = {one["params"]["x"]: one for one in trials(studio, run)}
    assert set(told) == set(names)
    assert run.status is RunStatus.COMPLETED
    best = studio.sweeps.get(run.id).best
    assert best is not None
    assert best.params == {"x": "fine"}
    assert {name for name, one in told.items() if one["state"] == "FAIL"} == set(names) - {"fine"}
    assert told["nan"]["reason"] == "the objective score is not a finite number: nan"
    assert told["none"]["reason"] == "the objective score is not a finite number: there is none"
    assert told["text"]["reason"] == "the objective score is not a finite number: '1.5'"
    assert "one value is needed" in told["pair"]["reason"]
    assert told["raises"]["reason"] == "RuntimeError: no luck"
    assert f"trial {told['raises']['number']} failed: RuntimeError: no luck\n" in log_of(studio, run.id)
    assert "Traceback" in log_of(studio, told["raises"]["run_id"])
    assert studio.runs.get(told["nan"]["run_id"]).status is RunStatus.FAILED


def test_seeds_constraints_several_objectives_and_a_score_that_is_good_enough(studio: Studio) -> None:
    repeated = call(studio, seeded, spec(3, 2, repeats=3))
    several = [Objective(primary_metric="score"), Objective(primary_metric="ms", goal=Goal.MINIMIZE)]
    front = call(studio, two, spec(5, 2, objectives=several, sampling=Sampling(algorithm="nsgaii", seed=0)))
    held = call(
        studio, two, spec(6, 2, constraints=["x <= 0.5", "size > 1"], sampling=Sampling(algorithm="random", seed=0))
    )
    enough = call(studio, two, spec(500, 2, exit_score=0.6, sampling=Sampling(algorithm="random", seed=0)))
    one = trials(studio, ended(studio, repeated))[0]
    assert one["values"][0] == pytest.approx(one["params"]["x"] + 0.01)
    lead = studio.sweeps.get(repeated.id).lead
    assert lead.low is not None
    assert lead.high is not None
    assert lead.high > lead.low
    ended(studio, front)
    assert len(studio.sweeps.get(front.id).front) == 5
    told = trials(studio, ended(studio, held))
    assert {row["feasible"] for row in told} == {True, False}
    assert all(row["feasible"] == (row["params"]["x"] <= 0.5) for row in told)
    best = studio.sweeps.get(held.id).best
    assert best is not None
    assert best.params["x"] <= 0.5
    ended(studio, enough)
    assert len(trials(studio, enough)) < 100
    assert "as good as was asked for" in log_of(studio, enough.id)


def test_N12_values_on_the_way_and_other_metrics_that_are_not_finite_do_no_harm(studio: Studio) -> None:
    reported = call(studio, unfinite, spec(2, 1, space={}))
    logged = call(studio, uneven, spec(2, 1, repeats=2))
    for run in (reported, logged):
        assert ended(studio, run).status is RunStatus.COMPLETED, log_of(studio, run.id)
        assert [one["state"] for one in trials(studio, run)] == ["COMPLETE"] * 2
    child = studio.runs.get(trials(studio, logged)[0]["run_id"])
    assert math.isnan(child.metrics["extra"])
    assert "first" not in child.metrics


def test_a_trial_that_waits_in_the_queue_takes_none_of_its_time(studio: Studio) -> None:
    work = RunSpec(command=["sh", "-c", "sleep 1.5; echo score=${{inputs.x}}"])
    studio.compute.set_slots("local", 1)
    try:
        run = studio.sweeps.create(RunKind.COMMAND, work, spec(3, 3, trial_timeout_s=60.0))
        done = ended(studio, run)
    finally:
        studio.compute.set_slots("local", 4)
    assert done.status is RunStatus.COMPLETED
    assert [one["state"] for one in trials(studio, run)] == ["COMPLETE"] * 3


def test_a_script_a_notebook_a_shell_command_and_an_R_script_are_swept(studio: Studio) -> None:
    root = studio.workspace.root
    (root / "train.py").write_text(
        "import sys\nimport jupyter_mlstudio as studio\nstudio.log_metric('score', float(sys.argv[2]))\n"
    )
    tagged = {
        "cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = 0.0", "outputs": [],
        "execution_count": None, "id": "a",
    }  # fmt: skip
    logs = {**tagged, "metadata": {}, "source": "import jupyter_mlstudio as s; s.log_metric('score', x)", "id": "b"}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [tagged, logs], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (root / "train.ipynb").write_text(json.dumps(notebook))
    (root / "train.R").write_text('x <- as.numeric(commandArgs(TRUE)[1])\ncat("epoch 1\\nscore:", x, "\\n")\n')
    works = {
        "script": (RunKind.SCRIPT, RunSpec(script="train.py")),
        "notebook": (RunKind.NOTEBOOK, RunSpec(notebook="train.ipynb")),
        "shell": (RunKind.COMMAND, RunSpec(command=["sh", "-c", "echo loss=9; echo score=${{inputs.x}}"])),
        "cell": (RunKind.CELL, RunSpec(cell="import jupyter_mlstudio as s\ns.log_metric('score', x)")),
    }
    if shutil.which("Rscript"):
        works["R"] = (RunKind.COMMAND, RunSpec(command=["Rscript", "train.R", "${{inputs.x}}"]))
    begun = {
        name: studio.sweeps.create(kind, work, spec(2, 1, enqueued=[{"x": 0.25}]), name=name)
        for name, (kind, work) in works.items()
    }
    for name, run in begun.items():
        assert ended(studio, run).status is RunStatus.COMPLETED, (name, log_of(studio, run.id))
        first, second = trials(studio, run)
        assert (first["params"], first["values"]) == ({"x": 0.25}, [0.25]), name
        assert second["values"] == [pytest.approx(second["params"]["x"])], name
        child = studio.runs.get(first["run_id"])
        assert (child.parent_run_id, child.name) == (run.id, f"{name} 0")
        assert child.snapshot_id == studio.runs.get(run.id).snapshot_id


def test_pruning_ends_the_process_and_the_trial_keeps_its_points(studio: Studio) -> None:
    (studio.workspace.root / "steps.py").write_text(STEPS)
    policy = EarlyTermination(policy="bandit", slack_amount=0.2, delay_evaluation=3)
    asked = spec(2, 1, space=choices(0.9, 0.1), sampling=GRID, early_termination=policy)
    run = ended(studio, studio.sweeps.create(RunKind.SCRIPT, RunSpec(script="steps.py"), asked))
    told = {one["params"]["x"]: one for one in trials(studio, run)}
    assert told[0.9]["state"] == "COMPLETE"
    assert told[0.1]["state"] == "PRUNED"
    assert told[0.1]["reason"].startswith("pruned: bandit after step")
    child = studio.runs.get(told[0.1]["run_id"])
    assert child.status is RunStatus.CANCELED
    series = studio.tracking.series(child.id, ["score"])[0]
    assert 3 <= series.total < 40


def test_it_is_paused_resumed_given_points_and_limits_and_stopped(studio: Studio) -> None:
    run = call(studio, asleep, spec(40, 2))
    until(lambda: studio.sweeps.get(run.id).counts["COMPLETE"] >= 2, studio)
    studio.steering.change(run.id, paused=True)
    until(lambda: "paused" in log_of(studio, run.id), studio)
    until(lambda: done_of(studio, run) == begun_of(studio, run), studio)
    time.sleep(1.5)
    before = begun_of(studio, run)
    assert done_of(studio, run) == before
    time.sleep(1.0)
    assert begun_of(studio, run) == before
    assert studio.sweeps.get(run.id).phase is SweepPhase.PAUSED
    studio.steering.enqueue(run.id, {"x": 0.55})
    studio.steering.change(run.id, paused=False, space={"x": {"type": "uniform", "min_value": 0.5, "max_value": 0.6}})
    until(lambda: len(trials(studio, run)) >= before + 4, studio)
    after = trials(studio, run)[before:]
    assert 0.55 in [one["params"]["x"] for one in after]
    assert all(0.5 <= one["params"]["x"] <= 0.6 for one in after if one["params"]["x"] != 0.55)
    running = until(lambda: [one for one in trials(studio, run) if one["state"] == "RUNNING"], studio)
    studio.steering.stop_trial(run.id, running[0]["number"])
    studio.steering.change(run.id, stop=True)
    done = ended(studio, run)
    assert done.status is RunStatus.COMPLETED
    assert studio.sweeps.get(run.id).counts["RUNNING"] == 0
    assert "ending: stopped" in log_of(studio, run.id)


def test_it_begins_with_what_others_found(studio: Studio) -> None:
    first = ended(studio, call(studio, parabola, spec(6, 2), name="first", experiment="known"))
    second = ended(studio, call(studio, parabola, spec(2, 1, warm_start=["first"]), name="second"))
    assert "warm start: 6 past results are known" in log_of(studio, second.id)
    assert len(trials(studio, second)) == 2
    third = ended(studio, call(studio, parabola, spec(1, 1, warm_start=["known"]), name="third"))
    assert "warm start: 6 past results are known" in log_of(studio, third.id)
    assert first.id != third.id


def test_a_function_that_cannot_be_loaded_says_why(studio: Studio) -> None:
    import base64

    broken = base64.b64encode(b"cno_such_module\nthing\n.").decode()
    run = ended(studio, studio.sweeps.create(RunKind.TRIAL, RunSpec(), spec(), function=broken))
    assert run.status is RunStatus.FAILED
    assert "the function could not be loaded: ModuleNotFoundError" in run.reason


def test_time_limits_end_the_trial_and_the_sweep(studio: Studio, tmp_path: Path) -> None:
    run: Run = call(studio, endless, spec(3, 1, trial_timeout_s=0.1))
    short = call(studio, asleep, spec(1000, 1, timeout_s=8.0))
    told = trials(studio, ended(studio, run))
    assert {one["reason"] for one in told} == {"over its time limit of 0.1 s"}
    assert studio.runs.get(run.id).status is RunStatus.FAILED
    assert ended(studio, short).status is RunStatus.COMPLETED
    assert 0 < studio.sweeps.get(short.id).counts["COMPLETE"] < 1000

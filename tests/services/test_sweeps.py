"""Sweeps as they are begun, steered and told of; no process of theirs is started here."""

from __future__ import annotations

import base64
import json
import math
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import (
    EarlyTermination,
    Goal,
    Lead,
    Objective,
    Sampling,
    SweepLimits,
    SweepPhase,
    SweepSpec,
    TrialReport,
    TrialState,
)
from jupyter_mlstudio.entities.tracking import Points
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Stale
from jupyter_mlstudio.programs.importance import importances
from jupyter_mlstudio.services.sweep_checks import check
from jupyter_mlstudio.services.sweep_front import front
from jupyter_mlstudio.store import sweeps as store
from jupyter_mlstudio.store.runs import SPEC as RUN_SPEC
from jupyter_mlstudio.store.schema import trials
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.world import end, insert_run

SPACE: dict[str, dict[str, Any]] = {
    "lr": {"type": "loguniform", "min_value": -6, "max_value": -1},
    "depth": {"type": "int", "low": 2, "high": 12},
}
SPEC = SweepSpec(space=SPACE, objectives=[Objective(primary_metric="auc")], limits=SweepLimits(max_total_trials=5))
BANDIT = EarlyTermination(policy="bandit", evaluation_interval=2, slack_factor=0.1)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path))
    yield made
    made.close()


def begun(studio: Studio, kind: RunKind = RunKind.TRIAL, spec: SweepSpec = SPEC, work: RunSpec | None = None) -> str:
    """A sweep that runs, without a process of its own."""
    options = {
        "sweep": store.SPEC.dump_python(spec, mode="json"), "work_kind": kind.value,
        "work": RUN_SPEC.dump_python(work or RunSpec(), mode="json"), "resume_from": None,
    }  # fmt: skip
    return insert_run(
        studio,
        name="swept",
        kind=RunKind.SWEEP,
        spec=json.dumps({"options": options, "command": (work or RunSpec()).command}),
        gateway_url="http://127.0.0.1:1",
    )


def trial(number: int, state: TrialState = TrialState.RUNNING, value: float | None = None, **more: Any) -> TrialReport:
    """What a sweep's run tells of a trial."""
    base: dict[str, Any] = {
        "number": number, "run_id": uuid.UUID(int=number).hex, "state": state, "params": {"lr": 0.1, "depth": 3},
        "values": [value], "started_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    if state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL):
        base["ended_at"] = "2026-01-01T00:00:02+00:00"
    return TrialReport(**{**base, **more})


def done(number: int, value: float, **more: Any) -> TrialReport:
    return trial(number, TrialState.COMPLETE, value, **more)


class TestTold:
    def test_the_best_is_the_best_complete_feasible_trial_and_the_first_of_two(self, studio: Studio) -> None:
        sweep = begun(studio)
        told = [
            done(0, 0.7), done(1, 0.9), done(2, 0.9), done(3, 0.99, feasible=False),
            trial(4, TrialState.FAIL, None, reason="the objective auc is not a finite number: nan"),
            trial(5, TrialState.PRUNED, 0.95), trial(6),
        ]  # fmt: skip
        studio.steering.report(sweep, told, SweepPhase.RUNNING, Lead(note="within noise", within_noise=True))
        seen = studio.sweeps.get(sweep)
        assert seen.best is not None
        assert seen.best.number == 1
        assert seen.counts == {"WAITING": 0, "RUNNING": 1, "COMPLETE": 4, "PRUNED": 1, "FAIL": 1}
        assert seen.lead.note == "within noise"

    def test_a_smaller_value_is_better_where_that_is_the_goal(self, studio: Studio) -> None:
        sweep = begun(studio, spec=replace(SPEC, objectives=[Objective(primary_metric="loss", goal=Goal.MINIMIZE)]))
        studio.steering.report(sweep, [done(0, 0.7), done(1, 0.2), done(2, 0.4)], None, None)
        best = studio.sweeps.get(sweep).best
        assert best is not None
        assert best.number == 1

    def test_each_call_of_a_function_is_a_run_with_its_parameters_metrics_and_end(self, studio: Studio) -> None:
        sweep = begun(studio)
        now = time.time()
        points = {"auc": Points(steps=[0, 1], times=[now, now], values=[0.5, 0.9])}
        studio.steering.report(sweep, [trial(0), done(1, 0.9, metrics=points)], None, None)
        assert studio.runs.get(trial(0).run_id).status is RunStatus.RUNNING
        run = studio.runs.get(trial(1).run_id)
        assert (run.kind, run.status, run.name, run.parent_run_id) == (
            RunKind.TRIAL, RunStatus.COMPLETED, "swept 1", sweep,
        )  # fmt: skip
        assert run.params == {"lr": "0.1", "depth": "3"}
        assert run.metrics["auc"] == 0.9
        assert run.duration_s == 2.0
        assert run.tags["mlstudio.trial"] == "1"
        series = studio.tracking.series(run.id, ["auc"])[0]
        assert series.values == [0.5, 0.9]
        studio.steering.report(
            sweep, [trial(0, TrialState.PRUNED, None, reason="pruned: below the median")], None, None
        )
        pruned = studio.runs.get(trial(0).run_id)
        assert (pruned.status, pruned.reason) == (RunStatus.CANCELED, "pruned: below the median")

    def test_a_trial_that_was_stopped_is_listed_among_stopped_runs_not_failed_ones(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.report(sweep, [trial(0), trial(1), trial(2)], None, None)
        told = [
            trial(0, TrialState.FAIL, None, reason="stopped"),
            trial(1, TrialState.FAIL, None, reason="stopped: the sweep ended"),
            trial(2, TrialState.FAIL, None, reason="ValueError: stopped"),
            trial(3, TrialState.FAIL, None, reason="stopped"),
        ]
        studio.steering.report(sweep, told, None, None)
        listed = {
            status: {run.name for run in studio.runs.search(filter=f"attributes.status = '{status}'").items}
            for status in ("KILLED", "FAILED", "Canceled", "Failed")
        }
        assert listed["KILLED"] == listed["Canceled"] == {"swept 0", "swept 1", "swept 3"}
        assert listed["FAILED"] == listed["Failed"] == {"swept 2"}

    def test_a_call_that_logged_very_much_keeps_all_of_it(self, studio: Studio) -> None:
        sweep = begun(studio)
        many = list(range(10_000))
        points = {"loss": Points(steps=many, times=[1.0] * len(many), values=[1.0 / (n + 1) for n in many])}
        studio.steering.report(sweep, [trial(0, metrics=points), done(0, 0.5)], None, None)
        series = studio.tracking.series(trial(0).run_id, ["loss"], max_points=20_000)[0]
        assert series.total == 10_000
        assert studio.runs.get(trial(0).run_id).status is RunStatus.COMPLETED

    def test_the_same_report_again_changes_nothing(self, studio: Studio) -> None:
        sweep = begun(studio)
        for _ in range(2):
            studio.steering.report(sweep, [done(0, 0.7)], None, None)
        page = json.loads(studio.sweeps.trials(sweep))
        assert page["total"] == 1
        assert len(studio.runs.children(sweep)) == 1

    def test_a_reader_is_told_what_is_new_since_its_cursor(self, studio: Studio) -> None:
        sweep = begun(studio, RunKind.CELL)
        studio.steering.report(sweep, [trial(0), trial(1)], None, None)
        first = json.loads(studio.sweeps.trials(sweep))
        assert [one["number"] for one in first["trials"]] == [0, 1]
        studio.steering.report(sweep, [done(0, 0.7), trial(2)], None, None)
        second = json.loads(studio.sweeps.trials(sweep, after=first["cursor"]))
        assert [(one["number"], one["state"]) for one in second["trials"]] == [(0, "COMPLETE"), (2, "RUNNING")]
        assert json.loads(studio.sweeps.trials(sweep, after=second["cursor"]))["trials"] == []
        assert second["total"] == 3

    def test_values_that_are_not_finite_are_kept_as_none(self, studio: Studio) -> None:
        sweep = begun(studio)
        infinite = done(0, float("inf"), steps=[(0, float("nan")), (1, 0.5)])
        studio.steering.report(sweep, [infinite], None, None)
        assert studio.sweeps.get(sweep).best is None
        assert json.loads(studio.sweeps.trials(sweep))["trials"][0]["steps"] == [[1, 0.5]]

    def test_several_objectives_have_a_front_and_no_best(self, studio: Studio) -> None:
        two = [Objective(primary_metric="auc"), Objective(primary_metric="ms", goal=Goal.MINIMIZE)]
        sweep = begun(studio, spec=replace(SPEC, objectives=two))
        values = [(0.9, 10.0), (0.8, 5.0), (0.7, 7.0), (0.95, 20.0), (0.9, 11.0)]
        told = [trial(n, TrialState.COMPLETE, values=list(pair)) for n, pair in enumerate(values)]
        studio.steering.report(sweep, told, None, None)
        seen = studio.sweeps.get(sweep)
        assert seen.best is None
        assert seen.front == [0, 1, 3]
        with pytest.raises(Conflict, match="Pareto front"):
            studio.sweeps.best_trial(sweep)

    def test_when_a_sweep_ends_without_a_word_so_do_its_calls(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.report(sweep, [trial(0)], None, None)
        from jupyter_mlstudio.services.outcomes import Outcome

        studio.supervisors.settle(sweep, Outcome(RunStatus.FAILED, "killed"))
        assert studio.runs.get(trial(0).run_id).status is RunStatus.FAILED


class TestSteered:
    def test_pause_limits_bounds_and_points_reach_the_sweep(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.change(sweep, paused=True, limits={"max_total_trials": 9, "timeout_s": 60})
        studio.steering.change(sweep, space={"depth": {"type": "int", "low": 4, "high": 6}})
        seen = studio.steering.enqueue(sweep, {"lr": 0.01})
        control = studio.steering.control(sweep)
        assert control == seen.control
        assert control.paused
        assert control.limits.max_total_trials == 9
        assert control.limits.timeout_s == 60
        assert control.space["depth"]["high"] == 6
        assert control.points == [{"lr": 0.01}]
        assert seen.phase is SweepPhase.PAUSED
        assert control.etag == 4

    def test_whoever_read_an_older_state_is_refused(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.change(sweep, paused=True, if_match=1)
        with pytest.raises(Stale):
            studio.steering.change(sweep, paused=False, if_match=1)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"limits": {"max_total_trials": 0}}, "1 to 100,000"),
            ({"limits": {"max_total_trials": "many"}}, "whole number"),
            ({"limits": {"speed": 3}}, "not a limit"),
            ({"limits": {"timeout_s": -1}}, "positive"),
            ({"space": {"momentum": SPACE["depth"]}}, "no parameter"),
            ({"space": {"lr": SPACE["depth"]}}, "of type loguniform"),
            ({"space": {"depth": {"type": "int", "low": 9, "high": 3}}}, "depth"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, studio: Studio, change: dict[str, Any], said: str) -> None:
        sweep = begun(studio)
        with pytest.raises(Invalid, match=said):
            studio.steering.change(sweep, **change)
        assert studio.steering.control(sweep).etag == 1

    def test_a_point_names_parameters_that_are_searched_for(self, studio: Studio) -> None:
        sweep = begun(studio)
        for point in ({}, {"momentum": 1}, {"lr": float("nan")}, {"lr": [1]}):
            with pytest.raises(Invalid):
                studio.steering.enqueue(sweep, point)

    def test_one_trial_is_stopped_and_the_sweep_told(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.report(sweep, [trial(0), done(1, 0.5)], None, None)
        studio.steering.stop_trial(sweep, 0)
        assert studio.steering.control(sweep).stopped == [0]
        with pytest.raises(Conflict, match="over already"):
            studio.steering.stop_trial(sweep, 1)
        with pytest.raises(NotFound):
            studio.steering.stop_trial(sweep, 7)

    def test_stopping_its_run_ends_a_sweep_with_what_it_has_and_asking_again_ends_the_run(self, studio: Studio) -> None:
        sweep = begun(studio)
        assert studio.steering.stop_if_running(sweep)
        assert studio.steering.control(sweep).stop
        assert studio.sweeps.get(sweep).phase is SweepPhase.STOPPING
        assert not studio.steering.stop_if_running(sweep)
        assert not studio.steering.stop_if_running(insert_run(studio))

    def test_there_are_never_fewer_trials_than_were_begun(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.report(sweep, [done(0, 0.5), done(1, 0.5), trial(2)], None, None)
        with pytest.raises(Invalid, match="3 trials were begun already"):
            studio.steering.change(sweep, limits={"max_total_trials": 2})
        assert studio.steering.change(sweep, limits={"max_total_trials": 3}).control.limits.max_total_trials == 3

    def test_nothing_is_asked_of_a_sweep_that_is_over(self, studio: Studio) -> None:
        sweep = begun(studio)
        end(studio, sweep)
        with pytest.raises(Conflict, match="retry"):
            studio.steering.change(sweep, paused=True)
        assert studio.sweeps.get(sweep).phase is SweepPhase.ENDED

    def test_another_run_is_no_sweep(self, studio: Studio) -> None:
        with pytest.raises(NotFound, match="no sweep"):
            studio.sweeps.get(insert_run(studio))


class TestBegun:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"objectives": []}, "1 to 8 objectives"),
            ({"objectives": [Objective(primary_metric="a"), Objective(primary_metric="a")]}, "not different"),
            ({"limits": SweepLimits(max_concurrent_trials=0)}, "at the same time"),
            ({"limits": SweepLimits(exit_score=float("inf"))}, "exit_score"),
            ({"space": {}}, "search space is empty"),
            ({"fixed": {"lr": 1}}, "fixed and searched"),
            ({"enqueued": [{"momentum": 1}]}, "not searched for"),
            ({"repeats": 0}, "seeds"),
            ({"early_termination": EarlyTermination(policy="bandit")}, "slack_factor or slack_amount"),
            ({"early_termination": EarlyTermination(policy="truncation_selection")}, "1 to 99"),
            ({"early_termination": EarlyTermination(policy="luck")}, "not a policy"),
            ({"early_termination": EarlyTermination(policy="median_stopping", slack_factor=0.1)}, "a bandit's"),
        ],
    )
    def test_a_sweep_that_makes_no_sense_is_refused_before_any_trial(self, change: dict[str, Any], said: str) -> None:
        with pytest.raises(Invalid, match=said):
            check(replace(SPEC, **change), RunKind.CELL)

    def test_a_function_comes_as_base64_and_only_with_calls_of_it(self, studio: Studio) -> None:
        for kind, function in ((RunKind.TRIAL, None), (RunKind.TRIAL, "%%"), (RunKind.CELL, "aGk=")):
            with pytest.raises(Invalid):
                studio.sweeps.create(kind, RunSpec(cell="1" if kind is RunKind.CELL else None), SPEC, function=function)
        too_long = base64.b64encode(bytes(65 * 1024 * 1024)).decode()
        with pytest.raises(Invalid, match="64 MB"):
            studio.sweeps.create(RunKind.TRIAL, RunSpec(), SPEC, function=too_long)
        assert studio.runs.search().items == []


class TestGoneOnWith:
    def test_it_begins_with_what_was_asked_last_and_only_when_there_is_something_left(self, studio: Studio) -> None:
        sweep = begun(studio, RunKind.COMMAND, SPEC, RunSpec(command=["true"]))
        with pytest.raises(Conflict, match="under way"):
            studio.sweeps.resume(sweep)
        studio.steering.change(
            sweep, limits={"max_concurrent_trials": 2}, space={"depth": {**SPACE["depth"], "high": 6}}
        )
        studio.steering.report(sweep, [done(number, 0.5) for number in range(5)], None, None)
        end(studio, sweep, RunStatus.FAILED)
        with pytest.raises(Conflict, match="all 5 trials"):
            studio.sweeps.resume(sweep)
        again = studio.sweeps.resume(sweep, {"max_total_trials": 8})
        studio.launcher.stop(again.id)
        seen = studio.sweeps.get(again.id)
        assert (seen.resume_from, again.retry_of) == (sweep, sweep)
        assert again.name == f"{studio.sweeps.get(sweep).name}, continued"
        assert (seen.spec.limits.max_total_trials, seen.spec.limits.max_concurrent_trials) == (8, 2)
        assert seen.spec.space["depth"]["high"] == 6

    def test_a_sweep_that_is_deleted_leaves_no_trials(self, studio: Studio) -> None:
        sweep = begun(studio, RunKind.COMMAND, SPEC, RunSpec(command=["true"]))
        studio.steering.report(sweep, [done(0, 0.5)], None, None)
        end(studio, sweep)
        studio.runs.delete(sweep)
        with studio.database.read() as connection:
            assert connection.execute(select(func.count()).select_from(trials)).scalar_one() == 0


class TestAsText:
    def test_as_python_it_is_the_call_that_begins_it(self, studio: Studio) -> None:
        sweep = begun(studio, RunKind.SCRIPT, replace(SPEC, early_termination=BANDIT), RunSpec(script="train.py"))
        asked: dict[str, Any] = {}
        text = studio.sweep_code.text(sweep, "python").replace("import jupyter_mlstudio as studio", "")

        class Asked:
            @staticmethod
            def sweep(what: str, space: dict[str, str], **more: Any) -> None:
                asked.update(more, what=what, space=space)

        exec(text, {"studio": Asked})
        assert asked["what"] == "train.py"
        assert {name: spaces.parse(one) for name, one in asked["space"].items()}["depth"] == SPACE["depth"]
        assert (asked["metric"], asked["goal"], asked["trials"], asked["sampler"]) == ("auc", "maximize", 5, "tpe")
        assert asked["early_termination"] == {"policy": "bandit", "evaluation_interval": 2, "slack_factor": 0.1}

    def test_as_yaml_it_is_azures_and_says_what_that_cannot_hold(self, studio: Studio) -> None:
        spec = replace(SPEC, early_termination=BANDIT, constraints=["ms <= 20"])
        sweep = begun(studio, RunKind.SCRIPT, spec, RunSpec(script="train.py"))
        text = studio.sweep_code.text(sweep, "yaml")
        content = yaml.safe_load(text)
        assert content["type"] == "sweep"
        assert content["trial"]["command"] == (
            "python train.py --lr ${{search_space.lr}} --depth ${{search_space.depth}}"
        )
        assert content["search_space"]["lr"] == SPACE["lr"]
        assert content["search_space"]["depth"] == {"type": "choice", "values": list(range(2, 13))}
        assert content["objective"] == {"goal": "maximize", "primary_metric": "auc"}
        assert content["limits"] == {"max_total_trials": 5, "max_concurrent_trials": 1}
        assert content["early_termination"]["slack_factor"] == 0.1
        assert text.startswith("# Azure Machine Learning does not know: depth as int(2,12), constraints\n")
        with pytest.raises(Conflict, match="Python"):
            studio.sweep_code.text(begun(studio, RunKind.TRIAL), "yaml")

    @pytest.mark.parametrize(
        ("kind", "work"),
        [
            (RunKind.CELL, RunSpec(cell="print(lr * depth)")),
            (RunKind.SCRIPT, RunSpec(script="train.py")),
            (RunKind.NOTEBOOK, RunSpec(notebook="train.ipynb")),
            (RunKind.COMMAND, RunSpec(command=["echo", "${{inputs.lr}}", "${{inputs.depth}}"])),
        ],
    )
    def test_a_notebook_does_the_best_trials_work_again(self, studio: Studio, kind: RunKind, work: RunSpec) -> None:
        sweep = begun(studio, kind, SPEC, work)
        code = studio.workspace.run_folder(sweep) / "code"
        code.mkdir()
        (code / "train.py").write_text("import sys\nprint(sys.argv)")
        tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "lr = 0", "outputs": []}
        (code / "train.ipynb").write_text(json.dumps({"cells": [tagged], "nbformat": 4, "nbformat_minor": 4}))
        with pytest.raises(NotFound, match="no complete trial"):
            studio.sweep_code.notebook(sweep)
        studio.steering.report(sweep, [done(0, 0.5), done(1, 0.9, params={"lr": 0.25, "depth": 4})], None, None)
        first, second = studio.sweep_code.notebook(sweep), studio.sweep_code.notebook(sweep)
        assert (first, second) == ("swept 1.ipynb", "swept 1 (2).ipynb")
        text = (studio.workspace.root / first).read_text()
        sources = "".join(cell["source"] for cell in json.loads(text)["cells"])
        assert "0.25" in sources
        assert "`auc`: 0.9" in sources

    @pytest.mark.parametrize(
        ("source", "searched"),
        [
            ("    def train(lr, depth):\n        return lr * depth\n", SPACE),
            ("def train(trial):\n    return trial.suggest_float('lr', 0, 1) * trial.suggest_int('depth', 1, 9)\n", {}),
        ],
    )
    def test_the_notebook_of_a_function_calls_it(
        self, studio: Studio, source: str, searched: dict[str, dict[str, Any]]
    ) -> None:
        work = RunSpec(options={"source": source, "name": "train"})
        sweep = begun(studio, RunKind.TRIAL, replace(SPEC, space=searched), work)
        studio.steering.report(sweep, [done(0, 1.0, params={"lr": 0.25, "depth": 4})], None, None)
        content = json.loads((studio.workspace.root / studio.sweep_code.notebook(sweep)).read_text())
        *cells, call = ["".join(one["source"]) for one in content["cells"] if one["cell_type"] == "code"]
        known: dict[str, Any] = {}
        for cell in [*cells, *call.splitlines()[:-1]]:
            exec(cell, known)
        assert eval(call.splitlines()[-1], known) == 1.0

    def test_the_base_of_azures_logarithms_and_its_rule_are_kept(self, studio: Studio) -> None:
        sampling = Sampling(algorithm="random", seed=3, options={"rule": "sobol", "logbase": 10})
        space = {"n": {"type": "int", "low": 1, "high": 1000, "log": True}}
        sweep = begun(
            studio, RunKind.CELL, replace(SPEC, sampling=sampling, space=space), RunSpec(cell="a\nb = '\"'\n")
        )
        content = yaml.safe_load(studio.sweep_code.text(sweep, "yaml"))
        assert content["sampling_algorithm"] == {"type": "random", "rule": "sobol", "logbase": 10, "seed": 3}
        assert (content["search_space"]["n"]["min_value"], content["search_space"]["n"]["max_value"]) == (
            0,
            pytest.approx(3),
        )
        assert '    """\\\na\nb = \'"\'\n""",\n' in studio.sweep_code.text(sweep, "python")


class TestImportance:
    def test_it_needs_trials(self, studio: Studio) -> None:
        sweep = begun(studio)
        studio.steering.report(sweep, [done(0, 0.1)], None, None)
        with pytest.raises(Conflict, match="needs 4"):
            studio.sweep_importance.of(sweep, 0, "fanova")
        with pytest.raises(Invalid, match="1 objectives"):
            studio.sweep_importance.of(sweep, 3, "fanova")

    def test_it_draws_with_the_sweeps_base_of_logarithms(self, studio: Studio) -> None:
        space = {"n": {"type": "qloguniform", "min_value": 0, "max_value": 3, "q": 1}, "lr": SPACE["lr"]}
        sweep = begun(studio, spec=replace(SPEC, space=space, sampling=Sampling(options={"logbase": 10})))
        tried = [{"n": round(10 ** (3 * k / 20)), "lr": 10 ** -(1 + 5 * (7 * k % 20) / 20)} for k in range(20)]
        values = [math.log10(one["n"]) - math.log10(one["lr"]) for one in tried]
        found = [done(k, value, params=tried[k]) for k, value in enumerate(values)]
        studio.steering.report(sweep, found, None, None)
        told = studio.sweep_importance.of(sweep, 0, "fanova").params
        rows = [{"params": one, "values": [value]} for one, value in zip(tried, values, strict=True)]
        asked: dict[str, Any] = {"space": space, "trials": rows, "goal": "maximize"}
        assert told == importances({**asked, "logbase": 10})["params"]
        assert told != importances(asked)["params"]


def test_the_front_leaves_out_what_has_no_value_and_keeps_equal_ones() -> None:
    goals = [Goal.MAXIMIZE, Goal.MAXIMIZE]
    values = [(1.0, 1.0), (1.0, 1.0), (0.5, None), (0.0, 2.0), (0.5, 0.5)]
    assert front([{"number": n, "values": list(pair)} for n, pair in enumerate(values)], goals) == [0, 1, 3]
    assert front([], goals) == []

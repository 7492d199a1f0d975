"""What an AutoML run executes: it reads the table, looks at it, tries models, keeps the best one as the run's own.

What was found lies beside the run, so that the program may be killed at any moment: begun again, by the run's
supervisor or by a run that goes on with it, it takes up what is there and uses the time that is left.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import Any

import msgspec

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import automl_engine as engine
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.automl_board import Board, limits_of
from jupyter_mlstudio.programs.automl_evidence import Drawings
from jupyter_mlstudio.programs.automl_files import SKETCH, began, check_same, take_over, write_whole
from jupyter_mlstudio.programs.automl_memory import within
from jupyter_mlstudio.programs.automl_winner import Winner

LOOK_S = 0.25
BROKEN_OFF = "ended without a winner"
DRAW_LEAST_S, DRAW_MOST_S = 1.0, 15.0
"""After the time is over, for candidates that were not drawn yet: 2 % of it, within these."""

EXPLAIN_S, EXPLAIN_SHARE = 30.0, 0.06
"""Of the time of a run, for explaining its winner."""


class AutoML:
    """One AutoML run.

    Args:
        job: its options say what to learn: ``automl`` and ``resume_from``.
    """

    def __init__(self, job: context.Job) -> None:
        options = job.spec["options"]
        self._job = job
        self._spec = msgspec.convert(options["automl"], AutoMLSpec)
        self._before: str | None = options.get("resume_from")
        self._gateway = connect()
        self._folder = take_over(job.run_folder, self._before)
        self._began = began(self._folder)
        artifacts = job.run_folder / "artifacts"
        timeout_s = self._spec.limits.timeout_s
        self._board = Board(self._gateway, job.run_id, artifacts, self._folder, self._began, timeout_s)
        self._control: dict[str, JSON] = {}
        self._search: Any = None
        self._plan: Any = None
        self._drawings: Any = None

    def run(self) -> int:
        """Does everything; the run fails when the table cannot be learnt from, or no model could be fitted."""
        board = self._board
        board.begin()
        try:
            self._run(board)
        except BaseException:
            with contextlib.suppress(StudioError):
                board.change(phase=BROKEN_OFF)
                board.end()
            raise
        board.say("done")
        board.end()
        return 0

    def _run(self, board: Board) -> None:
        board.say("reading the table")
        runs = self._job.run_folder.parent
        check_same(self._folder, engine.paths_of(self._spec, runs))
        with within(self._spec.limits.memory_bytes):
            tables = engine.tables_of(self._spec, runs)
            board.say("looking at the table")
            self._plan = self._looked_at(tables)
        del tables
        board.say("trying models")
        searched = replace(self._spec, limits=self._for_search(self._spec.limits))
        self._search = engine.search_of(self._plan, searched, self._folder, self._began)
        write_whole(self._folder / SKETCH, engine.sketch_of(self._plan, self._search, self._spec))
        board.known([record.candidate for record in self._search.records.values()])
        board.clock = lambda: self._search.clock.used_s
        self._drawings = Drawings(self._gateway, self._plan, self._search.oof, board.clock)
        outcome = self._search.run(self._told, self._asked)
        budget = replace(outcome.budget, timeout_s=self._spec.limits.timeout_s)
        board.change(families=outcome.families, budget=budget)
        for one in outcome.candidates:
            board.candidate(one)
        Winner(self._job, self._spec, self._plan, outcome, board, self._search.threads()).keep()
        timeout_s = self._spec.limits.timeout_s
        self._drawings.draw_all(max(timeout_s, board.used_s) + min(DRAW_MOST_S, max(DRAW_LEAST_S, 0.02 * timeout_s)))

    def _looked_at(self, tables: engine.Tables) -> Any:
        try:
            plan = engine.plan_of(self._spec, tables)
        except Invalid as error:
            findings: list[Finding] = list(getattr(error, "findings", []))
            self._board.change(findings=findings, columns=list(getattr(error, "columns", [])))
            raise
        metric, goal = engine.metric_of(self._spec, plan)
        classes = [] if plan.classes is None else [str(name) for name in plan.classes]
        self._board.change(
            task=plan.task, primary_metric=metric, goal=goal, rows=len(plan.X), folds=len(plan.folds) // plan.repeats,
            repeats=plan.repeats, classes=classes,
            positive_label=classes[plan.positive] if classes and plan.positive is not None else "",
            columns=list(plan.columns), findings=list(plan.findings),
        )  # fmt: skip
        tracking.set_tags({"mlstudio.automl.metric": metric, "mlstudio.automl.goal": goal.value})
        print(
            f"{len(plan.X):,} rows, {plan.X.shape[1]:,} columns to learn from, {plan.task.value}, {metric}", flush=True
        )
        for finding in plan.findings:
            done = f": {finding.done}" if finding.done else ""
            remedy = f"; you can: {finding.remedy}" if finding.severity is Severity.WARNING and finding.remedy else ""
            print(f"{finding.severity.value}: {finding.what}{done}{remedy}", flush=True)
        return plan

    def _told(self, candidate: Candidate) -> None:
        """Takes in a candidate that begins or has ended."""
        candidate = self._board.candidate(candidate)
        if candidate.score is None and not candidate.failed:
            self._board.send()  # its run has to be there before its charts
        self._board.tell()
        if candidate.score is not None and not candidate.failed:
            self._drawings.want(candidate.number, candidate.run_id)

    def _asked(self) -> Any:
        """Answers what people ask for; called several times a second by the search."""
        control = self._board.asked_now(LOOK_S)
        if control is not None:
            self._control = control
        self._board.change_families(self._search.families)
        self._board.tell()
        self._drawings.draw()
        limits = replace(self._spec.limits, **limits_of(self._control)) if self._control else self._spec.limits
        return engine.asked(
            paused=bool(self._control.get("paused")), stop=bool(self._control.get("stop")),
            limits=self._for_search(limits), stopped=set(self._control.get("stopped") or ()),
        )  # fmt: skip

    def _for_search(self, limits: AutoMLLimits) -> AutoMLLimits:
        """The limits of the search: some of the time is for explaining the winner."""
        if not self._spec.training.enable_model_explainability:
            return limits
        return replace(limits, timeout_s=limits.timeout_s - min(EXPLAIN_S, EXPLAIN_SHARE * limits.timeout_s))


def run(job: context.Job) -> int:
    """Executes the AutoML run that the run's options describe."""
    options = job.spec["options"]
    if options["automl"].get("partition_by"):
        from jupyter_mlstudio.programs.automl_partitions import run as run_partitions

        return run_partitions(job)
    return AutoML(job).run()


if __name__ == "__main__":
    sys.exit(context.execute(run))

"""What an AutoML run tells while it searches: its candidates as runs, the best so far, its report, lines to read."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.automl_candidates import SEARCH_ENDED, Candidate, FamilyState
from jupyter_mlstudio.entities.automl_reports import AutoMLReport, Budget
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.sweeps import Lead, SweepPhase, Trial, TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.automl_files import RUNS, Runs, as_json, write_whole
from jupyter_mlstudio.programs.automl_margin import margin_of
from jupyter_mlstudio.programs.sweep_told import Teller

WRITE_S, PROGRESS_S = 0.5, 0.5
WRITE_SHARE = 25
"""A report that takes long to write is written less often: so many times longer apart."""

INTERRUPTED = "interrupted: the program ended meanwhile"
GIVEN_UP = ("stopped", SEARCH_ENDED)
"""Reasons for which a candidate has no score though nothing is wrong with it."""


class Board:
    """Everything that an AutoML run has found, told to the studio a few times a second.

    Args:
        gateway: whom to tell.
        run_id: the AutoML run.
        artifacts: its artifacts; the report lies in ``automl/report.json``.
        folder: where the search keeps what it found; which run a candidate has is written beside it.
        began: when its work began, in seconds since the epoch.
        timeout_s: how long it may take.
    """

    def __init__(
        self, gateway: Connection, run_id: str, artifacts: Path, folder: Path, began: float, timeout_s: float
    ) -> None:
        self.report = AutoMLReport(phase="starting", budget=Budget(timeout_s=timeout_s))
        self._gateway = gateway
        self._run_id = run_id
        self._teller = Teller(gateway, run_id)
        self._file = artifacts / "automl" / "report.json"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._began = began
        self.clock: Callable[[], float] = lambda: time.time() - began
        self._runs = Runs(folder / RUNS)
        self._found: dict[int, Candidate] = {}
        self._times: dict[int, tuple[str, str | None]] = {}
        self._best: Candidate | None = None
        self._next_write = self._next_progress = self._next_look = 0.0
        self._moved = True
        self._quiet = False

    @property
    def used_s(self) -> float:
        """Seconds that the work has taken."""
        return self.clock()

    @property
    def goal(self) -> Goal:
        """Which way is better."""
        return self.report.goal

    def say(self, phase: str) -> None:
        """Says what is done now."""
        if phase != self.report.phase:
            print(f"{self.used_s:7.1f} s  {phase}", flush=True)
        self.change(phase=phase)
        self.tell(now=True)

    def change(self, **values: Any) -> None:
        """Changes fields of the report; they are written with the next telling."""
        self.report = replace(self.report, **values)
        self._moved = True

    def begin(self) -> None:
        """Ends what was under way when an earlier process of this run was killed.

        A candidate that had ended, which nobody was told any more, keeps its run: it is told of again.
        """
        now, ended = datetime.now(UTC).isoformat(), self._ended_before()
        for one in self._trials():
            if one["state"] == TrialState.RUNNING.value and one["number"] not in ended:
                self._runs.forget(int(one["number"]))
                self._teller.trial(
                    Trial(
                        number=int(one["number"]), run_id=str(one["run_id"]), state=TrialState.FAIL,
                        params=one["params"], values=[None], started_at=one["started_at"], ended_at=now,
                        reason=INTERRUPTED, retried=True,
                    )
                )  # fmt: skip
        self._teller.phase(SweepPhase.RUNNING)
        self._teller.send(now=True)

    def candidate(self, told: Candidate) -> Candidate:
        """Takes in a candidate that begins or has ended; answers it with the run that it has."""
        told = replace(told, run_id=self._runs.of(told.number))
        now = datetime.now(UTC).isoformat()
        before = self._found.get(told.number)
        self._found[told.number] = told
        over = told.score is not None or bool(told.failed)
        began, _ended = self._times.get(told.number, (now, None))
        self._times[told.number] = (began, now if over else None)
        self._teller.trial(self._trial(told), metrics_of(told, self.report.primary_metric) if over else None)
        best = self._is_best(told)
        if best:
            self._best = told
            self._teller.lead(_lead(told))
        self._moved = True
        news = before is None or before.score != told.score or before.failed != told.failed
        if over and news and not self._quiet:
            print(self._line(told, best=best), flush=True)
        if over:
            self._log()
        self._teller.send()
        return told

    def known(self, found: Sequence[Candidate]) -> None:
        """Takes in candidates of an earlier process or run, without a line for each."""
        self._quiet = True
        for one in found:
            self.candidate(one)
        self._quiet = False
        if found:
            print(f"{self.used_s:7.1f} s  {len(found)} model{'s'[: len(found) - 1]} known from before", flush=True)

    def tell(self, *, now: bool = False) -> None:
        """Writes the report and sends what there is, when it is time to, or at once."""
        moment = time.monotonic()
        if now or (self._moved and moment >= self._next_write):
            self.write()
        if now or moment >= self._next_progress:
            self._next_progress = moment + PROGRESS_S
            budget = self.report.budget
            total = max(1, math.ceil(budget.timeout_s if budget else 1))
            tracking.progress(min(math.ceil(self.used_s), total), total, self._progress())
        self._teller.send(now=now)

    def spent(self, part: str, since_s: float) -> None:
        """Says that what was done since a moment of the run went into a part of its budget."""
        budget = self.report.budget
        if budget is not None:
            parts = {**budget.parts, part: round(self.used_s - since_s, 3)}
            self.change(budget=replace(budget, parts=parts))

    def send(self) -> None:
        """Tells of candidates at once."""
        self._teller.send(now=True)

    def write(self) -> None:
        """Writes the report, whole."""
        began, budget = time.monotonic(), self.report.budget
        used = None if budget is None else replace(budget, used_s=round(self.used_s, 3))
        self.report = replace(self.report, leaderboard=self.leaderboard(), budget=used)
        self.report = replace(self.report, margin=margin_of(self.report))
        write_whole(self._file, as_json(asdict(self.report)))
        now = time.monotonic()
        self._moved, self._next_write = False, now + max(WRITE_S, WRITE_SHARE * (now - began))

    def leaderboard(self) -> list[Candidate]:
        """All candidates, the best first, those that are under way later, those that failed last."""
        return ordered(list(self._found.values()), self.goal)

    def asked_now(self, every_s: float) -> dict[str, JSON] | None:
        """What people ask of the run; None when nobody answers, or when it was looked at less than ``every_s`` ago."""
        if time.monotonic() < self._next_look:
            return None
        self._next_look = time.monotonic() + every_s
        return self._teller.control()

    def change_families(self, families: list[FamilyState]) -> None:
        """Says how families fare, when that is news."""
        if families and families != self.report.families:
            self.change(families=families)

    def end(self) -> None:
        """Tells what is left, and that it is over."""
        self._teller.phase(SweepPhase.ENDED)
        self.tell(now=True)

    def _ended_before(self) -> set[int]:
        """Numbers of candidates that had ended by the last report of an earlier process of this run."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads(self._file.read_bytes())["leaderboard"]
            return {int(one["number"]) for one in told if one["score"] is not None or one["failed"]}
        return set()

    def _trials(self) -> list[dict[str, JSON]]:
        page = self._gateway.get(f"sweeps/{segment(self._run_id)}/trials", {"after": "0", "limit": "5000"})
        return list(page["trials"])

    def _trial(self, told: Candidate) -> Trial:
        began, ended = self._times[told.number]
        state = TrialState.COMPLETE if ended else TrialState.RUNNING
        if told.failed:
            state = TrialState.PRUNED if _given_up(told) else TrialState.FAIL
        return Trial(
            number=told.number, run_id=told.run_id, state=state, params={"family": told.family, **told.params},
            values=[told.score], started_at=began, ended_at=ended, reason=told.failed,
        )  # fmt: skip

    def _is_best(self, told: Candidate) -> bool:
        if told.score is None or told.failed or not math.isfinite(told.score):
            return False
        if told.onnx is not None and not told.onnx.ready:
            return False
        return self._best is None or self._best.score is None or better(told.score, self._best.score, self.goal)

    def _log(self) -> None:
        ended = [one for one in self._found.values() if one.score is not None or one.failed]
        logged = {"models_tried": float(len(ended))}
        if self._best is not None and self._best.score is not None:
            logged["best"] = self._best.score
        tracking.log_metrics(logged, step=len(ended))

    def _line(self, told: Candidate, *, best: bool) -> str:
        head = f"{self.used_s:7.1f} s  {told.number:>4}  {told.family:<24}"
        if told.failed:
            return f"{head}  {'given up' if _given_up(told) else 'failed'}: {told.failed}"
        bounds = "" if told.low is None or told.high is None else f" [{told.low:.4g}, {told.high:.4g}]"
        rows = f" on {told.rows:,} rows" if 0 < told.rows < self.report.rows else ""
        left = f"  not ONNX: {told.onnx.reason}" if told.onnx is not None and not told.onnx.ready else ""
        mark = "  best so far" if best else ""
        return f"{head}  {self.report.primary_metric} {told.score:.5g}{bounds}  {told.fit_s:.2f} s{rows}{left}{mark}"

    def _progress(self) -> str:
        ended = sum(1 for one in self._found.values() if one.score is not None or one.failed)
        if not ended:
            return self.report.phase
        best = self._best
        found = "" if best is None else f", best {best.score:.5g} ({best.family})"
        return f"{self.report.phase}: {ended} model{'' if ended == 1 else 's'}{found}"


def ordered(found: Sequence[Candidate], goal: Goal) -> list[Candidate]:
    """Candidates in the order of a leaderboard; of equal scores the earlier one comes first."""

    def place(one: Candidate) -> tuple[int, float, int]:
        if one.failed:
            return 2, 0.0, one.number
        if one.score is None or not math.isfinite(one.score):
            return 1, 0.0, one.number
        return 0, -one.score if goal is Goal.MAXIMIZE else one.score, one.number

    return sorted(found, key=place)


def better(one: float, other: float, goal: Goal) -> bool:
    """Tells whether a score is better than another one."""
    return one > other if goal is Goal.MAXIMIZE else one < other


def metrics_of(told: Candidate, primary: str) -> dict[str, float]:
    """What the run of a candidate shows."""
    found: dict[str, float | None] = {**told.metrics, primary: told.score}
    found |= {"score_low": told.low, "score_high": told.high, "fit_s": told.fit_s, "predict_ms": told.predict_ms}
    found |= {"size_bytes": float(told.size_bytes), "rows": float(told.rows)}
    if told.onnx is not None:
        found |= {"onnx_max_abs_difference": told.onnx.max_abs_difference, "onnx_speedup": told.onnx.speedup}
    return {name: float(value) for name, value in found.items() if name and value is not None}


def _given_up(told: Candidate) -> bool:
    return bool(told.folds) or told.failed in GIVEN_UP


def _lead(best: Candidate) -> Lead:
    return Lead(low=best.low, high=best.high)


def limits_of(control: Mapping[str, JSON]) -> dict[str, JSON]:
    """The limits of a sweep's control by the names that AutoML has for them."""
    names = {
        "max_total_trials": "max_trials", "max_concurrent_trials": "max_concurrent_trials", "timeout_s": "timeout_s",
        "trial_timeout_s": "trial_timeout_s", "exit_score": "exit_score",
    }  # fmt: skip
    limits = control.get("limits") or {}
    found = {own: limits[name] for name, own in names.items() if name in limits}
    return {name: value for name, value in found.items() if not (name == "timeout_s" and value is None)}

"""The end of a search for a forecast: the best are mixed, and what won is fitted on all rows."""

from __future__ import annotations

import math
import pickle
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Candidate, FamilyState
from jupyter_mlstudio.entities.automl_reports import Budget
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import ensemble, forecast_metrics, forecast_work, metrics
from jupyter_mlstudio.learning.budget import Clock
from jupyter_mlstudio.learning.evaluate import write_array
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.forecast_work import Tried
from jupyter_mlstudio.learning.kept import Kept, Record
from jupyter_mlstudio.learning.metrics import Metric
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.rest import Rest
from jupyter_mlstudio.learning.rounds import LOOK_S, Asked, Outcome, Told
from jupyter_mlstudio.learning.workers import Workers

MIXED = 12
"""How many of the best candidates an ensemble may be of."""

MEMBERS = 4
"""How many it has at most."""

LEAST_S = 20.0
"""What a fit of the winner may take although the time is over."""

Mix = tuple[Candidate, list[tuple[Config, float]]]


class Searched(Protocol):
    """What the end needs of a search."""

    plan: ForecastPlan
    spec: AutoMLSpec
    limits: AutoMLLimits
    metric: Metric
    onnx: bool
    check: Check
    kept: Kept
    clock: Clock
    workers: Workers
    records: dict[int, Record]
    tell: Told

    @property
    def families(self) -> list[FamilyState]: ...
    def ranked(self) -> list[Record]: ...
    def judged(self) -> NDArray[np.int64]: ...
    def oof(self, number: int) -> NDArray[np.float64] | None: ...
    def keep(self, record: Record) -> None: ...
    def threads(self) -> int: ...
    def memory_bytes(self) -> int | None: ...
    def said(self) -> Asked: ...
    def check_s(self, members: list[Record]) -> float: ...
    def sample_check_s(self, members: list[Record]) -> float: ...
    def sample_of(self, record: Record) -> tuple[Any, ...] | None: ...


class Finish:
    """Fits what a search ends with."""

    def __init__(self, search: Searched) -> None:
        self._search = search

    def run(self) -> Outcome:
        """Mixes, fits and checks.

        Raises:
            Invalid: nothing could be fitted.
        """
        search = self._search
        ranked = search.ranked()
        if not ranked:
            raise Invalid(f"no model could be fitted: {_why(search.records)}")
        began = time.monotonic()
        sure = [one for one in ranked[3:] if one.candidate.onnx is not None][:1]
        ready = [(one.candidate, [(config_of(one.candidate), 1.0)]) for one in [*ranked[:3], *sure]]
        mixed = self._mixed(ranked[:MIXED]) if search.spec.training.enable_vote_ensemble else None
        search.clock.parts["ensemble"] += time.monotonic() - began
        began = time.monotonic()
        found = self._first_fitted([*([mixed] if mixed else []), *ready])
        search.clock.parts["fit"] += time.monotonic() - began
        winner, model = found
        Rest(search, search.said, self._note).run()
        numbers = sorted({one.candidate.number for one in ranked[:MIXED]} | {winner.number})
        oof = {number: one for number in numbers if (one := search.oof(number)) is not None}
        clock = search.clock
        return Outcome(
            candidates=[one.candidate for _, one in sorted(search.records.items())], families=search.families,
            winner=winner, model=model, oof=oof,
            budget=Budget(timeout_s=clock.timeout_s, used_s=clock.used_s, parts=dict(clock.parts)),
        )  # fmt: skip

    def _first_fitted(self, ready: list[Mix]) -> tuple[Candidate, Any]:
        """The first of these that can be fitted on all rows, and whose ONNX form agrees where it has to."""
        search, reasons = self._search, []
        for candidate, members in ready:
            found, why = self._fitted(candidate, members)
            strict = search.spec.training.enable_onnx_compatible_models
            if found is not None and (found.onnx.ready or not strict):
                told = replace(candidate, onnx=found.onnx, size_bytes=found.size_bytes)
                search.keep(Record(told))
                search.plan.spread = found.spread
                return told, pickle.loads(found.path.read_bytes())
            reasons.append(why or (found.onnx.reason if found else ""))
            if candidate.stage == "ensemble":
                search.keep(Record(replace(candidate, failed=reasons[-1])))
        raise Invalid(f"the winner could not be fitted on all rows: {reasons[0]}")

    def _note(self, candidate: Candidate) -> None:
        self._search.keep(replace(self._search.records[candidate.number], candidate=candidate))

    def _fitted(
        self, candidate: Candidate, members: list[tuple[Config, float]]
    ) -> tuple[forecast_work.Kept | None, str]:
        search = self._search
        path = search.kept.models / f"{candidate.number:05d}.pickle"
        search.workers.start(
            candidate.number, forecast_work.kept, search.plan, members, search.check, path, search.spec.seed,
            search.threads(), timeout_s=max(LEAST_S, search.clock.left_s), memory_bytes=search.memory_bytes(),
        )  # fmt: skip
        while True:
            search.said()
            for event in search.workers.events(LOOK_S):
                if event.what == "done":
                    return event.value, ""
                if event.what == "failed":
                    return None, str(event.value)

    def _mixed(self, ranked: list[Record]) -> Mix | None:
        """The best mix of candidates, when it is better than the best of them by more than noise."""
        search = self._search
        given = [(one.candidate, search.kept.oof(one.candidate.number)) for one in ranked]
        known = [(one, forecasts) for one, forecasts in given if forecasts is not None]
        if len(known) < 2:
            return None
        folds = search.plan.folds
        ends = np.cumsum([len(ahead) for _, ahead in folds])[:-1]

        def scores(mix: NDArray[np.float64]) -> list[float]:
            parts = np.split(mix, ends)
            pairs = zip(folds, parts, strict=True)
            return [forecast_metrics.score(search.plan, search.metric, ahead, part) for (_, ahead), part in pairs]

        forecasts = [one for _, one in known]
        loss: Callable[[NDArray[np.float64]], float] = lambda mix: search.metric.loss(_mean(scores(mix)))  # noqa: E731
        weights = ensemble.select(forecasts, loss, most=MEMBERS)
        mix = ensemble.mixed(forecasts, weights)
        found = scores(mix)
        if len(weights) < 2 or not ensemble.is_better(search.metric, found, scores(forecasts[0])):
            return None
        members = [(known[place][0], weight) for place, weight in weights.items()]
        candidate = Candidate(
            number=max(search.records) + 1, run_id=uuid.uuid4().hex, family="VotingEnsemble", stage="ensemble",
            weights={str(one.number): weight for one, weight in members},
        )  # fmt: skip
        search.tell(candidate)
        write_array(search.kept.oof_path(candidate.number), mix)
        result = Tried(
            scores=found, predicted=mix, measured=forecast_metrics.measured(search.plan, search.judged(), mix),
            fit_s=sum(one.fit_s for one, _ in members), predict_ms=sum(one.predict_ms for one, _ in members),
            size_bytes=sum(one.size_bytes for one, _ in members), rows=max(one.rows for one, _ in members),
        )  # fmt: skip
        told = scored(search.plan, search.metric, candidate, result)
        return told, [(config_of(one), weight) for one, weight in members]


def scored(plan: ForecastPlan, metric: Metric, candidate: Candidate, result: Tried) -> Candidate:
    """A candidate with what came of it."""
    score = _mean(result.scores)
    if not math.isfinite(score):
        return replace(candidate, failed=f"{metric.name} is not defined for these forecasts")
    share = len(plan.folds[0][1]) / max(1, len(plan.folds[-1][0]))
    low, high = metrics.interval(result.scores, share, metric) or (None, None)
    return replace(
        candidate, score=score, low=low, high=high, folds=list(result.scores), metrics=result.measured,
        rows=result.rows, fit_s=result.fit_s, predict_ms=result.predict_ms, size_bytes=result.size_bytes,
        onnx=result.onnx,
    )  # fmt: skip


def config_of(candidate: Candidate) -> Config:
    """The configuration that a candidate was."""
    return Config(candidate.family, dict(candidate.params), candidate.stage)


def _mean(scores: list[float]) -> float:
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else math.nan


def _why(records: dict[int, Record]) -> str:
    for record in records.values():
        candidate = record.candidate
        if candidate.failed or (candidate.onnx is not None and not candidate.onnx.ready):
            return f"{candidate.family}: {candidate.failed or (candidate.onnx.reason if candidate.onnx else '')}"
    return "there was no time for one"

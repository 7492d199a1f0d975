"""What is kept of an AutoML run's winner: its model, how good it is, what it rests on, how to make it again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.evaluation import evaluate
from jupyter_mlstudio.client.model_logging import log_model
from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.programs import automl_engine as engine
from jupyter_mlstudio.programs import automl_row, context
from jupyter_mlstudio.programs.automl_board import Board
from jupyter_mlstudio.programs.automl_evidence import Answers, known_rows
from jupyter_mlstudio.programs.automl_explaining import Explaining
from jupyter_mlstudio.programs.automl_files import FOLDER, as_json, write_whole

EXPLAIN_S, LEAST_EXPLAIN_S = 60.0, 1.0
SAMPLE_ROWS = 1000
EVIDENCE_ROWS = 100_000


class Winner:
    """The winner of a search, on its way to be the run's model.

    Args:
        job: the run.
        spec: what was asked for.
        plan: what was learnt from.
        outcome: what the search ended with.
        board: what the run tells.
        threads: that its models were fitted with.
    """

    def __init__(self, job: context.Job, spec: AutoMLSpec, plan: Any, outcome: Any, board: Board, threads: int) -> None:
        self._threads = threads
        self._artifacts = job.run_folder / "artifacts"
        self._job = job
        self._spec = spec
        self._plan = plan
        self._outcome = outcome
        self._board = board
        self._found: Candidate = board.candidate(outcome.winner)

    def keep(self) -> None:
        """Keeps everything; what cannot be told beside the model is said and passed over."""
        board, found = self._board, self._found
        columns, ways = engine.columns_of(self._outcome, self._plan), engine.ways_of(self._outcome, self._plan)
        board.change(winner=found.number, columns=columns, ways=ways)
        board.say("keeping the winner")
        explaining = self._explaining()
        self._keep_model()
        self._say_who()
        self._evaluate()
        self._test()
        board.tell(now=True)
        self._aside(self._draw)
        if explaining is not None:
            board.say("explaining the winner")
            self._explained(explaining)
        forecasts = self._plan.task is Task.FORECASTING
        self._aside(self._keep_for_forecasts if forecasts else self._keep_for_rows)
        self._aside(self._write_notebook)
        model = f"{found.family}, {board.report.primary_metric} {found.score:.5g}"
        print(f"the winner is {found.number}, {model}; it is this run's model", flush=True)
        self._aside(self._write_forecast)

    def _keep_model(self) -> None:
        plan = self._plan
        rows, truth = (plan.X, plan.y) if plan.X_test is None else (plan.X_test, plan.y_test)
        picks = np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE_ROWS)).round().astype(np.int64)
        log_model(self._outcome.model, "model", sample=rows.iloc[picks], y=self._labels(truth[picks]))

    def _say_who(self) -> None:
        found = self._found
        tags = {"mlstudio.automl.winner": found.family, "mlstudio.automl.winner_run": found.run_id}
        if (positive := self._positive()) is not None:
            tags["mlstudio.positive_label"] = str(positive)
        tracking.set_tags(tags)
        content = asdict(found)
        write_whole(
            self._artifacts / "automl" / "winner.json", json.dumps(json.loads(as_json(content)), indent=1).encode()
        )
        own = {self._board.report.primary_metric: found.score, "fit_s": found.fit_s, "predict_ms": found.predict_ms}
        own |= {"size_bytes": float(found.size_bytes)}
        tracking.log_metrics({name: float(value) for name, value in own.items() if value is not None})

    def _evaluate(self) -> None:
        """ROC, precision-recall, confusion or residuals of the winner, from rows that its models had not seen."""
        found = self._outcome.oof.get(self._found.number)
        if found is None:
            return
        plan, predicted = self._plan, np.asarray(found)
        classes = 0 if plan.classes is None else len(plan.classes)
        rows = known_rows(predicted, EVIDENCE_ROWS // max(1, classes - 1))
        if len(rows):
            self._log("", Answers(predicted, plan.classes), rows, plan.y[rows], plan.weights)

    def _test(self) -> None:
        """How good the model is on the rows that nobody looked at."""
        plan = self._plan
        if plan.X_test is None or not len(plan.X_test):
            return
        model = self._outcome.model
        try:
            evaluation = evaluate(
                model, plan.X_test, self._labels(plan.y_test), name="test", positive_label=self._positive()
            )
        except StudioError as error:
            print(f"the test rows cannot be judged: {error.message}", flush=True)
            return
        self._board.change(test=dict(evaluation.metrics))

    def _log(self, name: str, model: Any, rows: Any, y: Any, weights: Any) -> None:
        try:
            evaluate(
                model, rows, self._labels(y), name=name, positive_label=self._positive(),
                sample_weight=None if weights is None else weights[rows],
            )  # fmt: skip
        except StudioError as error:
            print(f"the winner's charts are not kept: {error.message}", flush=True)

    def _labels(self, y: Any) -> Any:
        """The target as people wrote it."""
        classes = self._plan.classes
        return y if classes is None else np.asarray(classes)[np.asarray(y, dtype=np.int64)]

    def _positive(self) -> Any:
        plan = self._plan
        return None if plan.classes is None or plan.positive is None else plan.classes[plan.positive]

    def _draw(self) -> None:
        self._board.change(diagram=engine.diagram_of(self._outcome))

    def _explaining(self) -> Explaining | None:
        if not self._spec.training.enable_model_explainability:
            return None
        left_s = self._spec.limits.timeout_s - self._board.used_s
        seconds = min(EXPLAIN_S, max(LEAST_EXPLAIN_S, left_s))
        return Explaining(self._outcome, self._plan, self._spec, seconds, self._threads)

    def _explained(self, explaining: Explaining) -> None:
        found, seconds = explaining.result()
        self._board.change(explanation=found)
        self._board.spent("explain", self._board.used_s - seconds)

    def _keep_for_rows(self) -> None:
        automl_row.keep(self._plan, self._job.run_folder / FOLDER)

    def _keep_for_forecasts(self) -> None:
        content = engine.forecasting_of(self._plan)
        write_whole(self._artifacts / "automl" / "forecast.json", json.dumps(content).encode())

    def _aside(self, work: Callable[[], None]) -> None:
        """Does what the model is complete without; what goes wrong is said, and no more."""
        try:
            work()
        except Exception as error:
            said = str(error).strip().splitlines()[:1]
            name = work.__name__.strip("_").replace("_", " ")
            print(f"could not {name}: {type(error).__name__}: {''.join(said)}", flush=True)

    def _write_forecast(self) -> None:
        content = engine.forecast_of(self._plan)
        if content is not None:
            write_whole(self._artifacts / "automl" / "forecast.json", as_json(content))

    def _write_notebook(self) -> None:
        runs = self._job.run_folder.parent
        content = engine.notebook_of(self._outcome, self._plan, self._spec, runs, self._threads)
        write_whole(self._artifacts / "automl" / "winner.ipynb", json.dumps(content, indent=1).encode())

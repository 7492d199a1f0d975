"""AutoML runs as user code sees them: follow one, read what it found, take its winner."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.above import Above
from jupyter_mlstudio.client.automl_report import Findings, Leaderboard, entity_of
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import PAGE, Run, get_run
from jupyter_mlstudio.client.submission import seconds
from jupyter_mlstudio.client.values import plain
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.entities.automl_explanations import Explanation, RowExplanation
from jupyter_mlstudio.entities.automl_reports import AutoMLReport
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound

AUTOML = "attributes.kind = 'automl'"


class AutoMLRun(Above):
    """A search for the model that predicts a column of a table best; each model that is tried is a run below it.

    Args:
        run: the search's own run.
    """

    _resource = "automl"

    @property
    def report(self) -> AutoMLReport:
        """What it has found so far: columns, findings, families, models, where the time went."""
        return entity_of(AutoMLReport, self._ask().get(self._path("/report")))

    @property
    def leaderboard(self) -> Leaderboard:
        """The models that were tried, the best first; ``leaderboard.frame()`` is a data frame."""
        return Leaderboard(self.report)

    @property
    def findings(self) -> Findings:
        """What was seen in the table before any fit, what was done about it, and what you can do."""
        return Findings(self.report)

    @property
    def winner(self) -> Candidate:
        """The model that became the run's own; of a live run, the best so far.

        Raises:
            NotFound: no model was fitted yet.
        """
        report = self.report
        found = next((one for one in report.leaderboard if one.number == report.winner), None)
        found = found or next((one for one in report.leaderboard if one.score is not None and not one.failed), None)
        if found is None:
            raise NotFound(f"{self.name} has no model yet: {report.phase}")
        return found

    @property
    def model(self) -> Any:
        """The winner, fitted on all rows: a scikit-learn model that takes rows as a data frame.

        Raises:
            Conflict: the run is not so far yet.
        """
        file = self.run.folder / "artifacts" / "model" / "model.joblib"
        if not file.is_file() and self.report.partitions:
            raise Conflict(f"{self.name} has a model for each part: get_automl(run.report.partitions[0].run_id).model")
        if not file.is_file():
            raise Conflict(f"{self.name} has no model yet; it is kept when the search is over: run.wait()")
        import joblib

        return joblib.load(file)

    @property
    def explanation(self) -> Explanation | None:
        """What the winner rests on; None while that is not known, or when nobody asked for it."""
        return self.report.explanation

    def explain(self, row: Mapping[str, object] | Any) -> RowExplanation:
        """Tells why the winner answers a row as it does.

        Args:
            row: the value of each column by its name: a dict, or one row of a data frame.

        Raises:
            Conflict: there is no model yet. Invalid: the row does not have the model's columns.
        """
        given = row.to_dict() if hasattr(row, "to_dict") else row
        if not isinstance(given, Mapping):
            raise Invalid(f"a row is a dict or a row of a data frame, not {type(row).__name__}")
        content = {str(name): _cell(value) for name, value in given.items()}
        return entity_of(RowExplanation, self._ask().post(self._path("/explain"), {"row": content}, timeout_s=120.0))

    def forecast(self, history: Any, known: Any = None, *, steps: int | None = None, level: float = 0.95) -> Any:
        """Forecasts what comes after a table, with the winner of a forecasting run.

        Args:
            history: a data frame of the table up to now; rows without a target tell what is known of later times.
            known: more such rows.
            steps: how many; the horizon by default.
            level: the share of values that is to lie between ``low`` and ``high``: 0.5, 0.8, 0.9 or 0.95.

        Returns:
            A data frame: the series' columns, the time, the forecast, ``low`` and ``high``. With many models, the key's
            columns first; parts of the table that have no model have no rows.

        Raises:
            Conflict: the run forecasts nothing, or has no model yet.
        """
        if parts := self.report.partitions:
            from jupyter_mlstudio.client.automl_parts import forecast_parts

            return forecast_parts(
                parts, history, known,
                lambda run_id, own, ahead: get_automl(run_id).forecast(own, ahead, steps=steps, level=level),
            )  # fmt: skip
        model = self.model
        file = self.run.folder / "artifacts" / "automl" / "forecast.json"
        if not file.is_file():
            raise Conflict(f"{self.name} is no forecast; its model takes rows: run.model.predict(rows)")
        from jupyter_mlstudio.learning import forecast

        maker, spread = forecast.from_json(json.loads(file.read_bytes()))
        return forecast.forecast(model, maker, history, known=known, steps=steps, spread=spread, level=level)

    def register(self, name: str, **options: Any) -> Any:
        """Registers the winner; see :meth:`Run.register`."""
        return self.run.register(name, **options)

    def pause(self) -> AutoMLRun:
        """Begins no more models for the time being; its time goes on."""
        return self._steer(paused=True)

    def resume(self) -> AutoMLRun:
        """Goes on after a pause."""
        return self._steer(paused=False)

    def stop(self) -> AutoMLRun:
        """Ends the search and keeps the best of what there is; again, it ends at once and keeps nothing more."""
        self.run.stop()
        return self

    def go_on(self, minutes: float | str | None = None) -> AutoMLRun:
        """Goes on with a search that is over, as a new run that knows what this one has found.

        Args:
            minutes: how many more, or text such as ``"90s"``; what was left of its time without.
        """
        wanted = seconds(minutes) / 60 if isinstance(minutes, str) else minutes
        body = {"minutes": None if wanted is None else float(wanted)}
        return AutoMLRun(Run(self._ask().post(self._path("/resume"), body), self.run._connection))

    def notebook(self, number: int | None = None) -> Path:
        """Writes a notebook that makes a model from the table; answers its path.

        Args:
            number: of a model of :attr:`leaderboard`; the winner by default. The notebook of another one fits it on all
                rows.
        """
        return self.run.workspace / str(self._ask().post(self._path("/notebook"), {"number": number})["path"])

    def yaml(self) -> str:
        """The run as a job of Azure Machine Learning's automated ML, version 2."""
        return self.code("yaml")

    def _steer(self, **change: JSON) -> AutoMLRun:
        self._ask().patch(f"sweeps/{self.id}", change)
        return self


def _cell(value: object) -> JSON:
    """A value of a row as JSON; one that is missing is null."""
    found = plain(value)
    return None if found == "NaN" and not isinstance(value, str) else found


def get_automl(run_id: str) -> AutoMLRun:
    """Returns an AutoML run by its id, a unique beginning of it, or its name (the newest of that name)."""
    run = get_run(run_id)
    if run.kind != RunKind.AUTOML:
        raise NotFound(f"the run {run.name} is no AutoML run, it is a {run.kind}")
    return AutoMLRun(run)


def list_automl(max_results: int = 100) -> list[AutoMLRun]:
    """Lists AutoML runs, live ones first and then the newest."""
    connection = connect()
    found: list[AutoMLRun] = []
    for item in connection.pages("runs", {"filter": AUTOML, "max_results": min(max_results, PAGE)}):
        found.append(AutoMLRun(Run(item, connection)))
        if len(found) >= max_results:
            break
    return found

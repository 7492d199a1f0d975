"""What a sweep tells the studio: its trials in batches, its phase, and how sure its best is."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.sweeps import Lead, Objective, SweepPhase, Trial
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError, Unavailable

INTERVAL_S = 0.2
MOST = 500
PATIENCE_S = 120.0


class Teller:
    """Collects what is new and sends it several times a second; the same again does no harm."""

    def __init__(self, gateway: Connection, run_id: str) -> None:
        self._gateway = gateway
        self._path = f"sweeps/{segment(run_id)}"
        self._trials: dict[int, dict[str, JSON]] = {}
        self._phase: SweepPhase | None = None
        self._lead: Lead | None = None
        self._next = 0.0

    def trial(self, trial: Trial, metrics: Mapping[str, float] | None = None) -> None:
        """Tells of a trial as it is now, with the last values that its run should show."""
        content = asdict(trial)
        if metrics:
            now = time.time()
            content["metrics"] = {
                name: {"steps": [0], "times": [now], "values": [value]} for name, value in metrics.items()
            }
        self._trials[trial.number] = _plain(content)

    def phase(self, phase: SweepPhase) -> None:
        """Tells what the sweep does."""
        self._phase = phase

    def lead(self, lead: Lead) -> None:
        """Tells how sure the best is."""
        self._lead = lead

    def send(self, *, now: bool = False) -> None:
        """Sends what there is, when it is time to, or at once."""
        if not now and time.monotonic() < self._next:
            return
        deadline = time.monotonic() + PATIENCE_S
        while self._trials or self._phase is not None or self._lead is not None:
            part = list(self._trials)[:MOST]
            body: dict[str, JSON] = {"trials": [self._trials[number] for number in part]}
            if self._phase is not None:
                body["phase"] = self._phase.value
            if self._lead is not None:
                body["lead"] = _plain(asdict(self._lead))
            try:
                self._gateway.post(f"{self._path}/report", body, again=True)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
                continue
            for number in part:
                del self._trials[number]
            self._phase = self._lead = None
        self._next = time.monotonic() + INTERVAL_S

    def control(self) -> dict[str, JSON] | None:
        """Reads what people ask for; None while nobody answers."""
        try:
            return dict(self._gateway.get(f"{self._path}/control"))
        except StudioError:
            return None


def write_table(path: Path, trials: Iterable[Trial], objectives: Sequence[Objective]) -> None:
    """Writes trials as CSV, one a row, with a column for each parameter and objective."""
    rows = list(trials)
    names = list(dict.fromkeys(name for trial in rows for name in trial.params))
    metrics = [objective.primary_metric for objective in objectives]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "state", *metrics, *names, "started_at", "ended_at", "run_id", "reason"])
        for trial in rows:
            params: list[Any] = [trial.params.get(name, "") for name in names]
            values = ["" if value is None else value for value in trial.values]
            row = [trial.number, trial.state.value, *values, *params, trial.started_at, trial.ended_at]
            writer.writerow([_safe(value) for value in [*row, trial.run_id, trial.reason]])


def _plain(content: dict[str, JSON]) -> dict[str, JSON]:
    """What travels as JSON: numbers that are not finite are words."""
    return dict(json.loads(json.dumps(content), parse_constant=str))


def _safe(value: Any) -> Any:
    """A cell that a spreadsheet would take for a formula is text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value

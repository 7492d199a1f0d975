"""Points as a browser reads them while it is reloaded and put to sleep, and numbers that are none."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.faults.ground import Ground, until
from tests.faults.invariants import check

pytestmark = pytest.mark.slow


def test_F30_tabs_that_reload_sleep_and_resume_from_their_cursors_have_each_point_once(shared_ground: Ground) -> None:
    ground = shared_ground
    run_id = ground.count(last=250)
    awake, asleep = Tab(ground, run_id), Tab(ground, run_id)
    asleep.look()

    until(lambda: awake.look() == "Completed", 40)
    reloaded = Tab(ground, run_id)
    for tab in (asleep, reloaded):
        until(lambda tab=tab: tab.look() == "Completed", 5)  # type: ignore[misc]

    for tab in (awake, asleep, reloaded):
        assert tab.steps == list(range(250))
        assert tab.values[-1] == 249 * 0.5
    check(ground)


def test_F39_NaN_and_infinities_come_back_exactly_and_sort_last(shared_ground: Ground) -> None:
    ground = shared_ground
    logged = [(0, "nan"), (5, "inf"), (5, "-inf"), (6, "0.5")]
    cells = [f"studio.log_metric('odd', float('{value}'), {step})" for step, value in logged]
    odd = ground.submit("cell", {"cell": "\n".join(["import jupyter_mlstudio as studio", *cells])})
    bad = ground.submit("cell", {"cell": "import jupyter_mlstudio as s\ns.log_metric('odd', float('nan'))"})
    for run_id in (odd, bad):
        until(lambda run_id=run_id: ground.shown(run_id)["status"] == "Completed", 30)  # type: ignore[misc]

    series = ground.server.api("GET", f"runs/{odd}/series?name=odd").json[0]
    assert list(zip(series["steps"], series["values"], strict=True)) == [
        (0, "NaN"), (5, "Infinity"), (5, "-Infinity"), (6, 0.5),
    ]  # fmt: skip
    assert series["non_finite"] == 3
    summary = ground.server.api("GET", f"runs/{odd}/metrics").json
    found = next(one for one in summary if one["name"] == "odd")
    assert (found["last"], found["min"], found["max"], found["count"]) == (0.5, 0.5, 0.5, 4)
    for order in ("ASC", "DESC"):
        rows = ground.server.api("GET", f"runs?order_by=metrics.odd%20{order}&filter=metrics.odd%20%3C%201e9").json
        assert [row["id"] for row in rows["items"]] == [odd]
        rows = ground.server.api("GET", f"runs?order_by=metrics.odd%20{order}").json["items"]
        ids = [row["id"] for row in rows]
        assert ids.index(odd) < ids.index(bad)
    assert ground.server.api("GET", f"runs/{bad}").json["metrics"]["odd"] == "NaN"
    assert math.isnan(ground.studio.runs.get(bad).metrics["odd"])
    check(ground)


class Tab:
    """What the front end does: asks what changed since its cursor, then for the points after those that it has."""

    def __init__(self, ground: Ground, run_id: str) -> None:
        self._server, self._run_id = ground.server, run_id
        self._cursor: dict[str, Any] = {"seq": 0, "epoch": ""}
        self._status = ""
        self.steps: list[int] = []
        self.values: list[float] = []
        self._load()

    def look(self) -> str:
        """Takes in what changed; returns the run's status."""
        query = f"changes?since={self._cursor['seq']}&epoch={self._cursor['epoch']}"
        answer = self._server.api("GET", query).json
        self._cursor = answer
        if answer["reset"] or any(change["id"] == self._run_id for change in answer["changes"]):
            self._load()
        return self._status

    def _load(self) -> None:
        if not self._cursor["epoch"]:
            self._cursor = self._server.api("GET", "changes").json
        self._status = self._server.api("GET", f"runs/{self._run_id}").json["status"]
        series = self._server.api("GET", f"runs/{self._run_id}/series?name=count&after={len(self.steps)}").json[0]
        self.steps += series["steps"]
        self.values += series["values"]

"""What clients left beside a run while nobody answered is taken whole and once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.entities.tracking import LogBatch, Points
from jupyter_mlstudio.studio import Studio
from tests.world import end, insert_run


def line(sequence: int, client: str = "mine", **more: Any) -> dict[str, Any]:
    point = {"steps": [sequence], "times": [1e9 + sequence], "values": ["NaN" if sequence % 7 == 0 else sequence / 2]}
    return {"client": client, "sequence": sequence, "metrics": {"loss": point}, **more}


def spool(studio: Studio, run_id: str, *lines: dict[str, Any] | bytes) -> Path:
    path = studio.workspace.run_folder(run_id) / "spool" / "mine.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines))
    return path


def kept(studio: Studio, run_id: str) -> Any:
    run = studio.runs.get(run_id)
    loss = studio.tracking.series(run_id, ["loss"])[0]
    last = studio.tracking.summaries(run_id)[0]
    told = (last.min, last.max, last.count, last.last, last.sparkline, run.params, run.tags, run.progress)
    return loss.steps, loss.times, [str(value) for value in loss.values], told


def test_a_spool_is_the_same_as_its_batches_one_by_one(studio: Studio) -> None:
    lines = [
        line(number, params={"p": str(number), f"p{number % 3}": "x"}, tags={"t": str(number // 190)})
        for number in range(1, 451)
    ]
    lines[300]["progress"] = {"done": 3, "total": 9, "text": "half"}
    one_by_one, at_once = insert_run(studio, name="one"), insert_run(studio, name="two")
    for one in lines:
        batch = LogBatch(**{**one, "metrics": {"loss": Points(**one["metrics"]["loss"])}, "progress": None})
        assert studio.tracking.log(one_by_one, batch)

    path = spool(studio, at_once, *lines)

    assert studio.tracking.take_spool(at_once) == 450
    assert not path.exists()
    first, second = kept(studio, one_by_one), kept(studio, at_once)
    assert first[:3] == second[:3]
    assert first[3][:-1] == second[3][:-1]
    assert second[3][-1].text == "half"
    assert second[3][5]["p"] == "450"


def test_what_came_before_half_lines_and_what_is_wrong_are_left_out(studio: Studio) -> None:
    run_id = insert_run(studio)
    studio.tracking.log(run_id, LogBatch(client="mine", sequence=3, params={"p": "came"}))
    half, wrong = json.dumps(line(9)).encode()[:-20], line(6, params={"": "no name"})

    spool(studio, run_id, line(2, params={"p": "old"}), line(4), b"", wrong, line(5), line(5), line(1, "other"), half)

    assert studio.tracking.take_spool(run_id) == 3
    assert studio.tracking.series(run_id, ["loss"])[0].steps == [4, 5, 1]
    assert studio.runs.get(run_id).params == {"p": "came"}


def test_a_run_that_is_over_takes_nothing_and_its_spool_goes(studio: Studio) -> None:
    run_id = insert_run(studio)
    end(studio, run_id)
    path = spool(studio, run_id, line(1))
    assert studio.tracking.take_spool(run_id) == 0
    assert not path.exists()
    assert studio.tracking.summaries(run_id) == []


def test_a_long_spool_is_written_in_few_transactions(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from jupyter_mlstudio.store import metrics

    written = 0

    def counted(*given: Any) -> Any:
        nonlocal written
        written += 1
        return append(*given)

    append = metrics.append
    monkeypatch.setattr(metrics, "append", counted)
    run_id = insert_run(studio)
    spool(studio, run_id, *(line(number) for number in range(1, 2001)))
    assert studio.tracking.take_spool(run_id) == 2000
    assert written <= 10

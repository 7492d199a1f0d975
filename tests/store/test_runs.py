"""Runs as they are kept: statuses that move only as written down, searching, best runs, and what is deleted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.runs import ACTIVE, MLFLOW_STATUS, MOVES, TERMINAL, WAITING, RunStatus, may_move
from jupyter_mlstudio.entities.tracking import LogBatch
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store import schema
from jupyter_mlstudio.studio import Studio
from tests.world import end, insert_run, log

NAN, INF = float("nan"), float("inf")


def test_the_statuses_are_a_closed_set_and_what_is_over_stays_over() -> None:
    assert set(MOVES) == set(RunStatus) == set(MLFLOW_STATUS)
    assert set(RunStatus) == TERMINAL | WAITING | ACTIVE
    assert not TERMINAL & WAITING
    for status in RunStatus:
        assert (MOVES[status] == frozenset()) == (status in TERMINAL)
        assert status not in MOVES[status]
    ends = set(itertools.chain.from_iterable(MOVES[status] & TERMINAL for status in ACTIVE))
    assert ends == TERMINAL


def test_a_run_moves_only_as_it_may(studio: Studio) -> None:
    run_id = insert_run(studio)
    for old, new in itertools.product(RunStatus, RunStatus):
        with studio.database.write() as connection:
            connection.execute(update(schema.runs).values(status=old.value))
            moved = store.move(connection, studio.changes, run_id, new)
            now = connection.execute(select(schema.runs.c.status)).scalar()
        assert moved == may_move(old, new), (old, new)
        assert now == (new if moved else old)


def test_the_first_end_of_a_run_stands(studio: Studio) -> None:
    run_id = insert_run(studio)
    end(studio, run_id, RunStatus.FAILED)
    with studio.database.write() as connection:
        assert not store.end(connection, studio.changes, run_id, RunStatus.COMPLETED)
    assert studio.runs.get(run_id).status is RunStatus.FAILED


def test_a_change_is_told_once_it_is_there_and_under_the_next_number(studio: Studio) -> None:
    start = studio.changes.since(0, "")
    run_id = insert_run(studio, experiment="new")
    log(studio, run_id, {"loss": [1.0]})
    told = studio.changes.since(start.seq, start.epoch)
    assert {(change.kind, change.id) for change in told.changes} >= {("run", run_id), ("metrics", run_id)}
    assert [change.seq for change in told.changes] == sorted(change.seq for change in told.changes)
    assert studio.changes.since(told.seq, told.epoch).changes == []
    assert studio.changes.since(told.seq, "another").reset
    assert studio.changes.since(told.seq + 1, told.epoch).reset
    end(studio, run_id)
    studio.runs.delete(run_id)
    gone = studio.changes.since(told.seq, told.epoch).changes
    assert [change.deleted for change in gone if change.id == run_id and change.kind == "run"] == [True]


def test_a_batch_that_comes_twice_is_taken_once(studio: Studio) -> None:
    run_id = insert_run(studio)
    batches = [LogBatch(client="c", sequence=n, params={f"p{n}": str(n)}) for n in (1, 2, 2, 1, 3)]
    assert [studio.tracking.log(run_id, batch) for batch in batches] == [True, True, False, False, True]
    assert studio.tracking.log(run_id, LogBatch(client="another", sequence=1))
    assert studio.runs.get(run_id).params == {"p1": "1", "p2": "2", "p3": "3"}


def test_F39_numbers_that_are_none_come_last_whichever_way_runs_are_ordered(studio: Studio) -> None:
    values = {"nan": NAN, "plus": INF, "minus": -INF, "low": -1.0, "high": 2.5, "tiny": 1e-320, "without": None}
    for name, value in values.items():
        log(studio, insert_run(studio, name=name), {"auc": [value]} if value is not None else {})
    up, down = _names(studio, ["metrics.auc ASC"]), _names(studio, ["metrics.auc DESC"])
    assert up[:3] == ["low", "tiny", "high"]
    assert down[:3] == ["high", "tiny", "low"]
    assert set(up[3:]) == set(down[3:]) == {"nan", "plus", "minus", "without"}
    shown = {run.name: run.metrics.get("auc") for run in studio.runs.search().items}
    assert shown["plus"] == INF
    assert shown["minus"] == -INF
    assert str(shown["nan"]) == "nan"
    assert shown["tiny"] == 1e-320


FOUND = {
    "metrics.auc > 0.5": ["b", "c"],
    "metrics.auc >= 0.5 and metrics.auc < 0.9": ["a", "b"],
    "metrics.auc != 0.5": ["b", "c"],
    "metrics.auc = 5e-1": ["a"],
    "params.lr = '0.1'": ["a", "c"],
    "params.lr != '0.1'": ["b"],
    "params.lr IN ('0.1', '9')": ["a", "c"],
    "params.lr NOT IN ('0.1', '9')": ["b"],
    "tags.`my note` LIKE '100%'": ["a", "b"],
    "tags.\"my note\" LIKE '100\\%\\_x'": ["a"],
    "tags.\"my note\" LIKE '100Z%'": [],
    "tags.\"my note\" ILIKE '100z%'": ["b"],
    "tags.owner IS NULL": ["a", "b"],
    "tags.owner IS NULL AND tags.`no.such tag` IS NULL and params.lr IS NOT NULL": ["a", "b"],
    "tags.owner IS NOT NULL": ["c"],
    "tags.owner = 'team\\'s'": ["c"],
    "name = 'a' AND params.lr = '0.1'": ["a"],
    "attributes.status = 'Completed'": ["b"],
    "status = 'FINISHED'": ["b"],
    "status != 'FINISHED'": ["a", "c"],
    "attributes.status = 'RUNNING'": ["a", "c"],
    "status = 'Running'": ["a"],
    "status IN ('FINISHED', 'RUNNING')": ["a", "b", "c"],
    "kind = 'interactive'": ["a", "b", "c"],
    "start_time > 1": [],
    "created > 1": ["a", "b", "c"],
}


def test_a_filter_finds_what_it_says(studio: Studio) -> None:
    a, b, c = (insert_run(studio, name=name) for name in "abc")
    log(studio, a, {"auc": [0.5]}, params={"lr": "0.1"}, tags={"my note": "100%_x"})
    log(studio, b, {"auc": [0.8]}, params={"lr": "0.2"}, tags={"my note": "100zzx"})
    log(studio, c, {"auc": [0.9]}, params={"lr": "0.1"}, tags={"owner": "team's"})
    end(studio, b)
    with studio.database.write() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == c).values(status="Preparing"))
    wrong = {text: found for text, names in FOUND.items() if (found := _found(studio, text)) != names}
    assert not wrong


def test_pages_hold_every_run_once_live_ones_first(studio: Studio) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    ids = [insert_run(studio, name=f"r{n}", created_at=start + timedelta(seconds=n)) for n in range(7)]
    for run_id in ids[:5]:
        end(studio, run_id)
    seen: list[str] = []
    token = None
    while True:
        page = studio.runs.search(max_results=3, page_token=token)
        seen += [run.name for run in page.items]
        assert page.total == 7
        token = page.next_page_token
        if token is None:
            break
    assert seen == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    with studio.database.write() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == ids[5]).values(status="Queued"))
    assert [run.name for run in studio.runs.search(max_results=3).items] == ["r6", "r5", "r4"]


@pytest.mark.parametrize(("goal", "best"), [(Goal.MAXIMIZE, "high"), (Goal.MINIMIZE, "low")])
def test_the_best_run_is_a_completed_one_with_a_finite_value_the_earlier_of_two(
    studio: Studio, goal: Goal, best: str
) -> None:
    experiment = studio.experiments.create("e", primary_metric="auc", goal=goal)
    assert experiment.best_run is None
    done = {"low": -1.0, "high": 1.0, "later low": -1.0, "later high": 1.0, "nan": NAN, "inf": INF, "-inf": -INF}
    ended = [(name, value, RunStatus.COMPLETED) for name, value in done.items()]
    for name, value, status in [*ended, ("failed", 9.0, RunStatus.FAILED), ("canceled", -9.0, RunStatus.CANCELED)]:
        run_id = insert_run(studio, name=name, experiment="e")
        log(studio, run_id, {"auc": [0.0, value]})
        end(studio, run_id, status)
    log(studio, insert_run(studio, name="live", experiment="e"), {"auc": [99.0 if goal is Goal.MAXIMIZE else -99.0]})
    found = studio.experiments.get("e")
    assert found.best_run is not None
    assert found.best_run.name == best
    assert (found.run_count, found.live_count) == (10, 1)
    assert studio.experiments.columns("e").metrics == ["auc"]


def test_what_is_deleted_takes_everything_of_it_along(studio: Studio) -> None:
    kept, gone = insert_run(studio), insert_run(studio)
    for run_id in (kept, gone):
        log(studio, run_id, {"loss": [1.0]}, params={"a": "1"}, tags={"b": "2"})
        end(studio, run_id)
    studio.runs.delete(gone)
    with studio.database.read() as connection:
        for table in (
            schema.runs,
            schema.params,
            schema.tags,
            schema.run_metrics,
            schema.metric_chunks,
            schema.batches,
        ):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 1, table.name
    assert not studio.workspace.run_folder(gone).exists()
    assert studio.database.integrity() == []


def test_a_run_is_found_by_its_id_a_beginning_of_it_or_its_newest_name(studio: Studio) -> None:
    first, second = insert_run(studio, name="same"), insert_run(studio, name="same")
    assert studio.runs.get(first).id == first
    assert studio.runs.get(first[:12]).id == first
    assert studio.runs.get("same").id == second


def _found(studio: Studio, text: str) -> list[str]:
    return sorted(run.name for run in studio.runs.search(filter=text).items)


def _names(studio: Studio, order: Sequence[str]) -> list[str]:
    return [run.name for run in studio.runs.search(order_by=list(order)).items]

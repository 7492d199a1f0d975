"""The rows that runs keep as JSON say the same as their columns, whatever was changed and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import to_json

from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.store.schema import experiments, runs
from jupyter_mlstudio.studio import Studio
from tests.world import end, insert_run, log

CHANGES: dict[str, Callable[[Studio, str], Any]] = {
    "nothing": lambda studio, run_id: None,
    "metrics": lambda studio, run_id: log(studio, run_id, {"auc": [0.1, 0.9], "loss": [float("nan")]}),
    "parameters": lambda studio, run_id: log(studio, run_id, params={"lr": '0.1 "quoted"'}),
    "tags": lambda studio, run_id: log(studio, run_id, tags={"team": "ü\n<b>"}),
    "a name": lambda studio, run_id: studio.runs.update(run_id, name='a "new" name \\ with ü'),
    "a tag gone": lambda studio, run_id: studio.runs.update(run_id, tags={"team": None}),
    "a description": lambda studio, run_id: studio.runs.update(run_id, description="words"),
    "the experiment's name": lambda studio, run_id: studio.experiments.update("mine", name='"ours"'),
    "the end": lambda studio, run_id: end(studio, run_id, RunStatus.FAILED),
}


LOGGED = ("metrics", "parameters", "tags")
"""What can be logged only to a run that is under way."""


def page(studio: Studio, **query: Any) -> tuple[Any, Any]:
    """The page as it is kept, and as it is built of the columns."""
    return json.loads(studio.runs.search_json(**query)), json.loads(
        to_json(studio.runs.search(**query), inf_nan_mode="strings")
    )


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("over", [True, False])
def test_a_kept_row_says_what_the_columns_say_after_any_change(studio: Studio, change: str, over: bool) -> None:
    run_id = insert_run(studio, experiment="mine")
    log(studio, run_id, {"auc": [0.5]}, params={"depth": "3"}, tags={"team": "a"})
    if over and change not in ("the end", *LOGGED):
        end(studio, run_id)

    CHANGES[change](studio, run_id)
    if over and change in LOGGED:
        end(studio, run_id)

    name = '"ours"' if change == "the experiment's name" else "mine"
    for query in ({}, {"experiment_id": [name]}, {"order_by": ["metrics.auc DESC"]}, {"filter": "params.depth = '3'"}):
        kept, built = page(studio, **query)
        assert kept == built, query
        assert [item["id"] for item in kept["items"]] == [run_id]


def test_only_runs_that_are_over_keep_a_row(studio: Studio) -> None:
    live, over = insert_run(studio, name="live"), insert_run(studio, name="over")
    log(studio, live, {"auc": [0.5]})
    end(studio, over)

    with studio.database.read() as connection:
        kept = {row.id: row.row_json is not None for row in connection.execute(runs.select())}

    assert kept == {live: False, over: True}


def test_pages_go_on_where_the_last_one_ended_and_an_experiment_counts_its_runs(studio: Studio) -> None:
    ids = [insert_run(studio, experiment="mine", name=f"run {number}") for number in range(7)]
    for run_id in ids:
        end(studio, run_id)
    studio.runs.delete(ids[3])

    seen: list[str] = []
    query: dict[str, Any] = {"experiment_id": ["mine"], "max_results": 4}
    while True:
        kept, built = page(studio, **query)
        assert kept == built
        assert kept["total"] == 6
        seen += [item["id"] for item in kept["items"]]
        if kept["next_page_token"] is None:
            break
        query["page_token"] = kept["next_page_token"]

    assert seen == [run_id for run_id in reversed(ids) if run_id != ids[3]]
    with studio.database.read() as connection:
        counts = [row.run_count for row in connection.execute(experiments.select())]
    assert sum(counts) == 6


def test_live_runs_come_first_in_the_kept_page_too(studio: Studio) -> None:
    first = insert_run(studio, experiment="mine")
    second = insert_run(studio, experiment="mine")
    end(studio, second)

    kept, built = page(studio, experiment_id=["mine"])

    assert kept == built
    assert [item["id"] for item in kept["items"]] == [first, second]

"""What an AutoML run reads and keeps, and what it tells, without the processes around it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.programs.automl_board import limits_of, metrics_of, ordered
from jupyter_mlstudio.programs.automl_evidence import charts_of, known_rows
from jupyter_mlstudio.programs.automl_files import Runs, as_json, began, check_same, table_path, take_over

RUN = "a" * 32


def candidate(number: int, score: float | None = None, **more: object) -> Candidate:
    """A candidate of some family."""
    return Candidate(number=number, run_id="", family="Linear", stage="search", score=score, **more)  # type: ignore[arg-type]


def test_tables_are_found_below_the_root_and_among_artifacts_and_nowhere_else(tmp_path: Path) -> None:
    root, runs = tmp_path / "root", tmp_path / "runs"
    (runs / RUN / "artifacts" / "tables").mkdir(parents=True)
    root.mkdir()
    for path in (root / "a.csv", runs / RUN / "artifacts" / "tables" / "data.parquet", runs / RUN / "secret"):
        path.write_text("x")
    (root / "link.csv").symlink_to(runs / RUN / "secret")

    assert table_path(root, runs, "a.csv") == root / "a.csv"
    assert table_path(root, runs, f"runs:/{RUN}/tables/data.parquet").name == "data.parquet"
    with pytest.raises(NotFound, match="is gone"):
        table_path(root, runs, "b.csv")
    for path in ("../runs", "link.csv", f"runs:/{RUN}/../secret", "/etc/passwd", "runs:/../x"):
        with pytest.raises(Invalid):
            table_path(root, runs, path)


def test_a_run_that_goes_on_takes_over_what_was_found_and_counts_its_own_time(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    folder = old / "automl"
    (folder / "oof").mkdir(parents=True)
    new.mkdir()
    (folder / "oof" / "0.npy").write_bytes(b"predictions")
    (folder / "log.jsonl").write_text("one\n")
    (folder / "state.json").write_text('{"used_s": 100.0, "rungs": 3}')
    first = began(folder)

    taken = take_over(new, "old")

    assert (taken / "oof" / "0.npy").stat().st_ino == (folder / "oof" / "0.npy").stat().st_ino
    with (taken / "log.jsonl").open("a") as file:
        file.write("two\n")
    assert (folder / "log.jsonl").read_text() == "one\n"
    assert json.loads((taken / "state.json").read_text()) == {"used_s": 0.0, "rungs": 3}
    assert json.loads((folder / "state.json").read_text())["used_s"] == 100.0
    assert began(taken) > first
    assert began(taken) == began(taken)  # also in a program that was begun again
    assert take_over(new, "old") == taken
    (tmp_path / "third").mkdir()
    with pytest.raises(Conflict, match="nothing to go on from"):
        take_over(tmp_path / "third", "gone")


def test_what_the_end_of_the_time_cut_off_is_tried_again_and_what_failed_is_not(tmp_path: Path) -> None:
    folder, new = tmp_path / "old" / "automl", tmp_path / "new"
    (folder / "candidates").mkdir(parents=True)
    new.mkdir()
    told = [candidate(0, 0.9), candidate(1, failed="the search ended"), candidate(2, failed="it is singular")]
    for one in told:
        content = {"candidate": asdict(one), "loss": 0.0}
        (folder / "candidates" / f"{one.number:05d}.json").write_bytes(as_json(content))
    runs = [Runs(folder / "runs.json").of(number) for number in range(3)]

    taken = take_over(new, "old")

    assert [path.stem for path in sorted((taken / "candidates").iterdir())] == ["00000", "00002"]
    now = [Runs(taken / "runs.json").of(number) for number in range(3)]
    assert [a == b for a, b in zip(runs, now, strict=True)] == [True, False, True]
    assert len(list((folder / "candidates").iterdir())) == 3


def test_a_search_does_not_go_on_with_another_table(tmp_path: Path) -> None:
    table = tmp_path / "churn.csv"
    table.write_text("a,churn\n1,yes\n")
    check_same(tmp_path, {"data": table})
    check_same(tmp_path, {"data": table})

    table.write_text("a,churn\n2,yes\n")

    with pytest.raises(Conflict, match=r"'churn\.csv' was changed"):
        check_same(tmp_path, {"data": table})


def test_a_candidate_keeps_its_run_and_an_interrupted_one_gets_another(tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    first, second = Runs(file).of(0), Runs(file).of(1)

    again = Runs(file)
    again.forget(1)

    assert (again.of(0), Runs(file).of(0)) == (first, first)
    assert again.of(1) != second
    file.write_text("{")
    assert len(Runs(file).of(0)) == 32


def test_a_leaderboard_has_the_best_first_and_failures_last() -> None:
    found = [candidate(0, 0.5), candidate(1, failed="no"), candidate(2), candidate(3, math.nan), candidate(4, 0.5),
             candidate(5, 0.9)]  # fmt: skip

    assert [one.number for one in ordered(found, Goal.MAXIMIZE)] == [5, 0, 4, 2, 3, 1]
    assert [one.number for one in ordered(found, Goal.MINIMIZE)] == [0, 4, 5, 2, 3, 1]


def test_the_score_stands_under_the_primary_metric_and_numbers_that_are_none_are_words() -> None:
    told = candidate(0, 0.9, metrics={"accuracy": 0.8, "auc": 0.7}, onnx=OnnxCheck(ready=True, speedup=5.0))

    found = metrics_of(told, "auc")

    assert (found["auc"], found["accuracy"], found["onnx_speedup"]) == (0.9, 0.8, 5.0)
    assert json.loads(as_json({"score": math.nan, "low": -math.inf})) == {"score": "NaN", "low": "-Infinity"}


def test_limits_that_people_change_are_read_by_their_own_names() -> None:
    limits = {"max_total_trials": 7, "timeout_s": None, "max_retries": 1, "exit_score": 0.9}

    assert limits_of({"limits": limits}) == {"max_trials": 7, "exit_score": 0.9}
    assert limits_of({}) == {}


def test_charts_are_made_of_the_rows_that_have_a_prediction() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 60)
    chance = np.clip(0.3 + 0.4 * y + random.normal(0, 0.2, 60), 0, 1)
    predicted = np.column_stack([1 - chance, chance])
    predicted[::3] = np.nan

    charts = charts_of(predicted, y, np.array(["no", "yes"], dtype=object), 1, None)

    assert set(charts) == {"roc_curve", "precision_recall_curve", "confusion_matrix", "accuracy_table"}
    assert sum(map(sum, charts["confusion_matrix"]["data"]["matrix"])) == 40
    values = charts_of(predicted[:, 1], y.astype(float), None, None, np.ones(60))
    assert {"residuals", "predicted_vs_true"} <= set(values)
    assert charts_of(np.full(60, np.nan), y, None, None, None) == {}
    assert len(known_rows(np.zeros(1000), 100)) == 100

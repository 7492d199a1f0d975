"""A table before anything is done with it, as the wizard shows it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_tables import Role, Severity, TablePreview
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.programs import automl_preview
from jupyter_mlstudio.programs.automl_preview import preview
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path))
    yield made
    made.close()


def seen(path: Path, target: str | None = None) -> TablePreview:
    """What the program says of a file."""
    return preview({"path": str(path), "data": path.name, "target": target})


def table(folder: Path, text: str) -> Path:
    """A CSV file."""
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_and_rows_are_shown_and_a_likely_target_is_chosen(tmp_path: Path) -> None:
    rows = "\n".join(f"{n * 7 % 11},{'ab'[n % 2]},{'yes' if n % 3 else 'no'},x" for n in range(60))
    found = seen(table(tmp_path, f"größe,kind,churn,same\n{rows}\n"))

    assert (found.rows, found.target, found.head[1]) == (60, "churn", ["7", "b", "yes", "x"])
    assert [(one.name, one.role) for one in found.columns[:2]] == [
        ("größe", Role.NUMERIC), ("kind", Role.CATEGORICAL),
    ]  # fmt: skip


def test_with_a_target_it_says_what_is_wrong_with_the_table(tmp_path: Path) -> None:
    rows = "\n".join(f"{n % 7},{n % 2},1" for n in range(60))
    path = table(tmp_path, f"a,b,one\n{rows}\n")

    errors = [one for one in seen(path, "one").findings if one.severity is Severity.ERROR]
    assert errors
    assert errors[0].columns == ["one"]
    assert seen(path, "nothing").findings[0].severity is Severity.ERROR
    fine = seen(path, "b")
    assert not [one for one in fine.findings if one.severity is Severity.ERROR]
    assert next(one for one in fine.columns if one.name == "b").role is Role.TARGET


def test_without_a_target_findings_are_about_the_likely_one(tmp_path: Path) -> None:
    rows = "".join(f"A-{n},same,,{n % 7},{'yes' if n % 3 else 'no'}\n" for n in range(60))
    found = seen(table(tmp_path, f"code,country,nothing,x,churn\n{rows}"))

    assert found.target == "churn"
    told = {one.code: one for one in found.findings}
    assert {"id_columns", "constant_columns", "empty_columns"} <= told.keys()
    assert told["id_columns"].columns == ["code"]
    assert all(one.done and one.remedy for code, one in told.items() if code.endswith("columns"))
    assert [one.role for one in found.columns] == [Role.DROPPED] * 3 + [Role.NUMERIC, Role.TARGET]


def test_what_is_asked_for_decides_what_is_found(tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n % 5},{'yes' if n % 3 else 'no'}\n" for n in range(60))
    path = table(tmp_path, f"w,x,churn\n{rows}")

    def codes(**automl: object) -> list[str]:
        asked = {
            "path": str(path),
            "data": path.name,
            "target": "churn",
            "automl": {"data": "", "target": "", **automl},
        }
        return [one.code for one in preview(asked).findings if one.severity is not Severity.INFO]

    assert codes() == []
    assert codes(task="regression") == ["target_not_numbers"]
    assert codes(positive_label="maybe") == ["positive_label"]
    assert codes(positive_label="YES") == []
    assert codes(weight_column="nothing") == ["weight_missing"]
    ignored = {"mode": "custom", "column_name_and_types": {"x": "Ignore", "w": "Ignore"}}
    assert codes(featurization=ignored) == ["no_columns"]
    assert codes(task="forecasting") == []  # the column with the time is not chosen yet


def test_the_task_is_what_a_run_would_learn_and_unknown_where_the_table_stops_it(tmp_path: Path) -> None:
    rows = "".join(f"{n % 7},{n * 0.37},{'yes' if n % 3 else 'no'},1\n" for n in range(60))
    path = table(tmp_path, f"x,price,churn,one\n{rows}")

    assert seen(path).task is Task.CLASSIFICATION
    assert seen(path, "price").task is Task.REGRESSION
    assert seen(path, "one").task is None
    asked = {"data": "", "target": "x", "task": "regression"}
    assert preview({"path": str(path), "data": path.name, "target": "x", "automl": asked}).task is Task.REGRESSION


def test_errors_of_the_first_rows_of_a_large_table_are_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n % 7},{'no' if n < 6000 else 'yes'}\n" for n in range(7000))
    path = table(tmp_path, f"x,churn\n{rows}")

    assert "one_class" not in {one.code for one in seen(path, "churn").findings}
    monkeypatch.setattr(automl_preview, "WHOLE_BYTES", 0)
    found = {one.code: one for one in seen(path, "churn").findings}
    assert found["one_class"].severity is Severity.WARNING
    assert found["one_class"].what.startswith("in the first 5,000 rows")
    assert seen(path, "nothing").findings[-1].severity is Severity.ERROR


def test_a_long_table_is_looked_at_in_part_and_its_rows_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automl_preview, "WHOLE_BYTES", 0)
    frame = pd.DataFrame({"a": range(7000), "b": [0.5] * 7000})
    frame.to_parquet(tmp_path / "long.parquet")
    frame.to_csv(tmp_path / "long.csv", index=False)

    for name in ("long.parquet", "long.csv"):
        found = seen(tmp_path / name)
        assert found.rows == 7000
        assert "the first 5,000" in found.findings[0].what


def test_names_that_come_twice_are_told_apart_and_missing_values_are_empty(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, None, "x"], [2, 0.5, None]], columns=["a", "b", "c"])
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)

    assert seen(path).head[0] == ["1", "", "x"]
    assert len({one.name for one in seen(table(tmp_path, "a,a,b\n1,2,3\n4,5,6\n")).columns}) == 3


@pytest.mark.slow
def test_the_studio_asks_a_process_that_is_not_its_own(studio: Studio, tmp_path: Path) -> None:
    table(tmp_path, "age,churn\n" + "".join(f"{n},{'yes' if n % 2 else 'no'}\n" for n in range(50)))

    found = studio.automl_answers.preview("table.csv", "churn")

    assert (found.rows, found.target, found.data) == (50, "churn", "table.csv")
    with pytest.raises(NotFound):
        studio.automl_answers.preview("nothing.csv")
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(Invalid):
        studio.automl_answers.preview("x.pkl")


@pytest.mark.slow
def test_a_table_that_needs_more_memory_than_it_may_have_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["x" * 60_000_000] * 3}).to_parquet(tmp_path / "big.parquet")
    question = {"path": str(tmp_path / "big.parquet"), "data": "big.parquet", "memory_bytes": 300 * 1024**2}
    command = [sys.executable, "-P", "-m", "jupyter_mlstudio.programs.automl_preview"]

    done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "memory" in json.loads(done.stdout.strip().splitlines()[-1])["message"].lower()

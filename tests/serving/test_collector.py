"""What is kept of requests and answers."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_mlstudio.serving import collector as module
from jupyter_mlstudio.serving.collector import Collection, Collector
from tests.serving.collected import answers, inference
from tests.serving.conftest import Scoring, end, launch
from tests.serving.models import PASSENGERS, passengers
from tests.waiting import until

pytestmark = pytest.mark.slow

ROW = {"age": 22.5, "sex": "male", "siblings": 1}


@pytest.fixture
def collect(tmp_path: Path) -> Callable[..., Collector]:
    def make(draw: Callable[[], float] = lambda: 0.0, **collection: Any) -> Collector:
        settings = Collection(enabled=True, **collection)
        return Collector(settings, tmp_path / "collected", "blue", "3", PASSENGERS, draw, flush_s=0.05)

    return make


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """The rows of the files that are complete; one that is being written has a name with a dot."""
    return [row for path in sorted(folder.rglob("[!.]*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_a_row_has_its_id_time_deployment_inputs_and_outputs(collect: Callable[..., Collector], tmp_path: Path) -> None:
    collector = collect()
    collector.take("a", inference(2), answers(2))
    collector.close()
    first, second = rows_in(tmp_path)
    assert first.pop("time") - datetime.now(UTC) < timedelta(seconds=5)
    assert first == {
        "id": "a", "row": 0, "deployment": "blue", "version": "3", "input.age": 22.5, "input.sex": "male",
        "input.siblings": 1, "output.label": "yes", "output.probabilities": [0.25, None],
    }  # fmt: skip
    assert (second["id"], second["row"]) == ("a", 1)
    assert collector.counts() == {"rows": 2, "dropped": 0}
    assert stat.S_IMODE(next(tmp_path.rglob("*.parquet")).parent.stat().st_mode) == 0o700


def test_masked_columns_are_left_empty(collect: Callable[..., Collector], tmp_path: Path) -> None:
    collector = collect(masked_columns=["sex", "probabilities"])
    collector.take("a", inference(), answers())
    collector.close()
    (row,) = rows_in(tmp_path)
    assert (row["input.sex"], row["output.probabilities"], row["input.age"]) == (None, None, 22.5)


def test_an_output_that_was_not_asked_for_is_empty(collect: Callable[..., Collector], tmp_path: Path) -> None:
    collector = collect()
    asked = inference()
    asked.outputs = PASSENGERS.outputs[:1]
    collector.take("a", asked, answers()[:1])
    collector.close()
    (row,) = rows_in(tmp_path)
    assert (row["output.label"], row["output.probabilities"]) == ("yes", None)


def test_requests_are_sampled_at_the_rate(collect: Callable[..., Collector]) -> None:
    numbers = iter(n / 1000 for n in range(1000))
    collector = collect(draw=lambda: next(numbers), sampling_rate=0.25)
    assert sum(collector.samples() for _ in range(1000)) == 250
    collector.close()


def test_what_finds_no_room_is_dropped_and_counted(collect: Callable[..., Collector]) -> None:
    collector = collect()
    collector.take("a", inference(module.ROWS_WAITING), answers(module.ROWS_WAITING))
    collector.take("b", inference(), answers())
    collector.close()
    assert collector.counts() == {"rows": module.ROWS_WAITING, "dropped": 1}


def test_days_that_are_too_old_are_removed(collect: Callable[..., Collector], tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    kept, old = (tmp_path / "collected" / "blue" / (today - timedelta(days=n)).isoformat() for n in (7, 8))
    kept.mkdir(parents=True)
    old.mkdir()
    (old / "x.parquet").touch()
    other = tmp_path / "collected" / "blue" / "notes"
    other.mkdir()
    collector = collect(retention_days=7)
    collector.take("a", inference(), answers())
    collector.close()
    assert [folder.exists() for folder in (kept, old, other)] == [True, False, True]


def test_a_disk_that_cannot_be_written_costs_no_request(
    collect: Callable[..., Collector], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "collected").write_text("not a folder")
    collector = collect()
    collector.take("a", inference(), answers())
    collector.close()
    assert collector.counts() == {"rows": 0, "dropped": 1}
    assert "collected rows could not be written" in capsys.readouterr().err


def test_without_pyarrow_rows_are_json_lines(tmp_path: Path) -> None:
    """In an interpreter of its own, in which pyarrow is not to be found."""
    code = textwrap.dedent("""
        import sys
        sys.modules["pyarrow"] = None
        from pathlib import Path
        from jupyter_mlstudio.serving.collector import Collection, Collector
        from tests.serving.models import PASSENGERS
        from tests.serving.collected import answers, inference
        collector = Collector(Collection(enabled=True), Path(sys.argv[1]), "blue", "3", PASSENGERS, flush_s=0.01)
        collector.take("a", inference(), answers())
        collector.close()
    """)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=Path(__file__).parents[2])
    (path,) = tmp_path.rglob("*.jsonl")
    (row,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (row["input.age"], row["output.probabilities"]) == (22.5, [0.25, None])


def test_an_endpoint_collects_under_the_id_that_it_answered(tmp_path: Path) -> None:
    collected = tmp_path / "collected"
    scoring = launch(
        tmp_path, passengers(), PASSENGERS, collector={"enabled": True, "masked_columns": ["sex"]},
        collected_folder=str(collected),
    )  # fmt: skip
    try:
        body = json.dumps({"dataframe_records": [ROW]}).encode()
        named = scoring.ask("/invocations", body, x_request_id="my-1").headers["x-request-id"]
        made = scoring.ask("/invocations", body).headers["x-request-id"]
        assert scoring.ask("/invocations", b"{}").status == 400
        v2 = tensors("from-the-body")
        assert scoring.infer(v2).headers["x-request-id"] == "from-the-body"
        until(lambda: len(rows_in(collected)) == 3)
        assert b"collected_rows_total{" in scoring.ask("/metrics").body
    finally:
        end(scoring)
    rows = rows_in(collected)
    assert [row["id"] for row in rows] == ["my-1", made, "from-the-body"]
    assert named == "my-1"
    assert {row["input.sex"] for row in rows} == {None}
    assert {row["output.label"] for row in rows} == {"yes"}
    assert pa.types.is_timestamp(pq.read_schema(next(collected.rglob("*.parquet"))).field("time").type)


def tensors(identity: str) -> bytes:
    inputs = [
        {"name": name, "datatype": kind, "shape": [1, 1], "data": [ROW[name]]}
        for name, kind in (("age", "FP64"), ("sex", "BYTES"), ("siblings", "INT64"))
    ]
    return json.dumps({"id": identity, "inputs": inputs}).encode()


def test_an_endpoint_that_does_not_collect_writes_nothing(tmp_path: Path) -> None:
    scoring: Scoring = launch(tmp_path, passengers(), PASSENGERS, collected_folder=str(tmp_path / "collected"))
    try:
        answer = scoring.infer(tensors("x"))
        assert answer.status == 200
        assert "x-request-id" not in answer.headers
    finally:
        end(scoring)
    assert not (tmp_path / "collected").exists()

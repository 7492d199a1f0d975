"""The first page of a table of 10,000 runs, against MLflow's ``search_runs`` on SQLite with the same rows.

CPU time of a call in process, 100 runs a page, in turns of five calls: in the default order, and filtered
and sorted by a metric.
Ours ends with the JSON that the table of runs reads, MLflow's with the objects that its own page is made of.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store import schema
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

TARGET = 50.0
RUNS, PAGE, ROUNDS, CALLS = 10_000, 100, 10, 5
QUERIES: dict[str, dict[str, Any]] = {
    "first page": {},
    "first page, filtered and sorted": {
        "filter": "metrics.auc > 0.5 and params.optimizer = 'adam'",
        "order_by": ["metrics.auc DESC"],
    },
}
PEER = Path(__file__).parents[1] / ".bench" / "mlflow" / "bin" / "python"

_PEER_CODE = """
import json, sys, time
from mlflow.entities import ViewType
from mlflow.store.tracking.dbmodels import models as tables
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient

uri, rows = sys.argv[1], json.load(open(sys.argv[2]))
store = SqlAlchemyStore(uri, sys.argv[1].removeprefix("sqlite:///") + "-artifacts")
experiment = store.create_experiment("bench")
runs, params, tags, points = [], [], [], []
for row in rows:
    run = dict(run_uuid=row["id"])
    runs.append(dict(
        **run, name=row["name"], source_type="LOCAL", source_name="", entry_point_name="", user_id="bench",
        status="FINISHED", start_time=row["at"], end_time=row["at"] + 1000, lifecycle_stage="active",
        artifact_uri="", experiment_id=int(experiment)))
    params += [dict(**run, key=key, value=value) for key, value in row["params"].items()]
    tags += [dict(**run, key=key, value=value) for key, value in row["tags"].items()]
    points += [dict(**run, key=key, value=value, timestamp=row["at"], step=1, is_nan=False)
               for key, value in row["metrics"].items()]
with store.ManagedSessionMaker() as session:
    for table, given in ((tables.SqlRun, runs), (tables.SqlParam, params), (tables.SqlTag, tags),
                         (tables.SqlMetric, points), (tables.SqlLatestMetric, points)):
        session.bulk_insert_mappings(table, given)
client = MlflowClient(uri)
print("ready", flush=True)
for line in sys.stdin:
    query = json.loads(line)
    cpu, wall = time.process_time(), time.perf_counter()
    page = client.search_runs(
        [experiment], filter_string=query.get("filter", ""), run_view_type=ViewType.ACTIVE_ONLY,
        max_results=query["max_results"], order_by=query.get("order_by"))
    taken = time.process_time() - cpu, time.perf_counter() - wall
    print(json.dumps([*taken, [run.info.run_id for run in page]]), flush=True)
"""


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when the target is met."""
    if not PEER.exists():
        print(f"{PEER} is missing: `make bench-setup` installs the peers, each into an environment of its own")
        return 1
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as name:
        folder = Path(name)
        rows = _rows()
        (folder / "rows.json").write_text(json.dumps(rows))
        studio = Studio(Workspace(folder))
        _fill(studio, rows)
        peer = _start_peer(folder)
        try:
            medians = {title: _measure(studio, peer, query) for title, query in QUERIES.items()}
        finally:
            peer.kill()
            peer.wait()
            studio.close()
    print(f"{'100 of 10,000 runs':42}{'CPU, ms':>10}{'wall, ms':>10}")
    for title, (ours, theirs) in medians.items():
        print(f"{'jupyter_mlstudio, ' + title:60}"[:60] + f"{ours[0] * 1e3:8.2f}{ours[1] * 1e3:10.2f}")
        print(f"{'mlflow, ' + title:60}"[:60] + f"{theirs[0] * 1e3:8.2f}{theirs[1] * 1e3:10.2f}")
    ratios = [theirs[0] / ours[0] for ours, theirs in medians.values()]
    good = min(ratios) >= TARGET
    figure = f"{ratios[0]:.0f}x less CPU than mlflow in the default order, {ratios[1]:.0f}x filtered and sorted"
    print(f"runs-table: {figure} (target {TARGET:g}x): {'ok' if good else 'short'}")
    return 0 if good else 1


def _measure(
    studio: Studio, peer: subprocess.Popen[str], query: dict[str, Any]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Median CPU and wall seconds of a call: ours and MLflow's, in turns; both must answer the same runs."""
    taken: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    assert peer.stdin is not None
    assert peer.stdout is not None
    for number in range(ROUNDS + 1):
        ours, theirs = [], []
        for _ in range(CALLS):
            cpu, wall = time.process_time(), time.perf_counter()
            page = studio.runs.search_json(experiment_id=["bench"], max_results=PAGE, **query)
            ours.append((time.process_time() - cpu, time.perf_counter() - wall))
        for _ in range(CALLS):
            peer.stdin.write(json.dumps({**query, "max_results": PAGE}) + "\n")
            peer.stdin.flush()
            cpu_s, wall_s, ids = json.loads(peer.stdout.readline())
            theirs.append((cpu_s, wall_s))
        if ids != [one["id"] for one in json.loads(page)["items"]]:
            raise SystemExit("both sides must find the same runs in the same order")
        if number:  # the first round warms up
            taken[0].extend(ours)
            taken[1].extend(theirs)
    first, second = ((statistics.median(cpus), statistics.median(walls)) for cpus, walls in (zip(*t) for t in taken))  # noqa: B905
    return first, second


def _rows() -> list[dict[str, Any]]:
    chance = random.Random(0)
    return [
        {
            "id": f"{chance.getrandbits(128):032x}",
            "name": f"run-{number}",
            "at": 1_760_000_000_000 + number * 60_000,
            "params": {
                "lr": f"{chance.uniform(1e-4, 1e-1):.5f}", "depth": str(chance.randint(2, 12)), "epochs": "20",
                "batch": str(2 ** chance.randint(4, 9)), "optimizer": chance.choice(["adam", "sgd", "lbfgs"]),
            },
            "metrics": {key: chance.random() for key in ("auc", "accuracy", "loss", "f1", "log_loss")},
            "tags": {"team": chance.choice("abc"), "data": "v3", "stage": "search"},
        }
        for number in range(RUNS)
    ]  # fmt: skip


def _fill(studio: Studio, rows: list[dict[str, Any]]) -> None:
    """Writes the rows as the studio keeps them: columns, and the copies that its table of runs reads."""
    names = list(rows[0]["metrics"])
    with studio.database.write() as connection:
        experiment = studio.experiments.id_for(connection, "bench")
        connection.execute(schema.experiments.update().values(run_count=len(rows)))
        connection.execute(schema.metric_names.insert(), [{"name": name} for name in names])
        found = connection.execute(schema.metric_names.select()).all()
        metric_ids = {row.name: row.id for row in found}
        connection.execute(schema.runs.insert(), [_run_columns(row, n, experiment) for n, row in enumerate(rows, 1)])
        for table, field in ((schema.params, "params"), (schema.tags, "tags")):
            pairs = [
                {"run_key": n, "key": k, "value": v} for n, row in enumerate(rows, 1) for k, v in row[field].items()
            ]
            connection.execute(table.insert(), pairs)
        metrics = [
            {
                "run_key": n, "metric_id": metric_ids[name], "last": value, "last_step": 1, "last_at": _time(row["at"]),
                "min": value, "max": value, "count": 1, "tail_chunk": 0, "tail_count": 0, "spark": b"",
                "spark_stride": 1,
            }
            for n, row in enumerate(rows, 1)
            for name, value in row["metrics"].items()
        ]  # fmt: skip
        connection.execute(schema.run_metrics.insert(), metrics)
        for row in rows:
            store.change(connection, studio.changes, row["id"], {})


def _run_columns(row: dict[str, Any], key: int, experiment: int) -> dict[str, Any]:
    at = _time(row["at"])
    return {
        "key": key, "id": row["id"], "name": row["name"], "experiment_id": experiment, "kind": "script",
        "status": "Completed", "reason": "", "user": "bench", "target": "local", "priority": 0, "cpus": 1.0,
        "memory_bytes": 0, "gpus": 0, "created_at": at, "started_at": at, "ended_at": at + timedelta(seconds=1),
        "duration_s": 1.0, "description": "", "spec": "{}", "origin": "{}", "etag": 1,
        "row_params": json.dumps(row["params"]), "row_metrics": json.dumps(row["metrics"]),
        "row_tags": json.dumps(row["tags"]),
    }  # fmt: skip


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _start_peer(folder: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "MLSTUDIO"))}
    with (folder / "mlflow.log").open("w") as log:
        peer = subprocess.Popen(
            [str(PEER), "-W", "ignore", "-c", _PEER_CODE, f"sqlite:///{folder}/mlflow.db", str(folder / "rows.json")],
            env=environment, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert peer.stdout is not None
    if peer.stdout.readline().strip() != "ready":
        raise SystemExit(f"mlflow failed: {(folder / 'mlflow.log').read_text()[-2000:]}")
    return peer


if __name__ == "__main__":
    sys.exit(run())

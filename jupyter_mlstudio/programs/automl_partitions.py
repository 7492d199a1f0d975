"""What an AutoML run with ``partition_by`` executes: a run below it for each part of the table, some at a time.

Each part's run is an AutoML run like any other, with a leaderboard and a model of its own. A part whose rows and
request an earlier run of the same experiment had already takes the model of that.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.runs import TERMINAL, RunStatus
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import automl_engine as engine
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.automl_board import Board
from jupyter_mlstudio.programs.automl_files import OF_RUN, as_json, began, take_over, write_whole
from jupyter_mlstudio.programs.automl_many import pack

if TYPE_CHECKING:
    import pandas as pd

    from jupyter_mlstudio.learning.partitions import Part

INDEX = "automl/partitions.json"
LOOK_S = 0.5


class Children:
    """The runs of parts.

    Args:
        gateway: of the run above, which begins runs below it.
        spec: what was asked for.
        tables: ``data``, ``validation_data`` and ``test_data``, those that there are.
        above: the run above.
    """

    def __init__(
        self, gateway: Connection, job: context.Job, spec: AutoMLSpec, tables: dict[str, pd.DataFrame],
        above: Mapping[str, JSON],
    ) -> None:  # fmt: skip
        self._gateway = gateway
        self._job = job
        self._spec = spec
        self._tables = tables
        self._above = above
        self.metric: tuple[str, Goal, Task] | None = None

    def start(self, number: int, part: Part, timeout_s: float) -> Partition:
        """Writes the part's rows beside the run above, and begins a run below it; one that is there is taken."""
        from jupyter_mlstudio.learning.partitions import part_spec

        named = {which: self._written(which, number, part) for which in self._tables}
        spec = part_spec(self._spec, timeout_s, **named)
        label = ", ".join(f"{name}={value}" for name, value in part.key.items())
        made = self._gateway.post(
            "automl",
            {
                "automl": json.loads(as_json(asdict(spec))), "name": f"{self._job.name} {label}"[:200],
                "experiment": self._above["experiment"], "origin": self._above["origin"],
                "request_id": f"{self._job.run_id}-{number}",
                "tags": {"mlstudio.automl.partition": label[:200]},
            },
        )  # fmt: skip
        return Partition(key=part.key, run_id=str(made["id"]), rows=len(part.rows), fingerprint=part.fingerprint)

    def ended(self, number: int, begun: Partition) -> Partition | None:
        """Looks at a part's run."""
        with contextlib.suppress(StudioError):
            run = self._gateway.get(f"runs/{segment(begun.run_id)}")
            if RunStatus(run["status"]) not in TERMINAL:
                return None
            report = self._gateway.get(f"automl/{segment(begun.run_id)}/report")
            if RunStatus(run["status"]) is not RunStatus.COMPLETED:
                return replace(begun, failed=str(run.get("reason") or "it was canceled"))
            self.metric = self.metric or (
                str(report["primary_metric"]), Goal(report["goal"]), Task(report["task"]),
            )  # fmt: skip
            winner = next((one for one in report["leaderboard"] if one["number"] == report["winner"]), None)
            score = None if winner is None or winner["score"] is None else float(winner["score"])
            return replace(begun, score=score)
        return None

    def stop(self, begun: Partition) -> None:
        """Stops a part's run."""
        with contextlib.suppress(StudioError):
            self._gateway.post(f"runs/{segment(begun.run_id)}/stop", {})

    def _written(self, which: str, number: int, part: Part) -> str | None:
        table = self._tables[which]
        rows = table.iloc[part.rows] if which == "data" else table[_rows_of(table, part.key)]
        if not len(rows):
            return None
        path = _write(
            rows.drop(columns=list(part.key)).reset_index(drop=True),
            self._job.run_folder / "artifacts" / "automl" / "parts" / f"{number:05d}-{which}",
        )
        return f"{OF_RUN}{self._job.run_id}/automl/parts/{path.name}"


def _rows_of(table: pd.DataFrame, key: dict[str, JSON]) -> Any:
    """Rows of another table that have the same key."""
    fits = table[next(iter(key))].map(lambda _: True).astype(bool)
    for name, value in key.items():
        fits &= table[name].isna() if value is None else table[name].astype(str) == str(value)
    return fits


def _write(rows: pd.DataFrame, stem: Path) -> Path:
    """Writes rows as Parquet, or as CSV where that cannot be."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    path = stem.with_suffix(".parquet")
    try:
        rows.to_parquet(path, index=False)
    except Exception:  # no pyarrow, or columns of mixed types
        path.unlink(missing_ok=True)
        path = stem.with_suffix(".csv")
        rows.to_csv(path, index=False)
    return path


def known_before(runs: Path, own: str, experiment: str) -> dict[str, Partition]:
    """Fingerprint -> the newest model that an earlier run of the experiment has, as long as its run is there."""
    found: dict[str, Partition] = {}
    for path in sorted(runs.glob(f"*/artifacts/{INDEX}"), key=lambda one: one.stat().st_mtime):
        with contextlib.suppress(OSError, ValueError, KeyError, msgspec.ValidationError):
            content = json.loads(path.read_bytes())
            if content["experiment"] != experiment or content["run_id"] == own:
                continue
            for one in msgspec.convert(content["partitions"], list[Partition]):
                if one.score is not None and not one.failed and (runs / one.run_id / "artifacts").is_dir():
                    found[one.fingerprint] = one
    return found


def run(job: context.Job) -> int:
    """Executes an AutoML run that makes many models."""
    from jupyter_mlstudio.learning.partitions import PartitionRun, request_of, split

    spec = msgspec.convert(job.spec["options"]["automl"], AutoMLSpec)
    gateway = connect()
    folder = take_over(job.run_folder, job.spec["options"].get("resume_from"))
    since = began(folder)
    artifacts, runs = job.run_folder / "artifacts", job.run_folder.parent
    board = Board(gateway, job.run_id, artifacts, folder, since, spec.limits.timeout_s)
    board.begin()
    board.say("splitting the table")
    read = engine.tables_of(spec, runs)
    tables = {"data": read.data}
    tables |= {name: table for name, table in (("validation_data", read.validation), ("test_data", read.test))
               if table is not None}  # fmt: skip
    parts = split(read.data, spec.partition_by, request_of(spec))
    above = gateway.get(f"runs/{segment(job.run_id)}")
    experiment = str(above["experiment"])
    children = Children(gateway, job, spec, tables, above)
    board.change(rows=len(read.data), task=spec.task)
    board.say(f"a model for each of {len(parts)} parts")
    stopped = [False]

    def told(found: list[Partition]) -> None:
        if children.metric is not None:
            name, goal, task = children.metric
            board.change(primary_metric=name, goal=goal, task=task)
        if found != board.report.partitions:
            board.change(partitions=found)
        board.tell()

    def asked() -> bool:
        control = board.asked_now(LOOK_S)
        stopped[0] = stopped[0] or bool(control and control.get("stop"))
        return stopped[0]

    work = PartitionRun(
        parts, children, known_before(runs, job.run_id, experiment), told, asked, spec.limits.timeout_s,
        max(1, spec.limits.max_concurrent_trials), time.monotonic() - (time.time() - since),
    )  # fmt: skip
    found = work.run()
    index = {"run_id": job.run_id, "experiment": experiment, "partitions": [asdict(one) for one in found]}
    write_whole(artifacts / INDEX, as_json(index))
    board.say("keeping the models")
    pack(artifacts / "model", runs, spec.partition_by, found)
    failed = [one for one in found if one.failed]
    reused = sum(one.reused for one in found)
    print(f"{len(found)} parts: {len(found) - len(failed)} have a model, {reused} from before", flush=True)
    for one in failed:
        print(f"{one.key}: {one.failed}", flush=True)
    board.say("done")
    board.end()
    if found and len(failed) == len(found):
        raise Invalid(f"no part has a model; the first, {failed[0].key}: {failed[0].failed}")
    return 0

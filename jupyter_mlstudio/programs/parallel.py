"""A parallel job: ``python -m jupyter_mlstudio.programs.parallel JOB.yml``, as the command of a run.

A table is cut into data frames, by values of columns or by size, and each is a mini-batch of the user's script; of a
folder, lists of paths are. All else is as in a batch run: workers, tries again, thresholds, one file of answers. A run
that tries another one again keeps the mini-batches that are done, when script, arguments and data are the same.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.parallel_job import ParallelJob, read_parallel
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.batch import BatchSettings, OutputAction
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.batch import Batch
from jupyter_mlstudio.programs.batch_work import write_whole

if TYPE_CHECKING:
    import pandas as pd

FRAMES_LIMIT = 100_000
SAME_FILE = "parallel.json"
"""In the run's folder: a digest of all that decides what the answers are."""


def run(job: context.Job, path: Path) -> int:
    """Does a parallel job as the work of a run."""
    wanted = read_parallel(path)
    for note in wanted.notes:
        print(f"left out, it has no meaning here: {note}", flush=True)
    digest = digest_of(wanted)
    write_whole(job.run_folder / SAME_FILE, json.dumps(digest).encode())
    before = _before(wanted, job, digest)
    made = job.run_folder / "parallel"
    root = made if wanted.is_table else wanted.data
    if wanted.is_table:
        write_frames(wanted, made)
    options = options_of(wanted, root, job) | {"resume_from": before, "failed_again": True}
    try:
        return Batch(replace(job, spec={"options": options}, entry=wanted.script)).run()
    finally:
        shutil.rmtree(made, ignore_errors=True)


def digest_of(wanted: ParallelJob) -> str:
    """A digest of script, modules beside it, arguments and data: while it is the same, so are the answers."""
    data = wanted.data
    files = [data] if wanted.is_table else sorted(file for file in data.rglob("*") if file.is_file())
    code = sorted(wanted.script.parent.rglob("*.py"))
    content = {
        "arguments": wanted.arguments, "size": wanted.size, "keys": wanted.partition_keys, "output": wanted.output,
        "script": wanted.script.name, "code": [(str(file), _sha256(file)) for file in code],
        "data": [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files],
    }  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _before(wanted: ParallelJob, job: context.Job, digest: str) -> str | None:
    """The run that this one tries again, when it has done a part of the same; its outputs are taken over."""
    before = connect().get(f"runs/{segment(job.run_id)}").get("retry_of")
    if not before:
        return None
    folder = job.run_folder.parent / str(before)
    same = folder / SAME_FILE
    if not (folder / "batch" / "plan.json").is_file() or not same.is_file():
        return None
    if json.loads(same.read_text(encoding="utf-8")) != digest:
        print("script, arguments or data were changed since: all mini-batches are done again", flush=True)
        return None
    for name in wanted.outputs:
        source = folder / "artifacts" / name
        if source.is_dir():
            shutil.copytree(source, job.run_folder / "artifacts" / name, dirs_exist_ok=True)
    return str(before)


def options_of(wanted: ParallelJob, root: Path, job: context.Job) -> dict[str, JSON]:
    """The same as options of a batch run."""
    found = sorted(file for file in root.rglob("*") if file.is_file())
    if not found:
        raise Invalid(f"there is nothing to do: {wanted.data.name} has no files")
    files = [
        {"path": file.relative_to(root).as_posix(), "size_bytes": file.stat().st_size,
         "mtime_ns": file.stat().st_mtime_ns}
        for file in found
    ]  # fmt: skip
    settings = asdict(
        BatchSettings(
            mini_batch_size=1 if wanted.is_table else wanted.size, max_concurrency=wanted.concurrency,
            error_threshold=wanted.failures,
            output_action=OutputAction.APPEND_ROW if wanted.output else OutputAction.SUMMARY_ONLY,
            output_file_name=f"{wanted.output or 'none'}.csv",
        )
    )  # fmt: skip
    arguments = []
    for argument in wanted.arguments:
        for name in wanted.outputs:
            folder = job.run_folder / "artifacts" / name
            if (filled := re.sub(rf"\$\{{\{{\s*outputs\.{name}\s*\}}\}}", str(folder), argument)) != argument:
                folder.mkdir(parents=True, exist_ok=True)
                argument = filled
        arguments.append(argument)
    return {
        "root": str(root), "files": files, "settings": settings | {"retries": wanted.retries}, "model_dir": "",
        "arguments": arguments, "frames": wanted.is_table,
    }  # fmt: skip


def write_frames(wanted: ParallelJob, folder: Path) -> None:
    """Cuts a table into mini-batches, each a file that is named after its rows.

    Raises:
        Invalid: it is no table, has no such column, or makes too many mini-batches.
    """
    from jupyter_mlstudio.learning.reading import read

    table = read(wanted.data)
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, rows) in enumerate(_cut(table, wanted)):
        if number >= FRAMES_LIMIT:
            raise Invalid(f"{wanted.data.name} makes more than {FRAMES_LIMIT:,} mini-batches: split coarser")
        plain = re.sub(r"[^\w=., -]", "_", name)[:100]
        rows.to_pickle(folder / f"{number:06d} {plain}")


def _cut(table: pd.DataFrame, wanted: ParallelJob) -> list[tuple[str, pd.DataFrame]]:
    keys = wanted.partition_keys
    if missing := [name for name in keys if name not in table.columns]:
        raise Invalid(
            f"there is no column {missing[0]!r} to split by: choose from {', '.join(map(str, table.columns))}"
        )
    if keys:
        return [
            (", ".join(f"{name}={value}" for name, value in zip(keys, key, strict=True)), rows.reset_index(drop=True))
            for key, rows in table.groupby(keys, sort=True, dropna=False)
        ]
    count = max(1, round(len(table) * wanted.size / max(1, wanted.data.stat().st_size)))
    return [
        (f"rows {start} to {min(start + count, len(table)) - 1}", table[start : start + count])
        for start in range(0, len(table), count)
    ]


if __name__ == "__main__":
    sys.exit(context.execute(lambda job: run(job, Path(sys.argv[1]))))

"""A parallel job: ``python -m jupyter_mlstudio.programs.parallel JOB.yml``, as the command of a run.

A table is cut into data frames, by values of columns or by size, and each is a mini-batch of the user's script; of a
folder, lists of paths are. All else is as in a batch run: workers, tries again, thresholds, one file of answers.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlstudio.client.parallel_job import ParallelJob, read_parallel
from jupyter_mlstudio.entities.batch import BatchSettings, OutputAction
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.batch import Batch

if TYPE_CHECKING:
    import pandas as pd

FRAMES_LIMIT = 100_000


def run(job: context.Job, path: Path) -> int:
    """Does a parallel job as the work of a run."""
    wanted = read_parallel(path)
    for note in wanted.notes:
        print(f"left out, it has no meaning here: {note}", flush=True)
    made = job.run_folder / "parallel"
    root = made if wanted.is_table else wanted.data
    if wanted.is_table:
        write_frames(wanted, made)
    try:
        return Batch(replace(job, spec={"options": options_of(wanted, root, job)}, entry=wanted.script)).run()
    finally:
        shutil.rmtree(made, ignore_errors=True)


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

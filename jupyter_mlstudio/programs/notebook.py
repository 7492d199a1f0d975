"""Runs a notebook as a run, with papermill: parameters, progress by cell, live output, the copy kept as artifact."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.values import identifier
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context

SCHEME = "mlstudio-run://"
SAVE_INTERVAL_S = 5
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(job: context.Job) -> int:
    """Executes the notebook; the error of the cell that failed becomes the run's reason."""
    for name in job.params:
        identifier(name)
    # An optional part of jsonschema, a grammar of addresses in all scripts: nothing in a notebook is checked by it, and
    # building it takes most of the start.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    notebook = _read(job.file)
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    target = job.run_folder / "artifacts" / job.file.name
    papermill.iorw.papermill_io.register(SCHEME, AtomicFile(target, job.run_folder / f".{job.file.name}.part"))
    logging.getLogger("papermill").setLevel(logging.WARNING)
    try:
        _execute(papermill, notebook, job)
    except PapermillExecutionError as error:
        return _cell_failed(job, error)
    except DeadKernelError:
        reason = "kernel died: its process was killed, crashed or ran out of memory"
        print(reason, file=sys.stderr)
        return context.failed(job, reason)
    return 0


class AtomicFile:
    """A papermill writer that replaces the executed copy as a whole, so that a reader never finds half of it."""

    def __init__(self, target: Path, temporary: Path) -> None:
        self._target = target
        self._temporary = temporary

    def write(self, content: str, path: str) -> None:
        """Writes the notebook as it is now."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        with self._temporary.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._temporary.replace(self._target)

    def pretty_path(self, path: str) -> str:
        """What papermill calls the file in its messages."""
        return str(self._target)


class Steps:
    """Counts the notebook's code cells as they are executed."""

    def __init__(self, notebook: Any) -> None:
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        self.done = 0

    def before(self, cell: Any, cell_index: int) -> None:
        """Says which cell is executed now."""
        if cell.cell_type == "code" and cell.source.strip():
            line = cell.source.strip().splitlines()[0][:80]
            tracking.progress(self.done, self.total, f"cell {self.done + 1} of {self.total}: {line}")

    def after(self, cell: Any, cell_index: int, **_: Any) -> None:
        """Counts the cell that was executed."""
        if cell.cell_type == "code" and cell.source.strip():
            self.done += 1
            tracking.progress(self.done, self.total, f"{self.done} of {self.total} cells")

    @property
    def total(self) -> int:
        """How many code cells there are, the one that holds the injected parameters included."""
        return max(len(self.cells), self.done)


def _read(path: Path) -> Any:
    """Reads a notebook of format 4.

    Raises:
        Invalid: it is not a notebook, or of a format that cannot be executed.
    """
    import nbformat

    try:
        notebook: Any = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise Invalid(f"{path.name} is not a notebook that can be executed: {first}") from None
    return notebook


def _execute(papermill: Any, notebook: Any, job: context.Job) -> None:
    steps = Steps(notebook)
    if job.params:
        steps.cells.append(None)
    papermill.execute_notebook(
        notebook,
        SCHEME + "executed.ipynb",
        parameters=job.params,
        kernel_name=job.spec.get("kernel") or notebook.metadata.get("kernelspec", {}).get("name") or "python3",
        language=notebook.metadata.get("kernelspec", {}).get("language") or "python",
        progress_bar=False,
        log_output=False,
        stdout_file=sys.stdout,
        stderr_file=sys.stderr,
        autosave_cell_every=SAVE_INTERVAL_S,
        cwd=str(Path.cwd()),
        on_cell_start=steps.before,
        on_cell_complete=steps.after,
    )


def _cell_failed(job: context.Job, error: Any) -> int:
    """The cell's own traceback goes to the log, its error and number into the reason."""
    print(_COLOURS.sub("", "\n".join(error.traceback)), file=sys.stderr)
    value = str(error.evalue).strip().splitlines()
    where = f" (cell {error.exec_count})" if error.exec_count else ""
    return context.failed(job, f"{error.ename}: {value[0] if value else ''}{where}")


if __name__ == "__main__":
    sys.exit(context.execute(run))

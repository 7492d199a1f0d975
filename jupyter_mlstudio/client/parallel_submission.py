"""Begins a parallel job as a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jupyter_mlstudio.client.parallel_job import read_parallel
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.submission import submit


def parallel(
    path: str | os.PathLike[str], *, name: str | None = None, experiment: str | None = None, wait: bool = False
) -> Run:
    """Begins a parallel job of Azure Machine Learning's YAML: a script on mini-batches of a table or of a folder.

    It runs in this Python. One that was killed or stopped goes on where it was when the run is tried again.

    Args:
        path: the job's file, inside the workspace; paths in it are relative to it.
        name: the run's name; the file's without its suffix by default.
        experiment: the experiment's name; see :func:`jupyter_mlstudio.set_experiment`.
        wait: wait until it is over, and raise when it failed.

    Raises:
        Invalid: the file is no such job, or says what cannot be done.
        NotFound: the file, the script or the data are not there.
    """
    file = Path(path)
    read_parallel(file)
    words = [sys.executable, "-m", "jupyter_mlstudio.programs.parallel", file.name]
    return submit(words, name=name or file.stem, experiment=experiment, folder=file.parent, wait=wait)

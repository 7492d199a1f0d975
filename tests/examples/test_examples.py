"""Every example runs from top to bottom in a kernel of its own, in an empty workspace."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(path.name for path in EXAMPLES.glob("*.ipynb"))
CELL_TIMEOUT_S = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    # Jupyter's client warns of its own event loops, and pyzmq of sockets that nbclient leaves to it.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples with nothing else in it."""
    copy = tmp_path / "examples"
    copy.mkdir()
    for path in EXAMPLES.iterdir():
        if path.suffix in (".ipynb", ".py"):
            shutil.copy(path, copy)
    return copy


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_top_to_bottom(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [v for v in os.environ if v.startswith(("MLSTUDIO_", "MLFLOW_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("MLSTUDIO_WORKSPACE", str(folder))
    monkeypatch.setenv("MLSTUDIO_PYTHON", sys.executable)
    notebook = nbformat.read(folder / name, as_version=4)
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    try:
        asyncio.run(client.async_execute())
    finally:
        _end(folder)


def test_the_script_runs_by_itself(folder: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLSTUDIO_", "MLFLOW_"))}
    environment["MLSTUDIO_WORKSPACE"] = str(folder)
    command = [sys.executable, "train.py", "--lr", "0.1", "--epochs", "3"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "epoch   3" in done.stdout
    assert _end(folder) == ["Completed"]


def _end(folder: Path) -> list[str]:
    """Ends what an example left running; returns how its runs went, of those that are over by themselves."""
    workspace = Workspace(folder)
    if not workspace.exists:
        return []
    studio = Studio(workspace)
    try:
        statuses = [run.status.value for run in studio.runs.search(status="done").items]
        end_all(studio)
    finally:
        studio.close()
    return statuses

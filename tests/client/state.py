"""Fixtures: a process without a run, and one that does the work of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlstudio.client import active, connection, session, writer
from tests.client.gateway import Gateway


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Each test is a process without a run, in a folder of its own."""
    for name in ("RUN_ID", "RUN_FOLDER", "URL", "TOKEN", "WORKSPACE", "SERVER_WORKSPACE", "PARAMS", "EXPERIMENT"):
        monkeypatch.delenv(f"MLSTUDIO_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    """Puts the process back to having no run."""
    run = active._active
    if isinstance(run, active.ActiveRun):
        if run._writer is not None:
            run._writer.close()
        active._leave(run)
    active._active = None
    active.names.clear()
    writer._writers.clear()
    for known in connection._fixed.values():
        known.close()
    connection._fixed.clear()
    session.set_experiment(None)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / ".mlstudio" / "runs" / "run1"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def in_run(monkeypatch: pytest.MonkeyPatch, run_folder: Path) -> Iterator[Gateway]:
    """This process does the work of a run, whose gateway is given."""
    with Gateway() as gateway:
        for name, value in gateway.environment(run_folder).items():
            monkeypatch.setenv(name, value)
        yield gateway
        forget()

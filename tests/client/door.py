"""Workspaces behind a door of this process, as a notebook without a server has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client import connection
from tests.client.state import forget


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A new workspace in the current folder; everything that runs there ends with the test."""
    yield tmp_path
    leave(tmp_path)


@contextmanager
def entered(root: Path) -> Iterator[None]:
    """Works in a folder, for the tests of a module; everything that runs there ends with them."""
    before = pytest.MonkeyPatch()
    before.chdir(root)
    forget()
    yield
    leave(root)
    before.undo()


def leave(root: Path) -> None:
    """Ends what runs in a workspace, and the door to it."""
    for run in studio.list_runs():
        if not run.ended:
            run.stop().wait(30, check=False)
    close(root)


def close(root: Path) -> None:
    """Closes the door to a workspace."""
    forget()
    door = connection._doors.pop(root.resolve(), None)
    if door is not None:
        door.connection().close()
        door.close()

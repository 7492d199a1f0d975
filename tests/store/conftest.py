"""Every test of the store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.store.postgresql import PostgreSQL, programs


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server; where none is installed the tests are skipped, but never in CI."""
    found = programs()
    if found is None:
        message = "PostgreSQL is not installed: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with PostgreSQL(found) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def workspace(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[Workspace]:
    """A workspace whose database is of each kind in turn."""
    if request.param == "sqlite":
        yield workspace
        return
    server = request.getfixturevalue("postgresql")
    url = server.new_database()
    use(workspace, url)
    yield workspace
    server.drop(url)


@pytest.fixture
def database(studio: Studio) -> Database:
    """The studio's database."""
    return studio.database


def use(workspace: Workspace, url: str) -> None:
    """Makes a workspace use another database."""
    workspace.config_path.write_text(json.dumps({**workspace.config, "db_url": url}))

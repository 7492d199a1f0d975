"""What every test may ask for: a workspace, a studio on it, and real Jupyter servers."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from traitlets.config import Config

from jupyter_mlstudio.entities.runs import TERMINAL, RunStatus
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.server import JupyterServer, Oracle
from tests.waiting import is_alive

_STARTS_SERVERS = frozenset({"server", "based_server", "oracle", "jp_serverapp", "jp_fetch"})
_SLOW_FILE = re.compile(r"^pytestmark = (?:.*|\[\s*)\bpytest\.mark\.slow\b", re.MULTILINE)


def pytest_configure(config: pytest.Config) -> None:
    """Has the servers under test heed a terminal that is closed, also where ``nohup`` runs the tests.

    Jupyter's own fixtures take seconds to be imported, in each process that runs tests: only slow ones ask for them.
    """
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if config.option.markexpr != "not slow":
        config.pluginmanager.import_plugin("pytest_jupyter.jupyter_server")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where slow tests are left out, a file of nothing else is not even imported: that alone takes seconds."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return True if _SLOW_FILE.search(collection_path.read_text(encoding="utf-8")) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for a server is slow; modules with slow tests come first, so that no process waits at the end."""
    for item in items:
        if _STARTS_SERVERS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _environment_as_it_was() -> Iterator[None]:
    """Forgets what a server in this process sets for its kernels, and a program for the rest of its process."""
    before, limit = dict(os.environ), csv.field_size_limit()
    yield
    csv.field_size_limit(limit)
    for name in [n for n in os.environ if n.startswith(("MLSTUDIO_", "MLFLOW_")) and n not in before]:
        del os.environ[name]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace in a temporary folder."""
    made = Workspace(tmp_path / "workspace")
    made.root.mkdir()
    made.create()
    return made


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a new database, to be copied: that takes a twentieth of making one."""
    made = Workspace(tmp_path_factory.mktemp("new"))
    Studio(made).close()
    return made.database_path


@pytest.fixture
def studio(workspace: Workspace, new_database: Path) -> Iterator[Studio]:
    """A studio on the temporary workspace; what still runs at the end is ended."""
    shutil.copyfile(new_database, workspace.database_path)
    opened = Studio(workspace)
    yield opened
    end_all(opened)
    opened.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """A Jupyter server in a process of its own, shared by the tests of one worker."""
    with JupyterServer(tmp_path_factory.mktemp("server")) as started:
        yield started


@pytest.fixture(scope="session")
def based_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """The same below a base URL, as on a JupyterHub."""
    with JupyterServer(tmp_path_factory.mktemp("based"), "/user/a@b/") as started:
        yield started


@pytest.fixture
def oracle(server: JupyterServer) -> Iterator[Oracle]:
    """Sends bad input to :func:`server` and checks what must hold after it."""
    canary = server.folder / "canary"
    canary.write_text("the canary's secret song")
    assert server.api("GET", "changes").status == 200
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Oracle(server, canary, "the canary's secret song", listener)


@pytest.fixture
def jp_server_config() -> Config:
    """A Jupyter server in this process that answers nobody whom it does not know."""
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_mlstudio": True, "jupyter_server_terminals": False},
                "allow_unauthenticated_access": False,
            }
        }
    )


def end_all(studio: Studio) -> None:
    """Ends every run of a studio and waits until it is over."""
    with studio.database.write() as connection:
        rows = [*store.active(connection), *store.waiting(connection, "local")]
        for row in rows:
            if row.supervisor_pid == os.getpid():  # a test's own, with no process to end
                store.end(connection, studio.changes, row.id, RunStatus.CANCELED)
    ids = [row.id for row in rows]
    for run_id in ids:
        with contextlib.suppress(Conflict):  # it is over already
            studio.launcher.stop(run_id)
    deadline = time.monotonic() + 20
    for run_id in ids:
        while studio.runs.get(run_id).status not in TERMINAL:
            assert time.monotonic() < deadline, f"the run {run_id} does not end"
            studio.supervisors.reap()
            time.sleep(0.05)
    while left := _supervisors():
        if time.monotonic() > deadline:
            for pid in left:  # so that the tests that follow do not wait for it too
                os.kill(pid, signal.SIGKILL)
            pytest.fail(f"supervisors do not end: {list(left.values())}")
        time.sleep(0.05)
    studio.supervisors.pump()  # takes leave of supervisors that have ended


def processes_of(parent: psutil.Process, module: str) -> list[psutil.Process]:
    """Lists the processes below a process that run a module and live."""
    found = []
    for one in parent.children():
        with contextlib.suppress(psutil.Error):  # one that ends meanwhile
            if module in one.cmdline() and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


def _supervisors() -> dict[int, str]:
    """Finds supervisors that this process started and that have not ended; a door is none."""
    found = {}
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            command = child.cmdline()  # empty while it ends
            if "jupyter_mlstudio.runner" in command and "warm" in command:
                found.update({one.pid: "a conversion's" for one in child.children() if is_alive(one.pid)})
            elif child.status() != psutil.STATUS_ZOMBIE and (
                not command or ("jupyter_mlstudio.runner" in command and "run" in command)
            ):
                found[child.pid] = " ".join(command)
    return found

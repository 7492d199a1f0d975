"""A real Jupyter server in a process of its own, asked over raw sockets, and the oracle that looks after bad input.

``requests``, ``httpx`` and browsers tidy a path up before they send it, so a test of paths through them proves
nothing: here every byte of a request is the test's.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from jupyter_mlstudio.entities.runs import TERMINAL
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

API = "mlstudio/api/v1/"
ROOM_TO_GROW_BYTES = 200 * 1024 * 1024
MAIN = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyter_server.serverapp import main
main()
"""
"""``python -m jupyter_server`` without an optional part of jsonschema, a grammar of addresses in all scripts.

Building it takes three quarters of the server's start, and nothing here is checked by it.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as strict JSON."""
        return json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)


def send(port: int, data: bytes, method: str = "GET", timeout_s: float = 20) -> Answer:
    """Sends bytes to a port of this machine and reads one answer to a request of ``method``."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        # It may refuse before it has read everything; the answer is there all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            answer.close()


class JupyterServer:
    """A Jupyter server with the studio and nothing else, on a root of its own."""

    def __init__(self, folder: Path, base_url: str = "/") -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir(parents=True)
        self.base_url = base_url
        self.token = secrets.token_hex(16)
        self.log_path = folder / "server.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> JupyterServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The server's process."""
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """What it printed."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def start(self, *options: str, timeout_s: float = 30) -> None:
        """Starts it and waits until it answers.

        It reads from a terminal that it holds open itself: without one, Ctrl-C is an exception somewhere in Python.
        """
        self.port = self.port or _free_port()
        terminal, reads = os.openpty()
        with self.log_path.open("ab") as log, os.fdopen(terminal), os.fdopen(reads):
            self._process = subprocess.Popen(
                [
                    sys.executable, "-c", MAIN, "--no-browser", "--allow-root",
                    "--ServerApp.jpserver_extensions={'jupyter_mlstudio': True}", "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0",
                    f"--ServerApp.root_dir={self.root}", f"--ServerApp.base_url={self.base_url}",
                    "--ServerApp.allow_unauthenticated_access=False", f"--IdentityProvider.token={self.token}",
                    *options,
                ],
                stdin=reads, stdout=log, stderr=log, env=self._environment(), cwd=self.folder, process_group=0,
                pass_fds=[terminal],
            )  # fmt: skip
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if self.ask("GET", "api/status").status == 200:
                    return
            except OSError:
                assert self.process.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(0.05)

    def stop(self) -> None:
        """Asks it to end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kills it."""
        self.process.kill()
        self.process.wait(10)

    def studio(self) -> Studio:
        """Opens its workspace in this process too, as any second host may."""
        return Studio(Workspace(self.root))

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        known: bool = True,
    ) -> Answer:
        """Sends a request to a path below the base URL, byte for byte as it is given.

        Args:
            body: bytes as they are, anything else as JSON; None sends no body.
            headers: added to, or replacing, the usual ones.
            known: whether the token is sent.
        """
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Host": f"127.0.0.1:{self.port}", "Connection": "close"}
        if known:
            given["Authorization"] = f"token {self.token}"
        if body is not None:
            given |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        given |= headers or {}
        head = [f"{method} {self.base_url}{path} HTTP/1.1", *(f"{key}: {value}" for key, value in given.items())]
        return self.send("\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw, method)

    def send(self, data: bytes, method: str = "GET", timeout_s: float = 20) -> Answer:
        """Sends bytes and reads one answer."""
        return send(self.port, data, method, timeout_s)

    def api(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        """Sends a request to the studio's own API."""
        return self.ask(method, API + path, body, **options)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLSTUDIO_", "MLFLOW_", "JUPYTER_", "JPY_"))}
        folders = {f"JUPYTER_{name}_DIR": str(self.folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        return {**kept, **folders, "JUPYTER_NO_CONFIG": "1", "JUPYTER_PLATFORM_DIRS": "1"}


@dataclass
class Oracle:
    """What must hold after every bad input, whatever it was."""

    server: JupyterServer
    canary: Path
    secret: str
    listener: socket.socket
    _memory_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self._memory_bytes = self._memory()

    def refuses(
        self, method: str, path: str, body: object = None, *, status: int | set[int] = 400, **more: Any
    ) -> Answer:
        """Sends bad input to the studio's API and checks that it is refused and that nothing else happened."""
        return self.refuses_raw(lambda: self.server.api(method, path, body, **more), status)

    def refuses_raw(self, send: Any, status: int | set[int]) -> Answer:
        """As :meth:`refuses`, for a request of any kind: ``send`` sends it and returns the answer."""
        allowed = {status} if isinstance(status, int) else status
        others, before = self._active(), self._state()
        logged = len(self.server.log)
        answer: Answer = send()
        said = f"{answer.status} {answer.body[:300]!r}"
        assert answer.status in allowed, said
        assert set(answer.json) == {"code", "message"}, said
        assert self.secret.encode() not in answer.body, said
        assert self.canary.read_text() == self.secret
        if self._state() != before:
            assert others, "something has changed, and no run of another test did it"
            before = self._settled()
            assert send().status in allowed
            assert self._state() == before
        self._answers_at_once()
        log = self.server.log[logged:]
        assert "Traceback" not in log, log
        assert self.secret not in log, log
        self._nobody_was_called()
        return answer

    def _active(self) -> bool:
        """Whether a run that an earlier test began has still to end."""
        database = self.server.root / ".mlstudio" / "mlstudio.db"
        if not database.exists():
            return False
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            ended = ",".join(f"'{status.value}'" for status in TERMINAL)
            return connection.execute(f"SELECT 1 FROM runs WHERE status NOT IN ({ended})").fetchone() is not None

    def _settled(self) -> tuple[Any, ...]:
        """The state, once nothing has changed for a second."""
        found = self._state()
        for _ in range(30):
            time.sleep(1)
            before, found = found, self._state()
            if found == before:
                return found
        raise AssertionError("something changes all the time")

    def _state(self) -> tuple[Any, ...]:
        files = {}
        for path in self.server.root.rglob("*"):
            if not path.name.startswith(("mlstudio.db", "audit.")) and not path.is_dir():  # the log holds refusals too
                with contextlib.suppress(FileNotFoundError):  # what was being written is gone by now
                    found = path.lstat()
                    files[path.relative_to(self.server.folder)] = (found.st_size, found.st_mtime_ns)
        outside = sorted(path.name for path in self.server.folder.iterdir())
        return files, outside, self._rows()

    def _rows(self) -> dict[str, int]:
        database = self.server.root / ".mlstudio" / "mlstudio.db"
        if not database.exists():
            return {}
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {n: connection.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names}

    def _answers_at_once(self) -> None:
        begun = time.monotonic()
        assert self.server.ask("GET", "api/status").status == 200
        assert time.monotonic() - begun < 1
        assert self._memory() - self._memory_bytes < ROOM_TO_GROW_BYTES

    def _nobody_was_called(self) -> None:
        self.listener.setblocking(False)
        try:
            self.listener.accept()
        except BlockingIOError:
            return
        raise AssertionError("the server connected to an address that came in a request")

    def _memory(self) -> int:
        return int(psutil.Process(self.server.process.pid).memory_info().rss)


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _no_constant(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")

"""A real Jupyter server to measure, in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 120.0


class Server:
    """A started server: its process, and how to ask it."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, token: str) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}/"
        self._token = token

    def get(self, path: str) -> bytes:
        """Asks for a path below the base URL."""
        call = urllib.request.Request(self._url + path, headers={"Authorization": f"token {self._token}"})
        with urllib.request.urlopen(call, timeout=60) as answer:
            return bytes(answer.read())

    def address(self, path: str) -> str:
        """Returns the address of a path, for a browser."""
        return f"{self._url}{path}?token={self._token}"

    def api(self, path: str) -> Any:
        """Asks the studio's API."""
        return json.loads(self.get("mlstudio/api/v1/" + path))

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Returns its memory: ``VmRSS`` now, ``VmHWM`` at its peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith(field + ":"))
        return int(line.split()[1]) / 1024

    def wait_until_ready(self) -> None:
        """Waits until it answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.get("api/status")
                return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the Jupyter server did not start; see its log") from None
                time.sleep(0.1)


@contextmanager
def served(
    root: Path, *, module: str = "jupyter_server", studio: bool = True, options: tuple[str, ...] = ()
) -> Iterator[Server]:
    """Starts a server on a folder; ends it at the end. Settings of whoever measures are left aside."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLSTUDIO_", "MLFLOW_", "JUPYTER_", "JPY_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    aside = root.parent / f"{root.name}-jupyter"
    folders = {f"JUPYTER_{name}_DIR": str(aside / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    token = secrets.token_hex(16)
    command = [
        sys.executable, "-m", module, "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}",
        f"--ServerApp.jpserver_extensions={{'jupyter_mlstudio': {studio}}}", *options,
    ]  # fmt: skip
    log_path = root.parent / f"{root.name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**kept, **folders}, cwd=root)
    try:
        server = Server(process, port, token)
        server.wait_until_ready()
        loaded = "jupyter_mlstudio | extension was successfully loaded" in log_path.read_text(encoding="utf-8")
        if loaded is not studio:
            raise SystemExit(f"the studio was {'' if loaded else 'not '}loaded: see {log_path}")
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(90)

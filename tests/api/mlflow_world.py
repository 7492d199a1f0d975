"""A real door for MLflow's real client: processes of their own, and requests byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.server import Answer, send

ROOT = Path(__file__).parents[2]
API = "mlstudio/mlflow/api/2.0/mlflow/"
FILES = "mlstudio/mlflow/api/2.0/mlflow-artifacts/artifacts"


class Door:
    """A door of this process, on a workspace of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_mlstudio.runner", "door", "--workspace", str(root),
                "--parent", str(os.getpid()),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=plain_environment(), cwd=root,
        )  # fmt: skip
        assert self._process.stdout is not None
        address = json.loads(self._process.stdout.readline())
        self.url, self.token = address["url"], address["token"]
        self.port = int(self.url.rpartition(":")[2])
        self.tracking_uri = f"{self.url}/mlstudio/mlflow"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to log here."""
        return {
            **plain_environment(), "MLFLOW_TRACKING_URI": self.tracking_uri, "MLFLOW_TRACKING_TOKEN": self.token,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        }  # fmt: skip

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Sends a request byte for byte; bytes as they are, anything else as JSON."""
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {
            "Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.token}", "Connection": "close",
            "Content-Length": str(len(raw)), **({} if body is None else {"Content-Type": "application/json"}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        lines = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        return send(self.port, "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + raw, method)

    def call(self, path: str, body: object = None, method: str = "") -> Any:
        """Asks for one of MLflow's operations, which must succeed."""
        answer = self.ask(method or ("GET" if body is None else "POST"), API + path, body)
        assert answer.status == 200, answer.body
        return answer.json

    def studio(self) -> Studio:
        """Opens the workspace in this process, too."""
        return Studio(Workspace(self.root))

    def close(self) -> None:
        """Closes it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(15)
        self._process.stdout.close()


def plain_environment() -> dict[str, str]:
    """Returns this process's environment without what the studio or MLflow would read from it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLSTUDIO_", "MLFLOW_", "JPY_"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def run_program(source: str, environment: dict[str, str], folder: Path) -> str:
    """Runs a program to its end, which must be a good one; returns what it printed."""
    path = folder / "train.py"
    path.write_text(source, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, path.name],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout

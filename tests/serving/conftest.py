"""Real scoring processes behind real sockets, and a caller that sends exactly the bytes it is told to."""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect
from tests.onnx import graphs

KEYS = {"primary": "mls_one", "secondary": "mls_two", "studio": "nonce"}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        def strict(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.body, parse_constant=strict)


@dataclass
class Scoring:
    """One scoring process."""

    port: int
    process: subprocess.Popen[bytes]
    keys_file: Path
    said: dict[str, Any] = field(default_factory=dict)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=40)

    def raw(self, data: bytes) -> Answer:
        """Sends bytes as they are and reads one answer."""
        with self.connect() as link:
            link.sendall(data)
            return read_answer(link)

    def ask(self, path: str, body: bytes | None = None, key: str | None = "mls_one", **headers: str) -> Answer:
        """Sends one request; ``headers`` replace or add, with ``_`` for ``-`` and an empty value to leave one out."""
        sent = {"host": f"127.0.0.1:{self.port}"}
        if key is not None:
            sent["authorization"] = f"Bearer {key}"
        if body is not None:
            sent |= {"content-type": "application/json", "content-length": str(len(body))}
        method = headers.pop("method", "GET" if body is None else "POST")
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
        return self.raw(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + (body or b""))

    def infer(self, body: bytes, **options: Any) -> Answer:
        return self.ask("/v2/models/m/infer", body, **options)

    def memory(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)


def read_answer(link: socket.socket) -> Answer:
    data = b""
    while b"\r\n\r\n" not in data:
        part = link.recv(65536)
        if not part:
            break
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        body += link.recv(65536)
    return Answer(int(lines[0].split()[1]) if lines[0] else 0, headers, body)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Scoring]]:
    started: list[Scoring] = []

    def start(model: bytes, signature: Signature = graphs.DOUBLING, **changes: Any) -> Scoring:
        scoring = launch(tmp_path, model, signature, **changes)
        started.append(scoring)
        return scoring

    yield start
    for one in started:
        end(one)


@pytest.fixture(scope="module")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoring]:
    """One process for all tests of a module that leave it as it was."""
    scoring = launch(tmp_path_factory.mktemp("doubling"), graphs.doubling(), graphs.DOUBLING)
    yield scoring
    end(scoring)


def launch(folder: Path, model: bytes, signature: Signature, **changes: Any) -> Scoring:
    onnx, keys_file = folder / "model.onnx", folder / "keys.json"
    onnx.write_bytes(model)
    write_keys(keys_file, KEYS)
    try:
        operators = inspect(model).operators
    except Invalid:
        operators = []
    config = {
        "endpoint": "e", "model": "m", "version": "3", "onnx": str(onnx), "sha256": hashlib.sha256(model).hexdigest(),
        "keys_file": str(keys_file), "signature": asdict(signature), "operators": operators, **changes,
    }  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listening, (folder / "log").open("wb") as log:
        port = listening.getsockname()[1]
        listening.set_inheritable(True)
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlstudio.serving", str(listening.fileno())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            pass_fds=[listening.fileno()],
        )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(config).encode() + b"\n")
    process.stdin.flush()
    return Scoring(port, process, keys_file, json.loads(process.stdout.readline()))


def write_keys(path: Path, keys: dict[str, str]) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({name: hashlib.sha256(key.encode()).hexdigest() for name, key in keys.items()}))
    temporary.replace(path)


def end(scoring: Scoring) -> None:
    assert scoring.process.stdin is not None
    assert scoring.process.stdout is not None
    scoring.process.stdin.close()
    try:
        scoring.process.wait(5)
    except subprocess.TimeoutExpired:
        scoring.process.kill()
        scoring.process.wait()
    scoring.process.stdout.close()

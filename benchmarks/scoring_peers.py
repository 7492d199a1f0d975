"""The servers that ``scoring-cpu`` compares with, each started from an environment of its own with the same model."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import psutil

BENCH = Path(__file__).parents[1] / ".bench"
START_S = 90.0

_FIT = """
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
data = load_breast_cancer()
model = LogisticRegression(max_iter=10_000).fit(data.data, data.target)
"""

_BENTO = """
import bentoml, joblib, numpy

@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.model = joblib.load("model.joblib")

    @bentoml.api
    def predict(self, rows: numpy.ndarray) -> dict:
        return {"label": self.model.predict(rows).tolist()}
"""


@dataclass
class Asked:
    """One way of asking a server: where, with what, and how the body of some rows is made."""

    url: str
    body: Callable[[list[list[float]]], bytes]
    headers: dict[str, str] = field(default_factory=dict)
    bytes_at: Callable[[bytes], int] | None = None
    """Where the JSON of a body ends, when tensors follow it as bytes."""


@dataclass
class Server:
    """One side of the comparison. ``tops`` and all below them take part in a request."""

    name: str
    asked: Asked
    tops: list[psutil.Process]
    stop: Callable[[], None]

    def processes(self) -> list[psutil.Process]:
        return [one for top in self.tops for one in (top, *top.children(recursive=True))]

    def cpu_s(self) -> float:
        """CPU time that all its processes took so far."""
        return sum(float(times.user + times.system) for times in (one.cpu_times() for one in self.processes()))

    def memory_mb(self) -> float:
        return sum(one.memory_info().rss for one in self.processes()) / 2**20


def v2_json(rows: list[list[float]]) -> bytes:
    """A request of the Open Inference Protocol, flat."""
    data = [value for row in rows for value in row]
    tensor = {"name": "X", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def peers(folder: Path) -> list[Server]:
    """Starts every peer that is installed; says which are not."""
    started = []
    for name, start in (("mlserver", _mlserver), ("bentoml", _bentoml), ("mlflow", _mlflow)):
        if not (BENCH / name / "bin" / "python").exists():
            print(f".bench/{name} is missing: `make bench-setup` installs the peers")
            continue
        home = folder / name
        home.mkdir()
        with (home / "log").open("wb") as log:
            started.append(start(home, log))
    return started


def _mlserver(home: Path, log: IO[bytes]) -> Server:
    model = home / "m"
    model.mkdir()
    _make("mlserver", _FIT + "import joblib; joblib.dump(model, 'm/model.joblib')", home)
    settings = {
        "name": "m", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "1"},
    }  # fmt: skip
    ports = [free_port() for _ in range(3)]
    server = {
        "http_port": ports[0], "grpc_port": ports[1], "metrics_endpoint": None, "host": "127.0.0.1", "debug": False,
        "parallel_workers": 0,
    }  # fmt: skip
    (model / "model-settings.json").write_text(json.dumps(settings))
    (home / "settings.json").write_text(json.dumps(server))
    url = f"http://127.0.0.1:{ports[0]}/v2/models/m"
    command = [str(BENCH / "mlserver" / "bin" / "mlserver"), "start", str(home)]
    return _started("MLServer 1.7.1", command, home, log, Asked(url + "/infer", v2_json), url + "/ready")


def _bentoml(home: Path, log: IO[bytes]) -> Server:
    _make("bentoml", _FIT + "import joblib; joblib.dump(model, 'model.joblib')", home)
    (home / "service.py").write_text(_BENTO)
    port = free_port()
    program = str(BENCH / "bentoml" / "bin" / "bentoml")
    command = [program, "serve", "service:Model", "--port", str(port), "--host", "127.0.0.1"]
    url = f"http://127.0.0.1:{port}"
    asked = Asked(url + "/predict", lambda rows: json.dumps({"rows": rows}).encode())
    return _started("BentoML 1.4.39", command, home, log, asked, url + "/readyz")


def _mlflow(home: Path, log: IO[bytes]) -> Server:
    save = "import mlflow; mlflow.sklearn.save_model(model, 'model', serialization_format='cloudpickle')"
    _make("mlflow", _FIT + save, home)
    port = free_port()
    binaries = BENCH / "mlflow" / "bin"
    command = [
        str(binaries / "mlflow"), "models", "serve", "-m", str(home / "model"), "--env-manager", "local",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    asked = Asked(url + "/invocations", lambda rows: json.dumps({"inputs": rows}).encode())
    return _started("mlflow serve 3.17.2", command, home, log, asked, url + "/ping", binaries)


def _make(peer: str, code: str, home: Path) -> None:
    environment = {**os.environ, "MLFLOW_LOGGING_LEVEL": "ERROR"}
    command = [str(BENCH / peer / "bin" / "python"), "-W", "ignore", "-c", code]
    subprocess.run(command, cwd=home, check=True, env=environment)


def _started(
    name: str, command: list[str], home: Path, log: IO[bytes], asked: Asked, ready: str, binaries: Path | None = None
) -> Server:
    path = os.pathsep.join([str(binaries or Path(command[0]).parent), os.environ["PATH"]])
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_HOME": str(home)}
    environment = {**os.environ, **quiet, "PATH": path}
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=home, env=environment)
    until = time.monotonic() + START_S
    while status(ready) != 200:
        if time.monotonic() > until or process.poll() is not None:
            process.kill()
            raise SystemExit(f"{name} did not start: {(home / 'log').read_text()[-2000:]}")
        time.sleep(0.1)
    top = psutil.Process(process.pid)

    def stop() -> None:
        tree = [top, *top.children(recursive=True)]
        process.terminate()
        _, alive = psutil.wait_procs(tree, 20)
        for one in alive:
            one.kill()
        process.wait()

    return Server(name, asked, [top], stop)


def status(url: str) -> int:
    """The status that an address answers with; 0 when there is nobody."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        link.request("GET", parts.path)
        return link.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        link.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])

"""An endpoint under test: a real serve run that goes by a plan which the test writes, and callers that count."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from onnx import helper, numpy_helper

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.onnx import graphs
from tests.waiting import is_alive, until

KEY = "mls_one"
BODY = b'{"inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1.5,2.0]}]}'
JSON = {"Content-Type": "application/json"}


def times(factor: float) -> bytes:
    """A model that answers its input times a factor, ``(n, 2) float32``."""
    constant = numpy_helper.from_array(np.array(factor, np.float32), "factor")
    node = helper.make_node("Mul", ["X", "factor"], ["Y"])
    graph = helper.make_graph(
        [node], "times", [graphs._value("X", ["n", 2])], [graphs._value("Y", ["n", 2])], [constant]
    )
    return graphs.model(graph).SerializeToString()


def register(studio: Studio, name: str, model: Any, sample: Any = None) -> int:
    """Registers a model as a user does, and waits until its version may be served; answers its number."""
    run = studio.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
    folder = studio.workspace.run_folder(run.id) / "artifacts" / "model"
    folder.mkdir(parents=True)
    write_model(folder, model, sample)
    version = studio.models.register(name, run.id).version

    def is_converted() -> bool:
        studio.tick()
        return studio.models.version(name, version).status is not VersionStatus.CONVERTING

    until(is_converted)
    return version


def deployment(studio: Studio, name: str, version: int, model: str = "m", **further: Any) -> dict[str, Any]:
    """A deployment as it stands in a plan."""
    onnx = str(studio.models.onnx_file(model, version))
    return {"name": name, "kind": "onnx", "model": model, "version": version, "onnx": onnx, "settings": {}, **further}


@dataclass
class Answer:
    """What a caller got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def factor(self) -> float:
        """By how much the model multiplied."""
        return float(self.json["outputs"][0]["data"][1]) / 2

    @property
    def deployment(self) -> str:
        return self.headers["azureml-model-deployment"]


@dataclass
class Served:
    """One serve run."""

    studio: Studio
    folder: Path
    run_id: str = ""
    plan: dict[str, Any] = field(default_factory=dict)

    def change(self, **changes: Any) -> None:
        """Writes a changed plan, as the studio does."""
        self.plan = {**self.plan, **changes, "etag": self.plan.get("etag", 0) + 1}
        write(self.folder / "plan.json", self.plan)

    def start(self, port: int | None = None) -> None:
        options = {"endpoint": "e", "plan": str(self.folder / "plan.json"), "keys_file": str(self.folder / "keys.json")}
        spec = RunSpec(options=options | {"port": port}, resources=Resources(cpus=0.0))
        self.run_id = self.studio.launcher.submit(RunKind.SERVE, spec, experiment="Serving").id

    def stop(self) -> None:
        if self.run_id and self.run.status not in TERMINAL:
            self.studio.launcher.stop(self.run_id)
            until(lambda: self.run.status in TERMINAL)

    @property
    def run(self) -> Any:
        self.studio.tick()
        return self.studio.runs.get(self.run_id)

    @property
    def is_ready(self) -> bool:
        run = self.run
        assert run.status not in TERMINAL, run.reason
        return bool(run.tags.get("mlstudio.endpoint.ready") == "true")

    @property
    def url(self) -> str:
        return str(self.run.tags["mlstudio.endpoint.url"])

    def state(self, name: str) -> dict[str, Any]:
        """What the endpoint says of a deployment."""
        found: dict[str, Any] = json.loads(self.run.tags.get(f"mlstudio.endpoint.deployment.{name}", "{}"))
        return found

    def settled(self, name: str, state: str = "Ready", **shown: Any) -> dict[str, Any]:
        """Waits until a deployment is as it should be."""

        def look() -> dict[str, Any] | None:
            found = self.state(name)
            same = found.get("state") == state and all(found.get(key) == value for key, value in shown.items())
            return found if same else None

        found: dict[str, Any] = until(look)
        return found

    def pids(self, name: str) -> list[int]:
        """Processes that serve a deployment."""
        return list(self.state(name).get("pids", []))

    def metric(self, name: str) -> float | None:
        found = next((one for one in self.run.summaries if one.name == name), None)
        return None if found is None else float(found.last)

    def ask(self, body: bytes | None = BODY, path: str = "/v2/models/m/infer", **headers: str) -> Answer:
        """Asks once, over a connection of its own."""
        with self.caller() as ask:
            return ask(body, path, headers)

    @contextmanager
    def caller(self) -> Iterator[Callable[..., Answer]]:
        """A connection that is kept, as a client keeps it: made again when the server said that it ends."""
        with caller_of(self.url, KEY) as ask:
            yield ask


@contextmanager
def caller_of(url: str, key: str) -> Iterator[Callable[..., Answer]]:
    """A connection that is kept, as a client keeps it: made again when the server said that it ends."""
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=40)

    def ask(body: bytes | None = BODY, path: str = "/v2/models/m/infer", headers: Mapping[str, str] = {}) -> Answer:
        sent = {"Authorization": f"Bearer {key}", **(JSON if body is not None else {})}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            link.request("GET" if body is None else "POST", path, body, sent)
            got = link.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        except (OSError, http.client.HTTPException):
            link.close()
            raise

    try:
        yield ask
    finally:
        link.close()


class Load:
    """Callers that ask again and again, each over a connection that it keeps, until they are told to stop."""

    def __init__(
        self,
        served: Served,
        callers: int = 4,
        pause_s: float = 0.0,
        path: str = "/v2/models/m/infer",
        body: bytes = BODY,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._served = served
        self._pause_s = pause_s
        self._path, self._body, self._headers = path, body, dict(headers or {})
        self._over = threading.Event()
        self.statuses: Counter[Any] = Counter()
        self.factors: list[float] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with self._served.caller() as ask:
            while not self._over.is_set():
                try:
                    answer = ask(self._body, self._path, self._headers)
                    self.statuses[answer.status] += 1
                    if answer.status == 200 and self._path != "/score":
                        self.factors.append(answer.factor)
                    elif answer.status != 200:
                        self.failures.append(f"{answer.status} {answer.body[:200]!r}")
                except (OSError, http.client.HTTPException) as error:
                    self.statuses["lost"] += 1
                    self.failures.append(repr(error))
                time.sleep(self._pause_s)


def begin(studio: Studio, folder: Path, *deployments: dict[str, Any], **plan: Any) -> Served:
    """Starts an endpoint by a plan and waits until it answers."""
    folder.mkdir(parents=True)
    write(folder / "keys.json", {"primary": hashlib.sha256(KEY.encode()).hexdigest()})
    served = Served(studio, folder)
    shares = {one["name"]: 0 if number else 100 for number, one in enumerate(deployments)}
    served.change(**{"endpoint": "e", "deployments": list(deployments), "traffic": shares, **plan})
    served.start()
    return served


Begin = Callable[..., Served]


@contextmanager
def beginning(studio: Studio, folder: Path) -> Iterator[Begin]:
    """Begins endpoints as :func:`begin` does, which end with it."""
    started: list[Served] = []

    def make(*deployments: dict[str, Any], **plan: Any) -> Served:
        started.append(begin(studio, folder / f"e{len(started)}", *deployments, **plan))
        return started[-1]

    yield make
    for served in started:
        served.stop()


@contextmanager
def studio_with(folder: Path, *models: bytes) -> Iterator[Studio]:
    """A studio whose model ``m`` has these versions."""
    made = Studio(Workspace(folder))
    for model in models:
        register(made, "m", model)
    yield made
    made.close()


def ready(served: Served) -> Served:
    """Waits until the endpoint and all its deployments are ready; one that may sleep may do so by then."""
    until(lambda: served.is_ready)
    names = [one["name"] for one in served.plan["deployments"]]
    until(lambda: all(served.state(name).get("state") in ("Ready", "Idle") for name in names))
    return served


def write(path: Path, content: Any) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(content))
    temporary.replace(path)


def living(pids: list[int]) -> list[int]:
    """Those of these processes that still run."""
    return [pid for pid in pids if is_alive(pid)]


def kill(pid: int, number: int = 9) -> None:
    os.kill(pid, number)

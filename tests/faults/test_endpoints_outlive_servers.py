"""An endpoint lives as long as its serve run, whatever becomes of the Jupyter server."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from tests.server import JupyterServer
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture
def jupyter(tmp_path: Path) -> Iterator[JupyterServer]:
    with JupyterServer(tmp_path) as server:
        yield server
        if server.api("GET", "endpoints/live").status == 200:
            assert server.api("DELETE", "endpoints/live").status in (200, 204)


def endpoint_when(server: JupyterServer, holds: Any, within_s: float) -> dict[str, Any]:
    """The endpoint as the server shows it, once it is as it should be."""

    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = server.api("GET", "endpoints/live").json
        assert shown["state"] != "Failed", shown["reason"]
        return shown if holds(shown) else None

    return until(look, timeout_s=within_s)


def registered(server: JupyterServer) -> None:
    """Registers a small model through a second host and waits until it is converted."""
    data = load_iris()
    studio = server.studio()
    try:
        run = studio.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
        folder = studio.workspace.run_folder(run.id) / "artifacts" / "model"
        folder.mkdir(parents=True)
        write_model(folder, LogisticRegression(max_iter=500).fit(data.data, data.target), data.data)
    finally:
        studio.close()
    assert server.api("POST", "models", {"name": "iris", "run_id": run.id}).status == 201
    ready = until(
        lambda: (found := server.api("GET", "models/iris/versions/1").json)["status"] != "Converting" and found
    )
    assert ready["status"] == "Ready", ready["reason"]


def score(url: str, key: str, sample: dict[str, Any]) -> int:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    call = urllib.request.Request(url, json.dumps(sample).encode(), headers)
    with urllib.request.urlopen(call, timeout=20) as answer:
        return int(answer.status)


def test_F03_an_endpoint_goes_on_when_the_server_is_killed_and_is_shown_with_its_counts_after(
    jupyter: JupyterServer,
) -> None:
    registered(jupyter)
    issued = jupyter.api("POST", "endpoints", {"name": "live", "model": "iris"}).json
    key = issued["keys"]["primary"]
    shown = endpoint_when(jupyter, lambda one: one["state"] == "Ready", 60)
    url, sample = shown["scoring_url"], shown["sample"]
    assert [score(url, key, sample) for _ in range(3)] == [200] * 3

    jupyter.kill()

    assert [score(url, key, sample) for _ in range(4)] == [200] * 4
    time.sleep(2)  # its counts are logged without the server, too
    jupyter.start()
    began = time.monotonic()
    again = endpoint_when(jupyter, lambda one: one["stats"]["requests"] == 7, 5)
    assert again["state"] == "Ready"
    assert time.monotonic() - began < 5
    assert (again["scoring_url"], again["stats"]["errors"]) == (url, 0)
    assert jupyter.api("POST", "endpoints/live/score", sample).json["status"] == 200

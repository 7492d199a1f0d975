"""A fresh kernel of a real Jupyter server: plain MLflow calls land in the studio with no configuration (X1)."""

from __future__ import annotations

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_mlstudio.entities.runs import TERMINAL, RunKind, RunStatus
from tests.server import JupyterServer
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

AUTOLOG = """
import mlflow, warnings
warnings.simplefilter("ignore")
mlflow.autolog(log_models=False)
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
LogisticRegression(max_iter=300).fit(*load_iris(return_X_y=True))
"""
BY_HAND = """
import mlflow
with mlflow.start_run():
    mlflow.log_param("max_iter", 300)
    mlflow.log_metric("training_accuracy_score", 0.9)
"""
LEFT = """
left = mlflow.start_run(run_name="left open")
mlflow.log_metric("loss", 0.25)
"""


def test_plain_mlflow_in_a_fresh_kernel_lands_here_and_ends_with_the_kernel(server: JupyterServer) -> None:
    _check(server, AUTOLOG)


def test_the_same_below_a_base_url(based_server: JupyterServer) -> None:
    _check(based_server)


def test_the_same_where_the_server_has_no_token_to_give_away(tmp_path: Path) -> None:
    """As with a password, or on a JupyterHub: kernels find a port on loopback with a token of its own."""
    server = JupyterServer(tmp_path)
    server.token = ""
    server.start("--ServerApp.disable_check_xsrf=True")
    try:
        _check(server)
    finally:
        server.stop()


def _check(server: JupyterServer, training: str = BY_HAND) -> None:
    (server.root / "work").mkdir(exist_ok=True)
    body = {"path": "work/first.ipynb", "name": "first.ipynb", "type": "notebook", "kernel": {"name": "python3"}}
    session = server.ask("POST", "api/sessions", body).json
    assert asyncio.run(_execute(server, session["kernel"]["id"], training + LEFT)) == "ok"
    studio = server.studio()

    runs = {run.name: run for run in studio.runs.search().items}

    left, trained = runs["left open"], next(run for name, run in runs.items() if name != "left open")
    assert (trained.kind, trained.status) == (RunKind.INTERACTIVE, RunStatus.COMPLETED)
    assert trained.params["max_iter"] == "300"
    assert "training_accuracy_score" in trained.metrics
    assert studio.runs.get(trained.id).origin.notebook == "work/first.ipynb"
    assert (left.status, left.metrics) == (RunStatus.RUNNING, {"loss": 0.25})

    assert server.ask("DELETE", f"api/sessions/{session['id']}").status == 204

    ended = until(lambda: run if (run := studio.runs.get(left.id)).status in TERMINAL else None)
    # A kernel that is shut down properly lets MLflow end its runs; one that is killed does not come to that.
    assert ended.status in (RunStatus.COMPLETED, RunStatus.FAILED)
    assert Path(ended.folder).is_dir()
    studio.close()


async def _execute(server: JupyterServer, kernel_id: str, source: str) -> str:
    url = f"ws://127.0.0.1:{server.port}{server.base_url}api/kernels/{kernel_id}/channels"
    request = HTTPRequest(url, headers={"Authorization": f"token {server.token}"})
    connection = await websocket_connect(request)
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "s",
        "version": "5.3",
    }
    content: dict[str, Any] = {"code": source, "silent": False, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await connection.write_message(json.dumps(message))
    while True:
        text = await asyncio.wait_for(connection.read_message(), 90)
        assert isinstance(text, str), "the kernel's channel closed"
        answer = json.loads(text)
        if answer["msg_type"] == "error":
            return "\n".join(answer["content"]["traceback"])
        if answer["msg_type"] == "execute_reply":
            connection.close()
            while await connection.read_message() is not None:  # until the server has closed it too
                continue
            return str(answer["content"]["status"])

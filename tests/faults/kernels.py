"""A kernel as JupyterLab has one: started by the server's REST API, talked to over its websocket."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import websocket

from tests.server import JupyterServer


class Kernel:
    """A kernel of a notebook; ``run`` executes a cell and waits for it."""

    def __init__(self, server: JupyterServer, notebook: str = "work.ipynb") -> None:
        self._server = server
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        answer = server.ask("POST", "api/sessions", body)
        assert answer.status == 201, answer.body
        self.id = str(answer.json["kernel"]["id"])
        self._socket = open_socket(server, f"api/kernels/{self.id}/channels")
        self.pid = int(self.run("import os; print(os.getpid())"))

    def run(self, code: str, timeout_s: float = 60) -> str:
        """Executes a cell; returns what it printed and its results as text. A cell that fails fails the test."""
        message_id = self.send(code)
        said, deadline = "", time.monotonic() + timeout_s
        while True:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            message = json.loads(self._socket.recv())
            if message.get("parent_header", {}).get("msg_id") != message_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                said += content["text"]
            elif kind in ("execute_result", "display_data"):
                said += content["data"].get("text/plain", "")
            elif kind == "error":
                raise AssertionError("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return said

    def send(self, code: str) -> str:
        """Begins to execute a cell."""
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "s", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        whole: dict[str, Any] = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps({**whole, "channel": "shell", "buffers": []}))
        return message_id

    def restart(self) -> None:
        """Restarts it as the button does."""
        answer = self._server.ask("POST", f"api/kernels/{self.id}/restart", {})
        assert answer.status == 200, answer.body

    def close(self) -> None:
        """Leaves the kernel alone."""
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._socket.close()


@contextlib.contextmanager
def a_kernel(server: JupyterServer) -> Iterator[Kernel]:
    """Starts a kernel; it ends with the server."""
    kernel = Kernel(server)
    try:
        yield kernel
    finally:
        kernel.close()


def open_socket(server: JupyterServer, path: str) -> websocket.WebSocket:
    """Opens a websocket of a server's."""
    url = f"ws://127.0.0.1:{server.port}{server.base_url}{path}"
    return websocket.create_connection(
        url, timeout=30, header=[f"Authorization: token {server.token}"], suppress_origin=True
    )

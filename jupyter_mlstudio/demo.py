"""The main job, headless and end to end, on a real Jupyter server: ``jupyter mlstudio demo``.

It runs the quickstart notebook over Jupyter's kernel API, kills the server with SIGKILL while a run is live, starts
it again, and compares what the endpoint answers over HTTP with scikit-learn in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

START_TIMEOUT_S = 60.0
CELL_TIMEOUT_S = 120.0
ROWS = 100
_SHIPPED = Path(__file__).parent / "examples"
EXAMPLES = _SHIPPED if _SHIPPED.is_dir() else Path(__file__).parents[1] / "examples"


def run(folder: Path | None = None) -> int:
    """Runs the demo; returns 0 when every expectation holds.

    Args:
        folder: where to work; a temporary folder, removed afterwards, by default.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlstudio-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        demo = Demo(folder.resolve())
        try:
            asyncio.run(demo.run())
        except Exception as error:
            demo.expect(f"the demo goes on to its end ({type(error).__name__}: {error})", False)
        finally:
            demo.clean_up()
        return demo.report()


class Demo:
    """Steps and expectations, with the time that each took."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._passed = 0
        self._failed = 0
        self._began = time.monotonic()
        self._server: Server | None = None
        self._endpoint: str | None = None

    async def run(self) -> None:
        """Does the whole job."""
        for name in ("quickstart.ipynb", "train.py", "report.ipynb"):
            shutil.copy(EXAMPLES / name, self._folder / name)
        cells = _code_cells(self._folder / "quickstart.ipynb")
        server = self._start()
        self.expect("the server answers with an empty workspace", server.get("runs")["total"] == 0)
        kernel = await server.kernel("quickstart.ipynb")
        said = await kernel.execute(cells[0])
        self.expect("%load_ext says where the workspace is", str(self._folder) in said.text)
        card = await kernel.execute(cells[1])
        self.expect("the submitted cell shows a card", "application/vnd.jupyter-mlstudio.run+json" in card.media)
        run_id = self._wait_for_metric(server, "accuracy")
        self.expect("the kernel is free while the run is live", (await kernel.execute("6 * 7")).text.strip() == "42")
        kernel.close()
        server = self._survive(server, run_id)
        await self._from_run_to_endpoint(server, cells, run_id)

    def expect(self, what: str, holds: bool) -> None:
        """Notes and prints an expectation."""
        self._passed, self._failed = self._passed + holds, self._failed + (not holds)
        print(f"{time.monotonic() - self._began:7.1f} s  {'ok    ' if holds else 'FAILED'}  {what}", flush=True)

    def report(self) -> int:
        """Prints the closing line; returns the exit status."""
        print(f"demo: {self._passed} passed, {self._failed} failed", flush=True)
        return 1 if self._failed else 0

    def clean_up(self) -> None:
        """Ends everything that was started."""
        if self._server is None:
            return
        with contextlib.suppress(OSError, urllib.error.URLError):
            if self._endpoint:
                self._server.delete(f"endpoints/{self._endpoint}")
            for one in self._server.get("runs?status=live")["items"]:
                self._server.post(f"runs/{one['id']}/stop")
        self._server.stop(signal.SIGTERM)

    def _start(self) -> Server:
        self._server = Server(self._folder)
        self._server.wait_until_ready()
        self.expect("a Jupyter server with the studio starts", True)
        return self._server

    def _wait_for_metric(self, server: Server, name: str) -> str:
        def live() -> str | None:
            return next((str(r["id"]) for r in server.get("runs?status=live")["items"] if name in r["metrics"]), None)

        run_id = str(wait_for(live))
        self.expect("the run is live and its metrics arrive", True)
        return run_id

    def _survive(self, server: Server, run_id: str) -> Server:
        before = server.get(f"runs/{run_id}")
        server.stop(signal.SIGKILL)
        self.expect(f"the server was killed while the run was {before['status']}", before["status"] == "Running")
        again = self._start()
        after = again.get(f"runs/{run_id}")
        kept = after["metrics"].keys() >= before["metrics"].keys()
        self.expect("after the restart the run is there with its metrics, not disturbed", kept and not after["reason"])
        done = wait_for(lambda: _ended(again.get(f"runs/{run_id}")))
        self.expect(f"the run ended by itself: {done['status']}", done["status"] == "Completed")
        summary = next(m for m in again.get(f"runs/{run_id}/metrics") if m["name"] == "accuracy")
        self.expect(f"no point is missing: {summary['count']} of accuracy", summary["count"] >= 20)
        charts = {chart["schema_type"] for chart in again.get(f"runs/{run_id}/charts")}
        self.expect("ROC curve and confusion matrix are kept as data", {"roc_curve", "confusion_matrix"} <= charts)
        return again

    async def _from_run_to_endpoint(self, server: Server, cells: list[str], run_id: str) -> None:
        kernel = await server.kernel("quickstart.ipynb")
        await kernel.execute(cells[0])
        for cell in cells[2:]:
            if "endpoint.stop()" in cell:
                break
            result = await kernel.execute(cell)
            first = cell.strip().splitlines()[0]
            self.expect(f"cell: {first[:70]}", not result.error)
            if result.error:
                print(result.error, flush=True)
        kernel.close()
        version = server.get("models/cancer-risk/versions/champion")
        parity = version["parity"] or {}
        self.expect(
            f"the best run is registered and ONNX answers the same: {parity.get('rows')} rows, "
            f"{parity.get('label_flips')} label flips, difference at most {parity.get('max_abs_difference'):.1e}",
            version["status"] == "Ready" and parity.get("label_flips") == 0,
        )
        self._compare(server, version)

    def _compare(self, server: Server, version: dict[str, Any]) -> None:
        """Scores held-out rows over HTTP with a key, and with scikit-learn from the run's own model file."""
        endpoint = server.get("endpoints")[0]
        self._endpoint = str(endpoint["name"])
        self.expect(f"the endpoint is {endpoint['state']} at {endpoint['url']}", endpoint["state"] == "Ready")
        key = server.post(f"endpoints/{self._endpoint}/keys/secondary/regenerate")["keys"]["secondary"]
        rows, expected = _held_out(self._folder / ".mlstudio" / "runs" / version["run_id"])
        began = time.monotonic()
        status, answer = _score(endpoint["scoring_url"], key, version["signature"]["inputs"], rows)
        took_ms = (time.monotonic() - began) * 1000
        self.expect(f"{len(rows)} rows scored over HTTP in {took_ms:.0f} ms", status == 200)
        given = _probabilities(answer)
        worst = max(
            abs(a - b) for left, right in zip(given, expected, strict=True) for a, b in zip(left, right, strict=True)
        )
        self.expect(f"probabilities differ from scikit-learn by at most {worst:.1e}", worst <= 1e-5)
        refused, _ = _score(endpoint["scoring_url"], "wrong", version["signature"]["inputs"], rows[:1])
        self.expect("a wrong key is refused", refused == 401)


class Server:
    """A Jupyter server as a process, and its REST API."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.token = secrets.token_hex(16)
        self.log = folder / ".jupyter-server.log"
        options = [f"--port={self.port}", "--port-retries=0", "--ip=127.0.0.1", "--no-browser", "--allow-root"]
        settings = [f"--ServerApp.root_dir={folder}", "--ServerApp.jpserver_extensions=jupyter_mlstudio=True"]
        command = [sys.executable, "-m", "jupyter_server", *options, *settings]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLSTUDIO_", "MLFLOW_", "JPY_"))}
        environment |= {"JUPYTER_TOKEN": self.token, "JUPYTER_RUNTIME_DIR": str(folder / ".jupyter-runtime")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def wait_until_ready(self) -> None:
        """Waits for the first answer."""

        def answers() -> bool:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text(encoding='utf-8')[-500:]}")
            with contextlib.suppress(OSError):
                self.get("workspaces")
                return True
            return False

        wait_for(answers, START_TIMEOUT_S)

    def get(self, path: str) -> Any:
        """Asks the studio's API."""
        return self._ask("GET", f"mlstudio/api/v1/{path}")

    def post(self, path: str) -> Any:
        """Posts an empty object to the studio's API."""
        return self._ask("POST", f"mlstudio/api/v1/{path}", {})

    def delete(self, path: str) -> None:
        """Deletes a thing of the studio's."""
        self._ask("DELETE", f"mlstudio/api/v1/{path}")

    async def kernel(self, notebook: str) -> Kernel:
        """Starts a kernel for a notebook, as JupyterLab does, and connects to it."""
        session = self._ask(
            "POST", "api/sessions",
            {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}},
        )  # fmt: skip
        url = f"ws://127.0.0.1:{self.port}/api/kernels/{session['kernel']['id']}/channels"
        request = HTTPRequest(url, headers={"Authorization": f"token {self.token}"})
        return Kernel(await websocket_connect(request, max_message_size=64 * 1024 * 1024))

    def stop(self, number: signal.Signals) -> None:
        """Sends the server a signal and waits for its end."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}", data=data, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None


class Result:
    """What a cell answered."""

    def __init__(self) -> None:
        self.text = ""
        self.media: set[str] = set()
        self.error = ""

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Takes in one message."""
        if kind == "stream":
            self.text += content["text"]
        elif kind in ("execute_result", "display_data"):
            self.media |= content["data"].keys()
            self.text += content["data"].get("text/plain", "")
        elif kind == "error":
            self.error = f"{content['ename']}: {content['evalue']}"


class Kernel:
    """A kernel over Jupyter's websocket (messaging protocol 5.3)."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._session = uuid.uuid4().hex

    async def execute(self, code: str) -> Result:
        """Executes a cell and waits until the kernel is idle again."""
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "demo", "session": self._session,
            "date": "", "version": "5.3",
        }  # fmt: skip
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await self._channel.write_message(json.dumps({**message, "buffers": []}))
        return await asyncio.wait_for(self._result(header["msg_id"]), CELL_TIMEOUT_S)

    async def _result(self, request_id: str) -> Result:
        result = Result()
        while True:
            text = await self._channel.read_message()
            if text is None:
                result.error = "the kernel's connection was closed"
                return result
            message = json.loads(text)
            if message["parent_header"].get("msg_id") != request_id:
                continue
            kind = message["header"]["msg_type"]
            result.add(kind, message["content"])
            if kind == "status" and message["content"]["execution_state"] == "idle":
                return result

    def close(self) -> None:
        """Closes the connection; the kernel stays."""
        self._channel.close()


def wait_for(look: Any, timeout_s: float = CELL_TIMEOUT_S) -> Any:
    """Looks until there is something to see.

    Raises:
        TimeoutError: there was nothing in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"nothing within {timeout_s:g} s")


def _ended(one: dict[str, Any]) -> dict[str, Any] | None:
    return one if one["status"] in ("Completed", "Failed", "Canceled") else None


def _code_cells(path: Path) -> list[str]:
    cells: Iterator[Any] = iter(json.loads(path.read_text(encoding="utf-8"))["cells"])
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def _held_out(run_folder: Path) -> tuple[Any, list[list[float]]]:
    """Returns held-out rows and what the run's own model says to them; the file is this demo's own, so it is loaded."""
    import joblib
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    _, rows, _, _ = train_test_split(features, target, test_size=0.25, stratify=target, random_state=0)
    file = next(path for path in sorted((run_folder / "artifacts" / "model").iterdir()) if path.suffix == ".joblib")
    return rows[:ROWS], joblib.load(file).predict_proba(rows[:ROWS]).tolist()


def _score(url: str, key: str, inputs: list[dict[str, Any]], rows: Any) -> tuple[int, dict[str, Any]]:
    """Sends rows as one tensor, or one column each, as the signature says."""
    if len(inputs) == 1:
        tensors = [{**_tensor(inputs[0]), "shape": list(rows.shape), "data": rows.to_numpy().ravel().tolist()}]
    else:
        tensors = [{**_tensor(one), "shape": [len(rows), 1], "data": rows[one["name"]].tolist()} for one in inputs]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=json.dumps({"inputs": tensors}).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, {}


def _tensor(one: dict[str, Any]) -> dict[str, Any]:
    return {"name": one["name"], "datatype": one["datatype"]}


def _probabilities(answer: dict[str, Any]) -> list[list[float]]:
    tensor = next(one for one in answer["outputs"] if one["datatype"] in ("FP32", "FP64") and len(one["shape"]) == 2)
    width = int(tensor["shape"][1])
    return [tensor["data"][at : at + width] for at in range(0, len(tensor["data"]), width)]

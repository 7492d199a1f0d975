"""What a serve run executes: it keeps the listening socket, and a scoring process behind it alive.

The socket stays open while the scoring process is started again, so that callers wait instead of being refused. The
scoring process begins to load its libraries before the model version is ready, so that both take their time at once.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import active, tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, StudioError, Unavailable
from jupyter_mlstudio.programs import context

CRASHES_LIMIT = 5
STEADY_S = 60.0
"""After so long without a crash, the count begins again."""

BACKOFF_S = (0.1, 0.5, 1.0, 2.0)
HESITATION_S = 3.0
"""A scoring process that says nothing for so long is not shown as ready."""

SILENCE_S = 6.0
"""One that says nothing for so long hangs and is replaced."""

START_S = 120.0
"""So long it may take to load the model, during which it says nothing."""

GRACE_S = 6.0
POLL_S = 0.03
TAG = "mlstudio.endpoint."


class Worker:
    """One scoring process and what it says, line by line."""

    def __init__(self, listening: socket.socket) -> None:
        descriptor = listening.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlstudio.serving", str(descriptor)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor],
        )  # fmt: skip
        self.messages: queue.SimpleQueue[dict[str, JSON] | None] = queue.SimpleQueue()
        self.heard_at = time.monotonic()
        self.started = False
        threading.Thread(target=self._listen, daemon=True).start()

    def configure(self, config: dict[str, JSON]) -> None:
        """Tells it what to serve; it answers with ready or failed."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(config).encode() + b"\n")
            self.process.stdin.flush()
        self.heard_at = time.monotonic()

    def end(self) -> None:
        """Ends it: politely, then not."""
        self.process.terminate()
        try:
            self.process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self.process.stdout:
                self.messages.put(json.loads(line))
        self.messages.put(None)


class Server:
    """The endpoint's parent process."""

    def __init__(self, options: dict[str, JSON]) -> None:
        self.options = options
        self._parent = os.getppid()
        self._listening = listen(options.get("port"))
        self._url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._counts: dict[str, JSON] = {"requests": options.get("requests", 0), "errors": options.get("errors", 0)}
        self._ready = False
        self._crashes = 0
        self._crashed_at = 0.0
        self._used: dict[str, JSON] = {}
        self._counted_at = time.monotonic()

    def run(self) -> int:
        """Serves until the run is stopped."""
        worker = Worker(self._listening)
        try:
            config = self._config()
            while True:
                worker.configure(config | {"requests": self._counts["requests"], "errors": self._counts["errors"]})
                if self._follow(worker) == "orphaned":
                    return 1
                worker.end()
                time.sleep(self._pause())
                worker = Worker(self._listening)
        finally:
            worker.end()

    def _config(self) -> dict[str, JSON]:
        """Waits until the model version is ready, and says what to serve."""
        options = self.options
        version = wait_until_ready(str(options["model"]), int(options["version"]), self._is_orphaned)
        digests = {file["path"]: file["sha256"] for file in version["files"]}
        onnx = str(options["onnx"])
        if Path(onnx).name not in digests:
            raise Conflict(f"version {options['version']} of {options['model']!r} has no ONNX file")
        return {
            "endpoint": options["endpoint"], "model": options["model"], "version": str(options["version"]),
            "onnx": onnx,
            "sha256": digests[Path(onnx).name], "keys_file": options["keys_file"], "signature": version["signature"],
            "operators": version.get("operators", []), "limits": options.get("limits", {}),
        }  # fmt: skip

    def _follow(self, worker: Worker) -> str:
        """Listens to the scoring process until it is gone."""
        while True:
            try:
                message = worker.messages.get(timeout=0.5)
            except queue.Empty:
                if self._is_orphaned():
                    return "orphaned"
                self._mind(worker)
                continue
            worker.heard_at = time.monotonic()
            if message is None:
                return self._crashed(worker.process.wait())
            if "failed" in message:
                raise Conflict(str(message["failed"]))
            worker.started = True
            if "ready" in message or ("stats" in message and not self._ready):
                self._tell(ready=True)
            if "stats" in message:
                self._count(message["stats"])
            if self._is_orphaned():
                return "orphaned"

    def _mind(self, worker: Worker) -> None:
        """Says so when the scoring process is silent, and kills it when it stays so."""
        silent_s = time.monotonic() - worker.heard_at
        if self._ready and silent_s > HESITATION_S:
            self._tell(ready=False, reason="the scoring process does not answer")
        if silent_s > (SILENCE_S if worker.started else START_S):
            print(f"the scoring process has said nothing for {silent_s:.0f} s; it is replaced", file=sys.stderr)
            worker.process.kill()

    def _crashed(self, status: int) -> str:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        print(f"the scoring process {how}", file=sys.stderr)
        now = time.monotonic()
        self._crashes = self._crashes + 1 if now - self._crashed_at < STEADY_S else 1
        self._crashed_at = now
        self._tell(ready=False, reason=f"the scoring process {how}; it is started again")
        if self._crashes >= CRASHES_LIMIT:
            raise Unavailable(f"the scoring process {how}, {self._crashes} times in a row")
        return "crashed"

    def _pause(self) -> float:
        return BACKOFF_S[min(self._crashes, len(BACKOFF_S)) - 1]

    def _tell(self, *, ready: bool, reason: str = "") -> None:
        self._ready = ready
        tags = {TAG + "url": self._url, TAG + "ready": "true" if ready else "false", TAG + "reason": reason}
        run = active.current()
        run.set_tags(tags)
        run.flush()
        if ready:
            print(f"ready at {self._url}/v2/models/{segment(self.options['model'])}", flush=True)

    def _count(self, stats: dict[str, JSON]) -> None:
        """Logs counts and latencies as the run's metrics when there were requests since the last time."""
        now = time.monotonic()
        requests = stats["requests"] - self._counts["requests"]
        if requests:
            metrics = {"requests": stats["requests"], "errors": stats["errors"]}
            metrics["requests_per_s"] = requests / max(now - self._counted_at, 1e-3)
            quantiles = [name for name in ("p50_ms", "p95_ms", "p99_ms") if stats[name] is not None]
            metrics |= {f"latency_{name}": stats[name] for name in quantiles}
            tracking.log_metrics(metrics)
        elif self._counts.get("busy"):
            tracking.log_metrics({"requests_per_s": 0.0})
        if stats["keys_used_at"] != self._used:
            self._used = stats["keys_used_at"]
            tracking.set_tags({f"{TAG}{name}_used_at": _iso(at) for name, at in self._used.items()})
        self._counts = {"requests": stats["requests"], "errors": stats["errors"], "busy": bool(requests)}
        self._counted_at = now

    def _is_orphaned(self) -> bool:
        return os.getppid() != self._parent


def listen(port: int | None) -> socket.socket:
    """Opens the listening socket on the loopback address.

    Raises:
        Conflict: the port is taken; the message has the port and, where it can be known, who holds it.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port or 0))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"port {port} is in use{_holder(port or 0)}; free it or choose another port") from error
        raise Invalid(f"port {port} cannot be listened on: {error.strerror}") from error
    listening.set_inheritable(True)
    return listening


def wait_until_ready(model: str, version: int, cancelled: Any = lambda: False) -> dict[str, JSON]:
    """Asks until a model version is converted.

    Raises:
        Conflict: it is refused, so it cannot be served.
    """
    path = f"models/{segment(model)}/versions/{version}"
    while not cancelled():
        found: dict[str, JSON] = connect().get(path)
        if found["status"] == "Ready":
            return found
        if found["status"] == "Refused":
            raise Conflict(f"version {version} of {model!r} cannot be served: {found['reason']}")
        time.sleep(POLL_S)
    raise Unavailable("the run's supervisor is gone")


def _holder(port: int) -> str:
    try:
        import psutil

        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return ""
                with contextlib.suppress(psutil.Error):
                    return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
                return f" by process {connection.pid}"
    except (ImportError, OSError, StudioError):
        return ""
    except Exception as error:  # psutil raises its own kinds when it may not look
        return "" if type(error).__module__.startswith("psutil") else _again(error)
    return ""


def _again(error: Exception) -> str:
    raise error


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def run(job: context.Job) -> int:
    """Serves the model version that the run's options name."""
    return Server(dict(job.spec.get("options") or {})).run()


if __name__ == "__main__":
    sys.exit(context.execute(run, record=False))

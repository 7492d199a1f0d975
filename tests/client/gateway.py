"""A small gateway for tests: a real HTTP server that takes what a run's own gateway takes and keeps it in memory.

Requests are read through the studio's own table of routes, so that the client cannot drift from it.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import TypeAdapter, ValidationError

from jupyter_mlstudio.api.route import Upload
from jupyter_mlstudio.api.table import ROUTES

PREFIX = "/mlstudio/api/v1/"


class Gateway:
    """Speaks the routes that a run's work uses, for one run, and can be made to refuse, to fail and to go away."""

    def __init__(self, run_id: str = "run1", port: int = 0) -> None:
        self.run_id = run_id
        self.token = "secret"
        self.batches: list[dict[str, Any]] = []
        self.seen: Counter[tuple[str, int]] = Counter()
        self.charts: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.submitted: list[dict[str, Any]] = []
        self.finished: list[dict[str, Any]] = []
        self.sweeps: dict[str, dict[str, Any]] = {}
        self.trials: list[dict[str, Any]] = []
        self.steered: list[tuple[str, Any]] = []
        self.end_sweeps = "Running"
        self.report: dict[str, Any] = {"phase": "starting", "leaderboard": []}
        self.answer: dict[str, Any] = {}
        self.runs: dict[str, dict[str, Any]] = {run_id: run_data(run_id)}
        self.experiments: dict[str, dict[str, Any]] = {}
        self.connections = 0
        self.answer_with: tuple[int, dict[str, str]] | None = None
        self.lose_answers = 0
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.gateway = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Goes away, as a gateway does whose supervisor was killed."""
        self._server.shutdown()
        self._server.server_close()
        for link in list(self._server.links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def environment(self, folder: Path) -> dict[str, str]:
        """The variables of a run whose folder is ``folder``."""
        return {
            "MLSTUDIO_RUN_ID": self.run_id,
            "MLSTUDIO_RUN_FOLDER": str(folder),
            "MLSTUDIO_URL": self.url,
            "MLSTUDIO_TOKEN": self.token,
        }

    def taken(self) -> list[dict[str, Any]]:
        """The batches as a store takes them: each (client, sequence) once."""
        first: dict[tuple[str, int], dict[str, Any]] = {}
        for batch in self.batches:
            first.setdefault((batch["client"], batch["sequence"]), batch)
        return list(first.values())

    def points(self, name: str) -> list[tuple[int, Any]]:
        """Steps and values of a metric."""
        found: list[tuple[int, Any]] = []
        for batch in self.taken():
            series = batch.get("metrics", {}).get(name)
            if series:
                found += zip(series["steps"], series["values"], strict=True)
        return found

    def details(self, kind: str) -> dict[str, Any]:
        """Parameters, tags, progress or environment, the latest of each."""
        return {key: value for batch in self.taken() for key, value in (batch.get(kind) or {}).items()}


def run_data(run_id: str, **known: Any) -> dict[str, Any]:
    """A run as the API answers it."""
    return {
        "id": run_id, "name": "forest", "experiment_id": "e1", "experiment": "Default", "kind": "cell",
        "status": "Running", "reason": "", "user": "ann", "target": "local", "created_at": "2026-01-01T00:00:00Z",
        "started_at": "2026-01-01T00:00:01Z", "ended_at": None, "duration_s": 41.5, "parent_run_id": None,
        "waits_for": None, "progress": None, "params": {}, "metrics": {}, "tags": {}, "summaries": [], "origin": {},
        **known,
    }  # fmt: skip


def sweep_data(run_id: str, **known: Any) -> dict[str, Any]:
    """A sweep as the API answers it."""
    return {
        "run_id": run_id, "name": "sweep-1", "experiment": "Default", "status": "Running", "phase": "Running",
        "spec": {}, "work": {}, "work_kind": "script", "control": {"limits": {}}, "counts": {}, "best": None,
        "front": [], "lead": {"low": None, "high": None, "runner_up": None, "within_noise": False, "note": ""},
        "resume_from": None, **known,
    }  # fmt: skip


def refusal(method: str, path: list[str], query: dict[str, list[str]], body: bytes) -> str | None:
    """Says what the table of routes has against a request, None when it would take it."""
    route = next((route for route in ROUTES if route.method == method and _fits(route.path.split("/"), path)), None)
    if route is None:
        return f"the table of routes has no {method} {'/'.join(path)}"
    lists = {name for name, field in route.query.model_fields.items() if "list" in str(field.annotation)}
    try:
        route.query.model_validate({name: v if name in lists else v[0] for name, v in query.items()})
        if method in ("POST", "PUT", "PATCH") and route.body is not Upload:
            TypeAdapter(route.body).validate_json(body)
    except ValidationError as error:
        return str(error)
    return None


def _fits(pattern: list[str], path: list[str]) -> bool:
    if pattern[-1].endswith("*}"):
        pattern = [*pattern[:-1], *["{}"] * (len(path) - len(pattern) + 1)]
    same = (one == other or one.startswith("{") for one, other in zip(pattern, path, strict=False))
    return len(pattern) == len(path) and all(same)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gateway: Gateway

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.links: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.gateway.connections += 1
        self.links.add(request)
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of the base class

    def _answer(self) -> None:
        gateway = self.server.gateway
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != f"Bearer {gateway.token}":
            return self._send(401, {"code": "unauthorized", "message": "no token"})
        if gateway.answer_with is not None:
            return self._send(*gateway.answer_with)
        parts = urlsplit(self.path)
        path = [unquote(part) for part in parts.path.removeprefix(PREFIX).split("/")]
        wrong = refusal(self.command, path, parse_qs(parts.query), body)
        if wrong is not None:
            return self._send(400, {"code": "invalid", "message": wrong})
        status, answer = self._route(path, parse_qs(parts.query), body)
        if gateway.lose_answers:
            gateway.lose_answers -= 1
            self.close_connection = True
            return None
        return self._send(status, answer)

    def _route(self, path: list[str], query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        gateway = self.server.gateway
        match [self.command, *path]:
            case ["POST", "runs"]:
                gateway.submitted.append(json.loads(body))
                return 201, run_data("run2", status="Queued", name=gateway.submitted[-1]["name"] or "run-2")
            case ["POST", "runs", "interactive"]:
                gateway.submitted.append(json.loads(body))
                return 201, {"run_id": gateway.run_id, "url": gateway.url, "token": gateway.token}
            case ["POST", "sweeps"]:
                new = json.loads(body)
                gateway.submitted.append(new)
                gateway.sweeps["sweep1"] = sweep_data("sweep1", spec=new["sweep"], work_kind=new["work_kind"])
                gateway.runs["sweep1"] = run_data("sweep1", kind="sweep", name=new["name"] or "sweep-1")
                gateway.runs["sweep1"]["status"] = gateway.end_sweeps
                return 201, gateway.runs["sweep1"]
            case ["GET", "sweeps", name, "trials"] if name in gateway.sweeps:
                after, limit = int(query["after"][0]), int(query["limit"][0])
                page = gateway.trials[after : after + limit]
                return 200, {"trials": page, "cursor": after + len(page), "total": len(gateway.trials)}
            case ["GET", "sweeps", name] if name in gateway.sweeps:
                return 200, gateway.sweeps[name]
            case ["POST", "sweeps", name, "resume"]:
                gateway.steered.append(("resume", json.loads(body)))
                return 201, run_data("sweep2", kind="sweep", name="sweep-2")
            case ["POST" | "PATCH", "sweeps", name, *rest] if name in gateway.sweeps:
                gateway.steered.append(("/".join(rest), json.loads(body) if body else None))
                return 200, gateway.sweeps[name]
            case ["POST", "automl"]:
                gateway.submitted.append(json.loads(body))
                name = gateway.submitted[-1]["name"] or "automl-1"
                gateway.runs["automl1"] = run_data("automl1", kind="automl", name=name)
                gateway.runs["automl1"]["status"] = gateway.end_sweeps
                return 201, gateway.runs["automl1"]
            case ["GET", "automl", "automl1", "report"]:
                return 200, gateway.report
            case ["GET", "automl", "automl1"]:
                return 200, {"spec": gateway.submitted[-1]["automl"], "report": gateway.report, "name": "automl-1"}
            case ["GET", "automl", "automl1", "code"]:
                return 200, {"text": f"as {query['format'][0]}"}
            case ["POST", "automl", "automl1", word]:
                gateway.steered.append((word, json.loads(body) if body else None))
                return 200, run_data("automl2", kind="automl", name="automl-2") if word == "resume" else gateway.answer
            case ["PUT", "model-uploads", *rest]:
                gateway.files["/".join(rest[2:])] = body
                return 201, {"path": rest[-1], "size_bytes": len(body), "sha256": ""}
            case ["GET", "experiments", name] if name in gateway.experiments:
                return 200, gateway.experiments[name]
            case ["PATCH", "experiments", _]:
                gateway.experiments["Default"] |= json.loads(body)
                return 200, gateway.experiments["Default"]
            case ["POST", "experiments"]:
                new = json.loads(body)
                gateway.experiments[new["name"]] = {"id": "e2", **new}
                return 201, gateway.experiments[new["name"]]
            case ["GET", "runs"]:
                items = [one for one in gateway.runs.values() if "top" not in query or one["parent_run_id"] is None]
                return 200, {"items": items, "total": len(items), "next_page_token": None}
            case ["GET", "runs", name] if name in gateway.runs:
                return 200, gateway.runs[name]
            case ["POST", "runs", name, "finish"]:
                gateway.finished.append(json.loads(body))
                gateway.runs[name]["status"] = "Failed" if gateway.finished[-1]["failed"] else "Completed"
                return 200, gateway.runs[name]
            case ["POST", "runs", name, "stop"]:
                gateway.runs[name]["status"] = "Canceled"
                return 200, gateway.runs[name]
            case ["POST", "runs", _, "log"]:
                return 200, self._take(json.loads(body))
            case ["PUT", "runs", _, "charts", name]:
                gateway.charts[name] = json.loads(body)
                return 200, {"name": name}
            case ["PUT", "runs", _, "files", *rest]:
                gateway.files["/".join(rest)] = body
                return 201, {"path": "/".join(rest)}
            case ["GET", "runs", _, "files", *rest] if "/".join(rest) in gateway.files:
                return 200, gateway.files["/".join(rest)]
            case ["GET", "runs", _, "logs"]:
                offset = int(query["offset"][0])
                text = "one\ntwo\n"[offset:]
                return 200, {"text": text, "offset": offset, "next_offset": 8, "size": 8, "live": False}
        return 404, {"code": "not_found", "message": f"there is no {'/'.join(path)}"}

    def _take(self, batch: dict[str, Any]) -> dict[str, bool]:
        gateway = self.server.gateway
        key = (batch["client"], batch["sequence"])
        gateway.seen[key] += 1
        gateway.batches.append(batch)
        return {"taken": gateway.seen[key] == 1}

    def _send(self, status: int, answer: Any) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

"""Serves the model beside this file: ``python server.py [--host 127.0.0.1] [--port 8080]``.

Open Inference Protocol V2 over JSON at ``/v2``, and ``POST /score`` as Azure Machine Learning has it. With keys in the
environment variable ``MLSTUDIO_KEYS`` (several: separated by commas), or in a file named by ``MLSTUDIO_KEYS_FILE``,
everything but the health checks needs ``Authorization: Bearer KEY``. Without a key it listens on loopback only.
"""

from __future__ import annotations

import argparse
import hmac
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

import score  # noqa: E402
import scoring  # noqa: E402

BODY_LIMIT_BYTES = 16 * 1024 * 1024
TIMEOUT_S = 30
CONCURRENT = 32


def keys() -> list[bytes]:
    """The access keys."""
    path = os.environ.get("MLSTUDIO_KEYS_FILE")
    text = Path(path).read_text(encoding="utf-8") if path else os.environ.get("MLSTUDIO_KEYS", "")
    return [key.strip().encode() for key in text.replace("\n", ",").split(",") if key.strip()]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S
    model: scoring.Model
    keys: list[bytes]
    room = threading.BoundedSemaphore(CONCURRENT)

    def do_GET(self) -> None:
        """Health and metadata."""
        path = [unquote(part) for part in self.path.partition("?")[0].split("/")[1:]]
        model = ["v2", "models", self.model.name]
        if path in (["v2", "health", "live"], ["v2", "health", "ready"]):
            return self._answer(200, {path[-1]: True})
        if path == [""]:
            return self._answer(200, "Healthy")
        if not self._may():
            return self._answer(401, {"error": "a valid key is needed: Authorization: Bearer <key>"})
        if path == ["v2"]:
            return self._answer(200, {"name": "jupyter_mlstudio bundle", "version": "1", "extensions": []})
        if path in (model, [*model, "versions", self.model.version]):
            return self._answer(200, self.model.metadata())
        if path == [*model, "ready"]:
            return self._answer(200, {"name": self.model.name, "ready": True})
        return self._answer(404, {"error": f"there is nothing here; the model is at /v2/models/{self.model.name}"})

    def do_POST(self) -> None:
        """Scores."""
        path = [unquote(part) for part in self.path.partition("?")[0].split("/")[1:]]
        model = ["v2", "models", self.model.name]
        body = self._body()
        if body is None:
            return None
        if not self._may():
            return self._answer(401, {"error": "a valid key is needed: Authorization: Bearer <key>"})
        if path not in (["score"], [*model, "infer"], [*model, "versions", self.model.version, "infer"]):
            return self._answer(404, {"error": f"there is nothing here; POST /v2/models/{self.model.name}/infer"})
        if not self.room.acquire(timeout=5):
            return self._answer(503, {"error": "too many requests at once; try again"})
        try:
            answer = score.run(body) if path == ["score"] else self.model.infer(json.loads(body))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return self._answer(400, {"error": str(error)[:500] or type(error).__name__})
        except Exception:
            print("the model failed", file=sys.stderr)
            return self._answer(500, {"error": "the model cannot compute an answer for these values"})
        finally:
            self.room.release()
        return self._answer(200, answer)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of each request."""

    def _may(self) -> bool:
        scheme, _, given = (self.headers.get("Authorization") or "").partition(" ")
        found = [hmac.compare_digest(given.strip().encode("latin-1", "replace"), key) for key in self.keys]
        return not self.keys or (scheme.lower() == "bearer" and any(found))

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdigit()) or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._answer(411, {"error": "the length of the body is needed"})
            return None
        if len(length) > 12 or int(length) > BODY_LIMIT_BYTES:
            self.close_connection = True
            self._answer(413, {"error": f"the body is larger than {BODY_LIMIT_BYTES} bytes"})
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: int, content: Any) -> None:
        plain = isinstance(content, str)
        body = content.encode() if plain else json.dumps(content, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if plain else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """One thread for each connection; they end with the process."""

    daemon_threads = True
    request_queue_size = 128


def main() -> int:
    """Serves until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    Handler.keys = keys()
    if not Handler.keys and given.host not in ("127.0.0.1", "localhost", "::1"):
        print("without MLSTUDIO_KEYS this listens on 127.0.0.1 only: set a key, or leave --host away", file=sys.stderr)
        return 2
    Handler.model = scoring.Model(_HERE)
    with Server((given.host, given.port), Handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        print(f"ready at http://{given.host}:{server.server_port}/v2/models/{Handler.model.name}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

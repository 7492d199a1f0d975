"""A process that executes a scoring script: ``python -m jupyter_mlstudio.serving.script LISTENING_FD``.

The script is Azure's: ``init()`` is called once, ``run(raw_data)`` for each request with the body as text, or, when it
is decorated with ``@rawhttp``, with the request itself; ``AZUREML_MODEL_DIR`` names the folder of the model's files.
Source: Azure Machine Learning, "Author the scoring script". It executes whatever is in it, as the user: that is why it
is opted for, and why it receives no request from outside itself. One request is worked on at a time.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.errors import Invalid, NotFound, StudioError, TimedOut, TooLarge
from jupyter_mlstudio.serving.azureml import AMLRequest, is_raw, offer_modules
from jupyter_mlstudio.serving.config import Limits, Routes, ServeConfig
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.memory import loading, tell_lack
from jupyter_mlstudio.serving.metrics import Meter
from jupyter_mlstudio.serving.peers import COPY
from jupyter_mlstudio.serving.process import Lines, Process, keep_channel, say
from jupyter_mlstudio.serving.request import Reply, Request, refusal
from jupyter_mlstudio.serving.stats import Stats
from jupyter_mlstudio.serving.turns import Turns

PATHS = (b"/score", b"/")
NATIVE = "native"
_STATUSES = range(200, 600)


class ScriptFailed(StudioError):
    """The scoring script raised an exception, which is in the endpoint's log."""

    code = "script_failed"
    status = 500


class Script:
    """A scoring script, loaded and made ready.

    Raises:
        Invalid: it cannot be loaded, has no ``run``, or its ``init()`` failed.
    """

    def __init__(self, path: Path, model_folder: str, memory_bytes: int = Limits().memory_bytes) -> None:
        self._name = path.name
        self._memory_bytes = memory_bytes
        os.environ["AZUREML_MODEL_DIR"] = model_folder
        offer_modules()
        if not path.is_file():
            raise Invalid(f"the scoring script {path.name} is not there")
        os.chdir(path.parent)
        sys.path.insert(0, str(path.parent))
        module = self._loaded(path)
        run = getattr(module, "run", None)
        if not callable(run):
            raise Invalid(f"{path.name} has no function run(raw_data)")
        self._run: Callable[[Any], Any] = run
        self.is_raw = is_raw(run)
        if callable(init := getattr(module, "init", None)):
            self._tried(init, "init() of")

    def answer(self, request: Request) -> Reply:
        """Has the script answer a request.

        Raises:
            ScriptFailed: it raised an exception. Invalid: the body is not text. TooLarge: it ran out of memory.
        """
        try:
            if self.is_raw:
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.items()}
                target = request.target.decode("latin-1")
                found = self._run(AMLRequest(request.method.decode(), target, headers, bytes(request.body)))
            else:
                found = self._run(bytes(request.body).decode("utf-8"))
            return _reply(found)
        except UnicodeDecodeError as error:
            raise Invalid("the body is not text in UTF-8") from error
        except MemoryError as error:
            tell_lack(self._memory_bytes)
            raise TooLarge("this request needs more memory than the deployment may use") from error
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            raise ScriptFailed(f"run() of {self._name} raised {type(error).__name__}; the log says more") from error

    def _loaded(self, path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise Invalid(f"{path.name} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        loader = spec.loader
        self._tried(lambda: loader.exec_module(module), "importing")
        return module

    def _tried(self, work: Callable[[], object], what: str) -> None:
        try:
            work()
        except MemoryError:
            traceback.print_exc(file=sys.stderr)
            raise
        except (Exception, SystemExit) as error:
            traceback.print_exc(file=sys.stderr)
            raise Invalid(f"{what} {self._name} failed: {type(error).__name__}: {str(error)[:300]}") from error


class ScriptApplication:
    """What other processes of the endpoint ask; it admits no one else."""

    def __init__(self, config: ServeConfig, script: Script) -> None:
        self.config = config
        self.fellows = Fellows(config)
        self._script = script
        self._turns = Turns(config.limits, 1, "script")
        self._stats, self._copies, self._meter = Stats(), Stats(), Meter()
        self._told = (0, 0)
        self._deployment = b"\r\nazureml-model-deployment: " + config.deployment.encode()

    def go_by(self, routes: Routes) -> None:
        """Knows nobody to pass requests on to."""

    def admit(self, request: Request) -> Reply | None:
        """Answers what is not asked of a script."""
        request.copy = COPY in request.headers
        path = request.target.partition(b"?")[0]
        if path not in PATHS:
            return refusal(NotFound("there is nothing here; this deployment's script answers at /score"))
        if path == b"/":
            return Reply(200, b"Healthy", media=b"text/plain")
        if request.method != b"POST" and not self._script.is_raw:
            return Reply(405, b'{"error":"use POST","code":"method_not_allowed"}', b"\r\nallow: POST")
        return None

    def admit_again(self, head: bytes) -> Request | None:
        """Admits none without looking."""
        return None

    def remember(self, head: bytes, request: Request) -> None:
        """Keeps nothing."""

    def answer(self, request: Request) -> Reply | None:
        """Answers nothing at once: a script may take its time."""
        return None

    async def answer_aside(self, request: Request) -> Reply:
        """Has the script answer, when it is this request's turn."""
        began = time.perf_counter()
        lines = b""
        try:
            reply = await self._in_turn(request)
        except StudioError as error:
            reply = refusal(error)
            if isinstance(error, ScriptFailed | TimedOut):
                lines = b"\r\nx-ms-run-function-failed: True"
        seconds = time.perf_counter() - began
        reply.lines += self._deployment + lines + b"\r\nx-ms-run-fn-exec-ms: %.3f" % (seconds * 1000)
        (self._copies if request.copy else self._stats).record(seconds, reply.status < 400)
        if not request.copy:
            self._meter.record(reply.status, seconds)
        return reply

    async def _in_turn(self, request: Request) -> Reply:
        timeout_s = self.config.limits.request_timeout_s
        work = await self._turns.begin(self._script.answer, request)
        try:
            return await asyncio.wait_for(asyncio.shield(work), timeout_s)
        except TimeoutError as error:
            say(stuck=f"run() did not return within {timeout_s:g} s")  # nothing else can end a thread
            raise TimedOut(f"the script did not answer within {timeout_s:g} s") from error

    def too_large(self, request: Request) -> Reply:
        """Answers a request whose body grew over the limit while it was read."""
        return refusal(TooLarge(f"the body is larger than {self.config.limits.body_bytes} bytes"))

    def release(self, request: Request) -> None:
        """Holds nothing that could be given back."""

    @staticmethod
    def refusal(error: StudioError) -> Reply:
        """Writes an error as an answer."""
        return refusal(error)

    def close(self) -> None:
        """Has nothing to write."""

    def report(self) -> dict[str, Any]:
        """What was counted since the last report."""
        requests, errors = self._stats.requests - self._told[0], self._stats.errors - self._told[1]
        self._told = self._stats.requests, self._stats.errors
        self._copies.turn()
        counts = {"requests": requests, "errors": errors, "buckets": self._stats.turn(), "queue": self._turns.waiting}
        return counts | {"meter": self._meter.report(), "keys_used_at": {}} | self.fellows.summary()


def _reply(found: Any) -> Reply:
    """The answer that a script means by what it returned: a response of Azure's or Flask's kind, or a value as JSON."""
    if hasattr(found, "status_code") and hasattr(found, "headers"):
        data = found.get_data() if callable(getattr(found, "get_data", None)) else found.data
        headers = {str(name).lower(): str(value) for name, value in dict(found.headers).items()}
        media = headers.pop("content-type", "text/html; charset=utf-8")
        headers = {name: value for name, value in headers.items() if name not in ("content-length", "connection")}
        texts = (media, *headers, *headers.values())
        if found.status_code not in _STATUSES or any("\r" in text or "\n" in text for text in texts):
            raise ValueError("the script answered with a status or a header that HTTP does not know")
        lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items()).encode("latin-1")
        return Reply(found.status_code, bytes(data), lines, media=media.encode("latin-1"))
    return Reply(200, json.dumps(found, default=_plain, allow_nan=False).encode())


def model_folder(config: ServeConfig) -> Path:
    """Where the model's own files are, apart from what was made of them."""
    native = Path(config.folder) / NATIVE
    return native if native.is_dir() else Path(config.folder)


def _plain(value: Any) -> Any:
    """Arrays, their numbers and data frames, as JSON has them."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "to_dict"):
        return value.to_dict(orient="records")
    raise TypeError(f"run() returned a {type(value).__name__}, which JSON does not have")


def main(descriptor: int) -> int:
    """Serves until standard input ends; exit status 3 when the script cannot be made ready, whoever tries again."""
    lines = Lines(sys.stdin.fileno())
    keep_channel()
    line = lines.next()
    if line is None:
        return 0
    try:
        config = msgspec.json.decode(line, type=ServeConfig)
        folder = model_folder(config)
        with loading(config.limits.memory_bytes):
            script = Script((folder / config.script).resolve(), str(folder), config.limits.memory_bytes)
    except StudioError as error:
        say(failed=error.message)
        return 3
    Process(ScriptApplication(config, script), socket.socket(fileno=descriptor), lines).run()
    return 0


if __name__ == "__main__":
    end(main(int(sys.argv[1])))

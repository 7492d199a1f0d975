"""The run that this process logs to: the one whose work it does, one it started, or, when neither can be had, none.

Inside a submitted run that run is active. Elsewhere ``start_run`` starts one with a supervisor of its own; the first
logged value does it when the user did not.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_mlstudio.client import session
from jupyter_mlstudio.client.connection import connect, enter_run, inside_run, leave_run
from jupyter_mlstudio.client.reporting import Reporting
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.values import as_text, checked_name
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.client.workspace import FOLDER, find_root
from jupyter_mlstudio.client.writer import Writer
from jupyter_mlstudio.entities import memory
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, StudioError

SETTLE_PATIENCE_S, SETTLE_POLL_S = 5.0, 0.1
INTERRUPTED = "interrupted: its kernel was restarted or shut down before the run was completed"

_lock = threading.RLock()
_active: ActiveRun | Nowhere | None = None

names: set[str] = set()
"""Names of metrics that were checked for the active run; empty after a change of it."""


class ActiveRun(Run):
    """The run that this process logs to; use it in a ``with`` statement to end it with the block.

    Args:
        data: what is known of the run.
        gateway: whom it is logged to.
        own: whether this process started it and so ends it.
    """

    def __init__(self, data: Mapping[str, JSON], gateway: Connection, *, own: bool) -> None:
        super().__init__(data, None if own else gateway)
        self._logs_to = gateway
        self._own = own
        self._entered = False
        self._pid = os.getpid()
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> ActiveRun:
        self._entered = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        if not self._own or _active is not self:
            self.flush()
        elif error is None or (isinstance(error, SystemExit) and not error.code):
            self.complete()
        else:
            self.fail(sentence(error))

    def _gateway(self) -> Connection:
        return self._logs_to

    def _local_folder(self) -> Path | None:
        folder = os.environ.get("MLSTUDIO_RUN_FOLDER")
        return Path(folder) if folder and not self._own else self.folder

    def _finish(self, *, failed: bool, reason: str) -> None:
        if self._own and self._pid != os.getpid():
            raise Conflict(f"run {self._id} was started by process {self._pid}; only that one can end it")
        try:
            super()._finish(failed=failed, reason=reason)
        finally:
            if self._own:
                _leave(self)
                self._logs_to.close()
        if self._own:
            self._settle()

    def _settle(self) -> None:
        """Waits until the run's supervisor has taken note of its end; whoever looks next then sees it ended."""
        deadline = time.monotonic() + SETTLE_PATIENCE_S
        with contextlib.suppress(StudioError):
            while not self.ended and time.monotonic() < deadline:
                time.sleep(SETTLE_POLL_S)


class Nowhere(Reporting):
    """In the place of a run that could not be started: takes all, keeps nothing, so that user code goes on."""

    _id = "none"

    def _gateway(self) -> Connection:
        return connect()

    def _local_folder(self) -> Path | None:
        return None

    @property
    def _log(self) -> Writer:
        if self._writer is None:
            self._rows = {}
            self._writer = Writer(self._id, connect)
            self._writer.points = deque(maxlen=0)
            self._writer._details = deque(maxlen=0)
            self._writer.chart = lambda name, build: None  # type: ignore[method-assign]
        return self._writer

    @property
    def _files(self) -> Any:
        return self

    def put_file(self, source: Path, name: str) -> str:
        """Keeps nothing."""
        return name

    def put_bytes(self, content: bytes, name: str) -> str:
        """Keeps nothing."""
        return name


def active_run() -> ActiveRun | None:
    """Returns the run that this process logs to, None when there is none."""
    with _lock:
        if _active is None and inside_run() is not None:
            current()
        return _active if isinstance(_active, ActiveRun) else None


def start_run(
    name: str | None = None, *, experiment: str | None = None, tags: Mapping[str, object] | None = None
) -> ActiveRun:
    """Starts a run that this process logs to; end it with ``complete()`` or, better, use it in a ``with`` statement.

    An exception that leaves the block fails the run, with the exception as reason. Inside a submitted run this is that
    run, whose name and experiment were given when it was submitted.

    Raises:
        Conflict: a run is active already.
    """
    global _active
    with _lock:
        if isinstance(_active, ActiveRun) and (_active._own or _active._entered):
            raise Conflict(
                f"run {_active.id} is active in this process; end it with its complete() before the next one"
            )
        if inside_run() is not None:
            run = current()
            assert isinstance(run, ActiveRun)
        else:
            run = _active = _start(name, experiment, tags or {})
            return run
        if tags:
            run.set_tags(tags)
        return run


def become(run_id: str, gateway: Connection) -> None:
    """Logs to another run from now on, after what was logged so far has arrived.

    For a process that does the work of many runs, one after the other.
    """
    global _active
    with _lock:
        if _active is not None and _active._writer is not None:
            _active._writer.close()
        _active = ActiveRun({"id": run_id}, gateway, own=False)
        names.clear()


def current() -> ActiveRun | Nowhere:
    """Returns what the active calls log to; starts a run when there is none, and goes on without when it cannot."""
    global _active
    active = _active
    if active is not None:
        return active
    with _lock:
        if _active is None:
            _active = _of_environment() or _start_quietly()
        return _active


def is_current(run: object) -> bool:
    """Whether ``run`` is what the active calls log to."""
    return run is _active


def flush() -> bool:
    """Waits until everything logged so far has arrived; False says that the rest waits on disk."""
    return _active is None or _active.flush()


def lock() -> threading.RLock:
    """What guards the change of the active run; a new one in a forked child."""
    return _lock


def sentence(error: BaseException) -> str:
    """An exception as the reason of a failed run: its kind and the first line of what it says."""
    said = str(error).strip().splitlines()
    if isinstance(error, MemoryError):
        return ": ".join([memory.own_sentence(), *said[:1]])
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__


def _of_environment() -> ActiveRun | None:
    run_id = inside_run()
    return ActiveRun({"id": run_id}, connect(), own=False) if run_id is not None else None


def _start(name: str | None, experiment: str | None, tags: Mapping[str, object]) -> ActiveRun:
    root = find_root()
    body = {
        "pid": os.getpid(),
        "name": name,
        "experiment": experiment or session.experiment(),
        "tags": {checked_name(key, "tag"): as_text(value, f"tag {key!r}") for key, value in tags.items()},
        "origin": session.origin(root),
    }
    address = connect().post("runs/interactive", body, timeout_s=60.0)
    gateway = Connection(address["url"], address["token"], run_id=address["run_id"])
    run = ActiveRun({"id": address["run_id"]}, gateway, own=True)
    run._before = enter_run(_variables(address, root))
    return run


def _variables(address: Mapping[str, str], root: Path) -> dict[str, str]:
    run_id, url, token = address["run_id"], address["url"], address["token"]
    return {
        "MLSTUDIO_RUN_ID": run_id,
        "MLSTUDIO_RUN_FOLDER": str(root / FOLDER / "runs" / run_id),
        "MLSTUDIO_URL": url,
        "MLSTUDIO_TOKEN": token,
        "MLFLOW_TRACKING_URI": f"{url}/mlstudio/mlflow",
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": run_id,
    }


def _start_quietly() -> ActiveRun | Nowhere:
    try:
        run = _start(None, None, {})
    except StudioError as error:
        text = f"jupyter_mlstudio: no run could be started, logged values are not kept: {error.message}"
        with contextlib.suppress(Warning):
            warnings.warn(text, RuntimeWarning, stacklevel=4)
        return Nowhere()
    print(f"ML Studio: logging to run {run.id}; end it with studio.active_run().complete()", file=sys.stderr)
    return run


def _leave(run: ActiveRun) -> None:
    global _active
    with _lock:
        leave_run(run._before)
        if _active is run:
            _active = None
            names.clear()


@atexit.register
def _end() -> None:
    """Ends a run that this process started and did not end; an exception that ends the process fails it.

    A kernel that is shut down or restarted has not done its work: its run is interrupted.
    """
    run = _active
    if isinstance(run, ActiveRun) and run._own and run._pid == os.getpid():
        kernel = "ipykernel" in sys.modules
        error = getattr(sys, "last_value", None) if not hasattr(sys, "ps1") and not kernel else None
        with contextlib.suppress(StudioError, OSError):
            if kernel:
                run.fail(INTERRUPTED)
            elif error is None:
                run.complete()
            else:
                run.fail(sentence(error))


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()
    names.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

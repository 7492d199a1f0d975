"""What calls a sweep's function: a process that has imported all it needs, and a copy of it for each worker.

The first process unpickles the function and then only forks, so that a worker is there in milliseconds. It and its
workers each hold a connection to the sweep's controller, and end when that does.
"""

from __future__ import annotations

import contextlib
import ctypes
import inspect
import json
import os
import pickle
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs import sweep_socket
from jupyter_mlstudio.programs.sweep_events import MARK, NotFinite, metrics_of

REAP_S = 0.1
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


class Line:
    """A connection over which each side sends one JSON object a line."""

    def __init__(self, path: str, hello: Mapping[str, JSON]) -> None:
        self.socket = sweep_socket.connected(Path(path))
        self._file = self.socket.makefile("rb")
        self._received = b""
        self.tell(hello)

    def tell(self, message: Mapping[str, JSON]) -> None:
        """Sends a message."""
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, JSON] | None:
        """Waits for a message; None when the other side is gone."""
        with contextlib.suppress(OSError):
            line = self._file.readline()
            return json.loads(line) if line.endswith(b"\n") else None
        return None

    def hear_all(self) -> list[dict[str, JSON]] | None:
        """Reads all messages that have come, several at once maybe; None when the other side is gone."""
        with contextlib.suppress(OSError):
            content = self.socket.recv(1 << 16)
            *lines, self._received = (self._received + content).split(b"\n")
            return [json.loads(line) for line in lines] if content else None
        return None


class Announced(Connection):
    """The way to a trial's own run, which comes to be when somebody asks for it."""

    announce: Callable[[], None]

    def _request(self, *args: Any, **more: Any) -> Any:
        self.announce()
        return super()._request(*args, **more)


class Worker:
    """Calls the function for one trial after the other."""

    def __init__(self, config: Mapping[str, JSON], function: Callable[..., Any], number: int) -> None:
        self._config = config
        self._function = function
        self._takes_trial = takes_trial(function, bool(config["space"]))
        mark = os.environ[MARK] = f"{config['socket']}:{os.getpid()}"
        self._line = Line(config["socket"], {"worker": number, "pid": os.getpid(), "mark": mark})
        self._study: Any = None

    def serve(self) -> None:
        """Does what comes until the controller is gone."""
        while (task := self._line.hear()) is not None:
            try:
                self._line.tell({"done": task["number"], **self._do(task)})
            except (BrokenPipeError, ConnectionError):
                return

    def _do(self, task: Mapping[str, JSON]) -> dict[str, JSON]:
        folder = Path(self._config["runs"]) / task["run_id"]
        (folder / "artifacts").mkdir(parents=True, exist_ok=True)
        log = folder / "output.log"
        _redirect(log)
        self._become(task, folder)
        samples: list[dict[str, float]] = []
        try:
            for repeat in range(int(task["repeats"])):
                params = {**task["params"], **({"seed": repeat} if int(task["repeats"]) > 1 else {})}
                os.environ["MLSTUDIO_PARAMS"] = json.dumps(params)
                samples.append(metrics_of(self._config["objectives"], self._call(task, params)))
            return {"samples": samples}
        except NotFinite as error:
            return {"failed": str(error)}
        except BaseException as error:
            if _is_pruned(error):
                return {"pruned": str(error) or "the objective ended it"}
            if isinstance(error, SystemExit | KeyboardInterrupt):
                return {"failed": f"the objective ended its process: {type(error).__name__}: {error}"}
            traceback.print_exc()
            return {"failed": active.sentence(error)}
        finally:
            with contextlib.suppress(Exception):
                active.flush()
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            if log.stat().st_size == 0:
                log.unlink()

    def _become(self, task: Mapping[str, JSON], folder: Path) -> None:
        run_id = str(task["run_id"])
        os.environ.update(MLSTUDIO_RUN_ID=run_id, MLSTUDIO_RUN_FOLDER=str(folder), MLFLOW_RUN_ID=run_id)
        gateway = Announced(os.environ["MLSTUDIO_URL"], os.environ["MLSTUDIO_TOKEN"], run_id=run_id)
        once, announced = threading.Lock(), threading.Event()

        def announce() -> None:
            with once:
                if not announced.is_set():
                    self._line.tell({"announce": task["number"]})
                    self._line.hear()
                    announced.set()

        gateway.announce = announce
        active.become(run_id, gateway)

    def _call(self, task: Mapping[str, JSON], params: Mapping[str, JSON]) -> Any:
        if self._takes_trial:
            return self._function(self._trial(task))
        accepted = inspect.signature(self._function).parameters
        named = any(one.kind is one.VAR_KEYWORD for one in accepted.values())
        if "seed" not in task["params"] and "seed" not in accepted and not named:
            params = {name: value for name, value in params.items() if name != "seed"}
        return self._function(**params)

    def _trial(self, task: Mapping[str, JSON]) -> Any:
        import optuna

        from jupyter_mlstudio.programs.sweep_study import open_study

        if self._study is None or (self._config["sampling"].get("seed") is not None and not self._config["space"]):
            self._study = open_study(self._config, int(task["number"]), self._study)
        return optuna.trial.Trial(self._study, int(task["trial_id"]))


def takes_trial(function: Callable[..., Any], has_space: bool) -> bool:
    """Whether a function is called with an Optuna trial: without a space, or when its only parameter is ``trial``."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return not has_space
    return not has_space or names == ["trial"]


def serve(config: Mapping[str, JSON]) -> int:
    """Unpickles the function, then forks a worker whenever the controller asks for one."""
    line = Line(config["socket"], {"zygote": os.getpid()})
    try:
        sys.path[:0] = [path for path in config["path"] if path not in sys.path]
        function = pickle.loads(Path(config["function"]).read_bytes())
        if not callable(function):
            raise TypeError(f"a {type(function).__name__} cannot be called")
    except BaseException as error:
        traceback.print_exc()
        line.tell({"failed": f"the function could not be loaded: {active.sentence(error)}"})
        return 1
    line.tell({"ready": True, "takes_trial": takes_trial(function, bool(config["space"]))})
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([line.socket], [], [], REAP_S)
        _reap(line, children)
        if not readable:
            continue
        asked = line.hear_all()
        if asked is None:
            break
        children.update([_forked(config, function, int(one["fork"]), line) for one in asked])
    for pid in children:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    return 0


def _forked(config: Mapping[str, JSON], function: Callable[..., Any], number: int, line: Line) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        line.socket.close()
        os.setpgid(0, 0)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        Worker(config, function, number).serve()
        status = 0
    finally:
        os._exit(status)


def _reap(line: Line, children: set[int]) -> None:
    for pid in list(children):
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                children.discard(pid)
                with contextlib.suppress(OSError):
                    line.tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def _redirect(log: Path) -> None:
    """Has everything that is printed from now on, by whatever library, go to a trial's log."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _is_pruned(error: BaseException) -> bool:
    optuna = sys.modules.get("optuna")
    return optuna is not None and isinstance(error, optuna.TrialPruned)


if __name__ == "__main__":
    sys.exit(serve(json.loads(sys.stdin.readline())))

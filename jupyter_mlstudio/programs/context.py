"""What every program shares: reading what to execute, telling the studio about it, ending with a reason.

A program is started by a run's supervisor in the run's working folder, with the run's address in its environment.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.files import write_reason
from jupyter_mlstudio.client.writer import close_all
from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError

TERMINATED = 128 + signal.SIGTERM
RECORDER_PATIENCE_S = 5.0
_HERE = str(Path(__file__).parent)


@dataclass(frozen=True)
class Job:
    """What a run is to do. ``entry`` is the script or notebook to start, ``code`` the folder of its snapshot."""

    run_id: str
    name: str
    spec: Mapping[str, JSON]
    run_folder: Path
    code: Path | None
    entry: Path | None

    @property
    def params(self) -> dict[str, JSON]:
        """The parameters, with their types."""
        return dict(self.spec.get("params") or {})

    @property
    def file(self) -> Path:
        """The script or notebook to start.

        Raises:
            Invalid: the run has none.
        """
        if self.entry is None or not self.entry.is_file():
            raise Invalid(f"the file to run is gone: {self.entry}")
        return self.entry


def read_job() -> Job:
    """Reads ``spec.json`` of the run that this process is the work of.

    Raises:
        Invalid: this process was not started by a run's supervisor.
    """
    folder = os.environ.get("MLSTUDIO_RUN_FOLDER")
    if not folder:
        raise Invalid("MLSTUDIO_RUN_FOLDER is not set: programs are started by a run's supervisor")
    run_folder = Path(folder)
    content = json.loads((run_folder / "spec.json").read_text(encoding="utf-8"))
    code, entry = content.get("code"), content.get("entry")
    return Job(
        run_id=content["run_id"],
        name=content["name"],
        spec=content["spec"],
        run_folder=run_folder,
        code=Path(code) if code else None,
        entry=Path(entry) if entry else None,
    )


def execute(work: Callable[[Job], int], *, record: bool = True) -> int:
    """Does the work of a run and answers its exit status; an error is printed and left as the run's reason.

    What was logged is flushed before it returns, and also when the run is stopped.

    Args:
        work: what to do.
        record: tell the studio meanwhile which software it is done with.
    """
    signal.signal(signal.SIGTERM, _terminate)
    os.environ.setdefault("MPLBACKEND", "module://jupyter_mlstudio.programs.figures")
    job: Job | None = None
    recorder = threading.Thread(target=record_environment, name="mlstudio-environment", daemon=True)
    try:
        job = read_job()
        os.environ.setdefault("MLSTUDIO_PARAMS", json.dumps(job.params))
        if record:
            recorder.start()
        status = work(job)
    except SystemExit as error:
        status = exit_status(error)
    except StudioError as error:
        print(f"{type(error).__name__}: {error.message}", file=sys.stderr)
        status = failed(job, error.message)
    except BaseException as error:
        show(error)
        status = failed(job, active.sentence(error))
    finally:
        if recorder.ident is not None:
            recorder.join(RECORDER_PATIENCE_S)
        _flush()
    reason = job.run_folder / "reason.json" if job else None
    return 1 if status == 0 and reason is not None and reason.exists() else status


def leave(status: int) -> NoReturn:
    """Ends a program that executes nothing of the user's at once, when what it logged is delivered."""
    close_all()
    end(status)


def failed(job: Job | None, reason: str, status: int = 1) -> int:
    """Leaves the reason for the supervisor, in one line; answers the exit status."""
    if job is not None:
        write_reason(job.run_folder, reason.strip().splitlines()[0][:1000] if reason.strip() else "failed")
    return status


def exit_status(error: SystemExit) -> int:
    """Reads what ``sys.exit`` was given as Python itself does: nothing is 0, text is printed and 1."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def show(error: BaseException) -> None:
    """Prints a traceback as the user's own program would have: without the frames of the program that started it."""
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame):
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace if trace is not None else error.__traceback__)


def record_environment() -> None:
    """Tells the studio which Python and which packages the run executes with."""
    packages: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name not in packages:
            packages[name] = distribution.version
    content = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "executable": sys.executable,
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }
    run = active.active_run()
    if run is not None:
        run._log.detail("environment", content)


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith((_HERE, "<frozen runpy>", "<frozen importlib"))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    active.flush()


def _terminate(number: int, frame: FrameType | None) -> Any:
    """Ends the work when the run is stopped, giving ``finally`` blocks their turn."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise SystemExit(TERMINATED)

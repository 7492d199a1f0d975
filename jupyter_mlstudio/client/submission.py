"""Submitting work: what was given (a script, a notebook, a command, a cell, a function) becomes a run."""

from __future__ import annotations

import os
import re
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import session
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.functions import source_of_call
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.values import as_text, checked_name, identifier, json_param
from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound

Work = str | os.PathLike[str] | Sequence[str] | Callable[..., Any]

_SIZES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
_TIMES = {"": 1, "s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400}


def submit(
    what: Work,
    *,
    name: str | None = None,
    experiment: str | None = None,
    params: Mapping[str, object] | None = None,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    python: str | os.PathLike[str] | None = None,
    kernel: str | None = None,
    target: str = "local",
    priority: int = 0,
    cpus: float = 1.0,
    memory: int | str = 0,
    gpus: int = 0,
    timeout: float | str | None = None,
    memory_limit: int | str | None = None,
    tags: Mapping[str, object] | None = None,
    wait: bool = False,
) -> Run:
    """Submits work that then runs on its own, whatever becomes of this process.

    Args:
        what: path of a script (``.py``) or notebook (``.ipynb``), an argument list (a command), a function, or the
            source of a cell.
        name: the run's name; it gets one when None.
        experiment: the experiment's name; see :func:`jupyter_mlstudio.set_experiment`.
        params: parameters: variables of a cell or notebook, arguments of a function, ``--name value`` of a script,
            ``${{inputs.name}}`` of a command.
        args: further arguments of a script.
        env: environment variables for the run.
        folder: its working folder, inside the workspace; by default the current one, or that of the script or notebook
            when it does not lie below the current one.
        python: its Python interpreter; this one by default.
        kernel: the kernel of a notebook; the one it names by default.
        target: the compute target.
        priority: higher starts first.
        cpus, memory, gpus: what it takes up of its target; memory e.g. ``"2GB"``.
        timeout: stops and fails the run after so many seconds, or e.g. ``"2h"``.
        memory_limit: stops and fails the run beyond that, e.g. ``"8GB"``.
        tags: tags of the run.
        wait: wait until it is over, and raise when it failed.

    Raises:
        Invalid: something cannot be submitted; nothing was started.
        NotFound: the script or notebook does not exist.
    """
    kind, spec, origin = prepared(
        what, params=params, args=args, env=env, folder=folder, python=python, kernel=kernel, target=target,
        priority=priority, cpus=cpus, memory=memory, gpus=gpus, timeout=timeout, memory_limit=memory_limit,
    )  # fmt: skip
    body = {
        "kind": kind.value,
        "spec": spec,
        "name": name,
        "experiment": experiment or session.experiment(),
        "tags": tags_of(tags),
        "origin": origin,
        "request_id": uuid.uuid4().hex,
    }
    connection = connect()
    run = Run(connection.post("runs", body, again=True), connection)
    return run.wait() if wait else run


def prepared(
    what: Work | None,
    *,
    params: Mapping[str, object] | None = None,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    python: str | os.PathLike[str] | None = None,
    kernel: str | None = None,
    target: str = "local",
    priority: int = 0,
    cpus: float = 1.0,
    memory: int | str = 0,
    gpus: int = 0,
    timeout: float | str | None = None,
    memory_limit: int | str | None = None,
) -> tuple[RunKind, dict[str, JSON], dict[str, JSON]]:
    """Returns what is sent for work: its kind, its specification, and where it comes from; see :func:`submit`.

    Without work (None) it is that of calls of a function, which is sent beside it.
    """
    root = find_root()
    place = _folder(folder, root)
    kind, work = RunKind.TRIAL, dict[str, JSON]()
    if what is not None:
        kind, work, place = _work(what, params or {}, root, place, fixed=folder is not None)
    spec: dict[str, JSON] = {
        **work,
        "params": {checked_name(key, "parameter"): json_param(key, value) for key, value in (params or {}).items()},
        "args": [as_text(arg, "an argument") for arg in args],
        "env": {str(key): str(value) for key, value in (env or {}).items()},
        "folder": session.below(place, root) if place != root else "",
        "python": os.fspath(python) if python is not None else sys.executable,
        "kernel": kernel,
        "target": target,
        "priority": int(priority),
        "resources": {"cpus": float(cpus), "memory_bytes": size_bytes(memory), "gpus": int(gpus)},
        "limits": {
            "wall_time_s": None if timeout is None else seconds(timeout),
            "memory_bytes": None if memory_limit is None else size_bytes(memory_limit),
        },
    }
    return kind, spec, _origin(work, root, place)


def tags_of(tags: Mapping[str, object] | None) -> dict[str, str]:
    """Returns tags as they are sent."""
    return {checked_name(key, "tag"): as_text(value, f"tag {key!r}") for key, value in (tags or {}).items()}


def _work(
    what: Work, params: Mapping[str, object], root: Path, place: Path, *, fixed: bool
) -> tuple[RunKind, dict[str, JSON], Path]:
    """Tells what was given apart; answers the working folder too, which a script or notebook lies below."""
    if isinstance(what, (str, os.PathLike)):
        text = os.fspath(what)
        if "\n" not in text and text.strip().endswith((".py", ".ipynb")):
            return _file(text.strip(), params, root, place, fixed=fixed)
        if isinstance(what, str) and text.strip():
            return RunKind.CELL, {"cell": text, **_cell_params(params)}, place
        raise Invalid(
            f"{text!r} cannot be submitted; give a .py or .ipynb file, an argument list, a function or a cell's text"
        )
    if callable(what):
        return RunKind.CELL, {"cell": source_of_call(what, params), **_cell_params(params)}, place
    command = [as_text(part, "an argument") for part in what]
    if not command or not command[0]:
        raise Invalid("the command is empty; give the program and its arguments, e.g. ['Rscript', 'x.R']")
    return RunKind.COMMAND, {"command": command}, place


def _cell_params(params: Mapping[str, object]) -> dict[str, JSON]:
    for name in params:
        identifier(name)
    return {}


def _file(
    text: str, params: Mapping[str, object], root: Path, place: Path, *, fixed: bool
) -> tuple[RunKind, dict[str, JSON], Path]:
    path = Path(text).expanduser()
    if text.startswith("-"):
        raise Invalid(f"{text!r} looks like an option, not like a file; write ./{text} when it is one")
    if not path.is_file():
        raise NotFound(f"there is no file {text!r} in {Path.cwd()}; nothing was submitted")
    _check_inside(path, root, f"{text!r}")
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user wrote them
    if not whole.is_relative_to(place):
        if fixed:
            raise Invalid(f"{text!r} does not lie below the working folder {place}; give folder={str(whole.parent)!r}")
        place = whole.parent
    below = whole.relative_to(place).as_posix()
    if path.suffix == ".ipynb":
        return RunKind.NOTEBOOK, {"notebook": below, **_cell_params(params)}, place
    return RunKind.SCRIPT, {"script": below}, place


def _folder(folder: str | os.PathLike[str] | None, root: Path) -> Path:
    """Returns the working folder, whole."""
    if folder is None:
        return Path.cwd() if Path.cwd().is_relative_to(root) else root
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise NotFound(f"there is no folder {os.fspath(folder)!r} in {Path.cwd()}")
    _check_inside(path, root, f"the folder {os.fspath(folder)!r}")
    return path.resolve()


def _check_inside(path: Path, root: Path, what: str) -> None:
    if not path.resolve().is_relative_to(root):
        raise Invalid(
            f"{what} lies outside of the workspace {root}; copy it there, or set MLSTUDIO_WORKSPACE to a folder above"
        )


def _origin(work: Mapping[str, JSON], root: Path, place: Path) -> dict[str, JSON]:
    known = session.origin(root)
    if "script" in work:
        known["script"] = session.below(place / work["script"], root)
    elif "notebook" in work:
        known = {"host": known["host"], "notebook": session.below(place / work["notebook"], root)}
    return known


def size_bytes(size: int | str) -> int:
    """Reads a size: bytes, or text such as ``"512MB"`` or ``"2GiB"``."""
    if isinstance(size, int) and size >= 0:
        return size
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?\s*", str(size), re.IGNORECASE)
    if match is None:
        raise Invalid(f"{size!r} is not a size; write e.g. '2GB' or 500_000_000")
    return int(float(match[1]) * _SIZES[(match[2] or "").lower()])


def seconds(time: float | str) -> float:
    """Reads a time span: seconds, or text such as ``"90s"``, ``"30min"`` or ``"2h"``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)?\s*", str(time), re.IGNORECASE)
    if match is None or float(match[1]) <= 0:
        raise Invalid(f"{time!r} is not a time span; write e.g. 90, '30min' or '2h'")
    return float(match[1]) * _TIMES[(match[2] or "").lower()]

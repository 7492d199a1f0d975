"""Files of an AutoML run: the tables it is about, and what it takes over from the run that it goes on with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlstudio.entities.automl_candidates import SEARCH_ENDED
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound

FOLDER = "automl"
"""What the search keeps, beside the run's artifacts."""

OF_RUN = "runs:/"
_WRITTEN_ONCE = (".npy", ".npz", ".joblib", ".parquet")
RUNS = "runs.json"
"""Which run each candidate has, see :class:`Runs`."""

SKETCH = "sketch.pkl"
"""What notebooks of candidates are written from, see :mod:`jupyter_mlstudio.learning.sketch`."""

_BEGAN, _TABLES = "began.json", "tables.json"


def table_path(root: Path, runs: Path, text: str) -> Path:
    """Finds a table that the run's specification names.

    Args:
        root: the workspace's root.
        runs: where runs have their folders.
        text: a path below the root, or ``runs:/<run id>/<path among its artifacts>``.

    Raises:
        Invalid: it leads out. NotFound: it is gone.
    """
    base = root
    below = text
    if text.startswith(OF_RUN):
        run_id, _, below = text.removeprefix(OF_RUN).partition("/")
        if not run_id.isalnum():
            raise Invalid(f"{text[:200]!r} names no run")
        base = runs / run_id / "artifacts"
    path = (base / below).resolve()
    if base.resolve() not in path.parents:
        raise Invalid(f"{text[:200]!r} leads out of its folder")
    if not path.is_file():
        raise NotFound(f"the table {text[:200]!r} is gone: it was moved or deleted since the run was asked for")
    return path


def take_over(run_folder: Path, before: str | None) -> Path:
    """Makes the folder of the search, with what an earlier run has found in it; answers it.

    Files that are written once are shared between both runs, others are copied. A candidate that the end of the time
    cut off is left out, so that it is tried again.

    Raises:
        Conflict: the earlier run's files are gone.
    """
    folder = run_folder / FOLDER
    if folder.is_dir():
        return folder
    if before is None:
        folder.mkdir()
        return folder
    source = run_folder.parent / before / FOLDER
    if not source.is_dir():
        raise Conflict("the run to go on with has left nothing to go on from: begin a new one instead")
    part = run_folder / f".{FOLDER}.tmp"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, copy_function=_link_or_copy, ignore=shutil.ignore_patterns(_BEGAN, ".*.tmp"))
    state = part / "state.json"
    if state.is_file():  # the time that is used counts from here
        write_whole(state, json.dumps({**json.loads(state.read_bytes()), "used_s": 0.0}).encode())
    _forget_cut_off(part)
    part.rename(folder)
    return folder


def _forget_cut_off(folder: Path) -> None:
    runs = Runs(folder / RUNS)
    for path in (folder / "candidates").glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            told = json.loads(path.read_bytes())["candidate"]
            if told["failed"] == SEARCH_ENDED and told["score"] is None:
                path.unlink()
                runs.forget(int(told["number"]))


def began(folder: Path) -> float:
    """When the run's work began, in seconds since the epoch: before this process, when it was begun again."""
    path = folder / _BEGAN
    with contextlib.suppress(OSError, ValueError, KeyError):
        return min(time.time(), float(json.loads(path.read_bytes())["began"]))
    now = time.time()
    write_whole(path, json.dumps({"began": now}).encode())
    return now


def check_same(folder: Path, tables: Mapping[str, Path]) -> None:
    """Makes sure that a search that goes on sees the tables it began with: what it found is about their rows.

    Raises:
        Conflict: one of them was changed.
    """
    now = {name: _digest(path) for name, path in tables.items()}
    path = folder / _TABLES
    known = now
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_bytes())
    changed = [name for name in now if known.get(name) != now[name]]
    if changed:
        raise Conflict(
            f"the table {tables[changed[0]].name!r} was changed since the search began, so what was found no longer"
            " fits: begin a new run"
        )
    write_whole(path, json.dumps(now).encode())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Runs:
    """Which run each candidate has, by its number; kept in a file, since a search may go on in another process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, str] = {}
        with contextlib.suppress(OSError, ValueError):
            self._known = {str(number): str(run_id) for number, run_id in json.loads(file.read_bytes()).items()}

    def of(self, number: int) -> str:
        """The run of a candidate, the same each time."""
        if str(number) not in self._known:
            self._known[str(number)] = uuid.uuid4().hex
            self._write()
        return self._known[str(number)]

    def forget(self, number: int) -> None:
        """Gives the next candidate of this number another run."""
        if self._known.pop(str(number), None) is not None:
            self._write()

    def _write(self) -> None:
        write_whole(self._file, json.dumps(self._known).encode())


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old content or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def as_json(content: JSON) -> bytes:
    """JSON as the studio's API has it: numbers that are not finite are words."""
    return json.dumps(json.loads(json.dumps(content), parse_constant=str), ensure_ascii=False).encode()


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(_WRITTEN_ONCE):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return target
    return str(shutil.copy2(source, target))

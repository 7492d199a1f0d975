"""Whether a run may be started as it is asked for: paths inside the workspace, names that are no code, sane numbers."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.names import checked_text
from jupyter_mlstudio.services.paths import safe_join
from jupyter_mlstudio.workspace import Workspace

CELL_LIMIT = 1_000_000
ARGUMENT_LIMIT = 128 * 1024
_WORK = {RunKind.CELL: "cell", RunKind.SCRIPT: "script", RunKind.NOTEBOOK: "notebook", RunKind.COMMAND: "command"}
_OPTION = re.compile(r"[A-Za-z_][\w.-]*")


def checked(workspace: Workspace, kind: RunKind, spec: RunSpec) -> RunSpec:
    """Returns the specification with its paths normalised.

    Raises:
        Invalid: something in it cannot be run; the message names it.
    """
    _check_one_work(kind, spec)
    folder = _folder(workspace, spec.folder)
    if spec.cell is not None:
        checked_text(spec.cell, "a cell", CELL_LIMIT)
        if not spec.cell.strip():
            raise Invalid("the cell is empty: write the code to run below the %%ml_submit line")
    script = _file(workspace, folder, spec.script, ".py", "a script")
    notebook = _file(workspace, folder, spec.notebook, ".ipynb", "a notebook")
    _check_texts(spec)
    _check_parameters(kind, spec)
    limit = spec.limits
    if limit.wall_time_s is not None and not (math.isfinite(limit.wall_time_s) and limit.wall_time_s > 0):
        raise Invalid(f"a time limit is a positive number of seconds, not {limit.wall_time_s}")
    if limit.memory_bytes is not None and limit.memory_bytes <= 0:
        raise Invalid(f"a memory limit is a positive number of bytes, not {limit.memory_bytes}")
    if not -1000 <= spec.priority <= 1000:
        raise Invalid(f"a priority is between -1000 and 1000, not {spec.priority}")
    relative = folder.relative_to(workspace.root).as_posix()
    return replace(spec, script=script, notebook=notebook, folder="" if relative == "." else relative)


def folder_of(workspace: Workspace, spec: RunSpec) -> Path:
    """Returns the working folder of a checked specification."""
    return workspace.root / spec.folder


def is_work(spec: RunSpec) -> bool:
    """Tells whether a specification has code or a command of its own."""
    return bool(spec.cell or spec.script or spec.notebook or spec.command)


def _check_one_work(kind: RunKind, spec: RunSpec) -> None:
    given = {
        "cell": spec.cell is not None, "script": spec.script is not None,
        "notebook": spec.notebook is not None, "command": bool(spec.command),
    }  # fmt: skip
    if kind is RunKind.SWEEP:  # what its trials execute
        kind = RunKind(spec.options.get("work_kind", RunKind.SWEEP))
    wanted = _WORK.get(kind)
    if kind is RunKind.BATCH:  # with a scoring script or with the model alone
        given["script"] = False
    wrong = [name for name, there in given.items() if there != (name == wanted)]
    if wrong:
        raise Invalid(
            f"a run of kind {kind.value} has exactly a {wanted or 'set of options'}; check {', '.join(wrong)}"
        )


def _folder(workspace: Workspace, text: str) -> Path:
    if Path(text).is_absolute():
        folder = Path(text)
        if workspace.root != folder and workspace.root not in folder.resolve().parents:
            raise Invalid(f"the folder {text[:200]!r} is not inside the workspace {workspace.root}")
        folder = folder.resolve()
    else:
        folder = safe_join(workspace.root, text).resolve() if text not in ("", ".") else workspace.root
    if not folder.is_dir():
        raise Invalid(f"there is no folder {text[:200]!r} in the workspace {workspace.root}")
    return folder


def _file(workspace: Workspace, folder: Path, text: str | None, suffix: str, what: str) -> str | None:
    """Checks a file that is to be started; answers its path below the working folder."""
    if text is None:
        return None
    if text.startswith("-") or not text.endswith(suffix):
        raise Invalid(f"{text[:200]!r} is not {what}: a path that ends with {suffix}")
    if Path(text).is_absolute():
        path = Path(text).resolve()
        if folder not in path.parents:
            raise Invalid(f"{text[:200]!r} is not inside the working folder {folder}")
        text = path.relative_to(folder).as_posix()
    path = safe_join(folder, text)
    if not path.is_file():
        raise Invalid(f"there is no file {text[:200]!r} in {folder}")
    return text


def _check_texts(spec: RunSpec) -> None:
    texts: Iterable[str] = [*spec.command, *spec.args, *spec.env.values()]
    for text in texts:
        checked_text(text, "an argument or variable", ARGUMENT_LIMIT)
    if spec.command and (not spec.command[0].strip() or spec.command[0].startswith("-")):
        raise Invalid(f"{spec.command[0][:80]!r} is not a program")
    for name in spec.env:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise Invalid(f"{name[:80]!r} cannot name an environment variable")
        if name.startswith(("MLSTUDIO_", "MLFLOW_RUN", "MLFLOW_TRACKING", "LD_")):
            raise Invalid(f"the environment variable {name} is set by the studio and cannot be given")
    for value, what in ((spec.python, "an interpreter"), (spec.kernel, "a kernel's name")):
        if value is not None and (not value or value.startswith("-") or "\x00" in value):
            raise Invalid(f"{value[:80]!r} is not {what}")
    if spec.kernel is not None and not re.fullmatch(r"[\w.-]{1,100}", spec.kernel):
        raise Invalid(f"{spec.kernel[:80]!r} is not a kernel's name; `jupyter kernelspec list` lists them")


def _check_parameters(kind: RunKind, spec: RunSpec) -> None:
    for name, value in spec.params.items():
        if kind in (RunKind.CELL, RunKind.NOTEBOOK):
            good = name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")
            rule = "a Python name that is no keyword and does not begin with two underscores"
        else:
            good, rule = _OPTION.fullmatch(name) is not None, "letters, digits, dots, dashes and underscores"
        if not good or len(name) > 250:
            raise Invalid(f"{name[:80]!r} cannot name a parameter: it must be {rule}")
        if isinstance(value, str):
            checked_text(value, f"the parameter {name!r}", 10_000_000)

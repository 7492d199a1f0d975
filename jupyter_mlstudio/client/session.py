"""What this process is to the studio: the experiment it works in, and the notebook, cell or script it is."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

_experiment: str | None = None


def set_experiment(name: str | None) -> None:
    """Chooses the experiment of the runs that this process submits or starts from now on; None is the default one."""
    global _experiment
    if name is not None and not name.strip():
        raise Invalid("the experiment's name is empty")
    _experiment = name


def experiment() -> str | None:
    """Returns the experiment chosen with :func:`set_experiment`, or ``MLSTUDIO_EXPERIMENT`` of the environment."""
    return _experiment or os.environ.get("MLSTUDIO_EXPERIMENT") or None


def origin(root: Path | None = None) -> dict[str, JSON]:
    """Says where a run comes from: notebook, cell, script and host, as far as this process can tell."""
    root = root or find_root()
    known: dict[str, JSON] = {"host": socket.gethostname()}
    shell = _shell()
    if shell is None:
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        if script and Path(script).suffix == ".py":
            known["script"] = below(Path(script), root)
        return known
    notebook = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    if notebook and str(notebook).endswith(".ipynb"):
        known["notebook"] = below(Path(str(notebook)), root)
    # Not shell.execution_count: IPython 9 counts up before a cell is executed, older ones after.
    known["cell_number"] = max(len(shell.user_ns.get("In", ())) - 1, 0) or None
    known["cell_id"] = _cell_id(shell)
    return {name: value for name, value in known.items() if value is not None}


def below(path: Path, root: Path) -> str:
    """Returns a path relative to the workspace's root, as it is when it lies elsewhere."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user wrote them
    for base in (root, root.resolve()):
        if whole.is_relative_to(base):
            return whole.relative_to(base).as_posix()
    resolved = whole.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else str(whole)


def _shell() -> JSON:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return shell if shell is not None and hasattr(shell, "kernel") else None


def _cell_id(shell: JSON) -> str | None:
    try:
        parent = shell.get_parent() if hasattr(shell, "get_parent") else shell.kernel.get_parent()
        return parent.get("metadata", {}).get("cellId") or None
    except Exception:
        return None

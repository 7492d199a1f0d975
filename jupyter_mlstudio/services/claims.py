"""Which process supervises a run: a file in the run's folder that only one process can make, and that is never remade.

A claim in the database says who is to start a supervisor. Whoever claims may die or be held up before it does, and
another host then claims the run anew; this file makes sure that the work is executed once all the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from jupyter_mlstudio.services.processes import Identity, boot_id

FILE = "supervisor.json"


def take(run_folder: Path) -> bool:
    """Makes this process the supervisor of a run; answers False when another one is, or was."""
    me = Identity.of(os.getpid())
    assert me is not None
    content = json.dumps({"boot_id": boot_id(), "pid": me.pid, "started": me.started})
    temporary = run_folder / f".{FILE}.{me.pid}.tmp"
    temporary.write_text(content, encoding="ascii")
    try:
        (run_folder / FILE).hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


def holder(run_folder: Path) -> Identity | None:
    """Returns the process that supervises, or supervised, a run since the machine was started."""
    try:
        content = json.loads((run_folder / FILE).read_bytes())
        found = Identity(int(content["pid"]), float(content["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if content["boot_id"] == boot_id() else None

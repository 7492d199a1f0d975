"""How a run ended, as its supervisor leaves it on disk before it tells the database.

The file is made when the run starts, with room in it, so that the outcome can be written in place on a full disk.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jupyter_mlstudio.entities.runs import RunStatus

FILE = "exit.json"
ROOM_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Outcome:
    """A terminal status with its reason, and when known the exit status, the end and the duration."""

    status: RunStatus
    reason: str = ""
    exit_code: int | None = None
    ended_at: datetime | None = None
    duration_s: float | None = None


def reserve(folder: Path) -> None:
    """Makes the file, full of blanks."""
    with (folder / FILE).open("wb") as file:
        file.write(b" " * ROOM_BYTES)
        file.flush()
        os.fsync(file.fileno())


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Writes an outcome over the blanks."""
    content = {
        "status": outcome.status.value,
        "reason": outcome.reason[:1000],
        "exit_code": outcome.exit_code,
        "ended_at": outcome.ended_at.isoformat() if outcome.ended_at else None,
        "duration_s": outcome.duration_s,
    }
    data = json.dumps(content).encode()[:ROOM_BYTES].ljust(ROOM_BYTES)
    path = folder / FILE
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_outcome(folder: Path) -> Outcome | None:
    """Reads the outcome; None when the supervisor did not come to write one."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        return Outcome(
            status=RunStatus(content["status"]),
            reason=content["reason"],
            exit_code=content["exit_code"],
            ended_at=datetime.fromisoformat(content["ended_at"]) if content["ended_at"] else None,
            duration_s=content["duration_s"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None

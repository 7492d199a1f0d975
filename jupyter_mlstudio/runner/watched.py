"""The work of an interactive run: a process that lives by itself, such as a notebook's kernel."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from jupyter_mlstudio.entities.memory import Pressure
from jupyter_mlstudio.plugins.compute.base import State
from jupyter_mlstudio.services.processes import Identity

REASON = "reason.json"


class WatchedProcess:
    """Looks at a process without ever touching it; the run is over when it says so, or ends."""

    def __init__(self, run_folder: Path, pid: int, started: float) -> None:
        self._run_folder = run_folder
        self.identity = Identity(pid, started)
        self._pressure = Pressure()

    def start(self) -> Identity:
        """Returns what is watched."""
        return self.identity

    def poll(self, handle: Identity) -> State:
        """Tells whether the process goes on, and what it uses."""
        finish = self._finish()
        if finish is not None:
            if finish.get("failed"):
                self._leave_reason(str(finish.get("reason") or "the work failed"))
            return State(exit_code=1 if finish.get("failed") else 0)
        if not handle.alive:
            lack = self._pressure.verdict(killed=True)
            self._leave_reason(
                lack or "interrupted: the process that logged to it ended (a kernel restart, or its server)"
            )
            return State(exit_code=1)
        try:
            process = psutil.Process(handle.pid)
            state = State(cpu_percent=0.0, memory_bytes=process.memory_info().rss)
            self._pressure.note(state.memory_bytes)
            return state
        except psutil.Error:
            return State()

    def stop(self, handle: Identity, grace_s: float) -> None:
        """Does nothing: the user's kernel is not the studio's to end."""

    def _finish(self) -> dict[str, object] | None:
        try:
            content = json.loads((self._run_folder / "finish.json").read_bytes())
        except (OSError, ValueError):
            return None
        return content if isinstance(content, dict) else {}

    def _leave_reason(self, text: str) -> None:
        (self._run_folder / REASON).write_text(json.dumps({"reason": text}), encoding="utf-8")

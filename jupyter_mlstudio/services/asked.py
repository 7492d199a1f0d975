"""Questions to a library, answered by a short-lived process: the server imports nothing heavy, and a bad file kills no
more than its own question."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, StudioError, TimedOut, Unavailable

MOST = 4
"""Processes at the same time; who comes later waits."""

_ERRORS: dict[str, type[StudioError]] = {kind.code: kind for kind in (Invalid, NotFound, Conflict, TimedOut)}


class Asked:
    """Starts programs that read JSON on stdin and print JSON as their last line.

    A program that refuses prints ``{"code", "message"}`` and exits with 1.
    """

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[str]] = set()
        self._closed = False

    def ask(self, program: str, question: Mapping[str, JSON], timeout_s: float, what: str) -> dict[str, Any]:
        """Asks a program of :mod:`jupyter_mlstudio.programs`.

        Args:
            program: its name.
            question: what it reads.
            timeout_s: it is killed after that.
            what: what it finds out, for the message when it cannot.

        Raises:
            Invalid, NotFound, Conflict: as the program refuses. TimedOut: it took too long.
            Unavailable: the studio is being closed.
        """
        command = [sys.executable, "-P", "-m", f"jupyter_mlstudio.programs.{program}"]
        pipe = subprocess.PIPE
        with self._free, subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
            with self._lock:
                self._children.add(child)
            try:
                if self._closed:
                    child.kill()
                    raise Unavailable("the studio is being closed")
                told, said = child.communicate(json.dumps(question), timeout=timeout_s)
            except subprocess.TimeoutExpired:
                child.kill()
                raise TimedOut(f"{what} was not known within {timeout_s:g} s") from None
            finally:
                with self._lock:
                    self._children.discard(child)
        return _read(child.returncode, told, said, what)

    def close(self) -> None:
        """Ends what is being computed: nobody waits for it any more."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()


def _read(status: int, told: str, said: str, what: str) -> dict[str, Any]:
    lines = told.strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        answer = {}
    if status == 0 and answer:
        return dict(answer)
    if status != 0 and isinstance(answer, dict) and "message" in answer:
        raise _ERRORS.get(str(answer.get("code")), Conflict)(str(answer["message"])[:2000])
    killed = "it took more memory than it may, or was killed" if status < 0 else "no reason given"
    reason = (said.strip().splitlines() or [killed])[-1]
    raise Conflict(f"{what} cannot be told: {reason[:300]}")

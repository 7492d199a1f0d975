"""What the programs share that answer one question of the server: JSON on stdin, JSON as the last line on stdout."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError

_NO_MEMORY = ("malloc of size", "Unable to allocate", "out of memory", "MemoryError")
"""How libraries say that there is none, where that is no error of its own."""


def answer(work: Callable[[dict[str, JSON]], Any]) -> int:
    """Answers the question on stdin; a refusal is ``{"code", "message"}`` and the exit status 1.

    Args:
        work: takes the question, whose ``memory_bytes`` is the most that may be allocated; returns an entity.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    question = json.load(sys.stdin)
    _limit(question.get("memory_bytes"))
    with _aside():
        try:
            told, status = asdict(work(question)), 0
        except Exception as error:
            told, status = _refusal(error), 1
    print(json.dumps(json.loads(json.dumps(told, default=str), parse_constant=str)), flush=True)
    return status


def no_memory(error: Exception) -> bool:
    """Whether an error says that there is no memory left, whichever library raised it."""
    return isinstance(error, MemoryError) or any(word in str(error) for word in _NO_MEMORY)


def _refusal(error: Exception) -> dict[str, JSON]:
    said = error.message if isinstance(error, StudioError) else str(error).strip()
    if no_memory(error):
        return {"code": "invalid", "message": "it is too large to be looked at: it needs more memory than it may have"}
    if isinstance(error, StudioError):
        return {"code": error.code, "message": said}
    return {"code": "invalid", "message": f"{type(error).__name__}: {''.join(said.splitlines()[:1])[:500]}"}


def _limit(memory_bytes: int | None) -> None:
    """Limits what this process may allocate; RLIMIT_DATA counts what is private and written to, not files."""
    if memory_bytes is None:
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))


@contextlib.contextmanager
def _aside() -> Any:
    """Sends what libraries print to stderr, so that stdout holds the answer alone."""
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(out, 1)
        os.close(out)

"""The file that a sweep's study is kept in: Optuna's journal, which writes what belongs together in one go."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

LOCK_PATIENCE_S = 10


class Journal(JournalFileBackend):
    """A journal on disk that Optuna opens as it is. A lock that a killed process left is broken after a while."""

    def __init__(self, path: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._own_lock = JournalFileSymlinkLock(str(path), grace_period=LOCK_PATIENCE_S)
            super().__init__(str(path), lock_obj=self._own_lock)
        self._path = path
        self._together = False
        self._open: IO[bytes] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Takes the lock once for all that is written inside, and syncs once at the end. Only for short work."""
        self._together = True
        try:
            yield
        finally:
            self._together = False
            self._close()

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Writes operations, one a line."""
        if not self._together:
            super().append_logs(logs)
            return
        if self._open is None:
            self._own_lock.acquire()
            self._open = self._path.open("ab")
        self._open.write("".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs).encode())
        self._open.flush()

    def _close(self) -> None:
        if self._open is None:
            return
        try:
            os.fsync(self._open.fileno())
            self._open.close()
        finally:
            self._open = None
            self._own_lock.release()

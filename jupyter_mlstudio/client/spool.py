"""Where batches wait on disk while nobody takes them: one JSON line each, in order, each safe before the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


class Spool:
    """A file of batches that were not delivered. One thread uses it at a time.

    The reader may take a batch that was delivered before it got here: each carries its client and sequence.

    Args:
        path: the file; it exists only while something waits.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._end = 0

    def __bool__(self) -> bool:
        return self._end > self._read

    def append(self, batch: bytes) -> None:
        """Adds a batch; it is on the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(batch + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._end = file.tell()

    def waiting(self) -> Iterator[bytes]:
        """Yields what waits, oldest first; going on past a batch says that it is delivered."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                yield line.rstrip(b"\n")
                self._read += len(line)
        if not self:
            self.path.unlink(missing_ok=True)
            self._read = self._end = 0

"""A file that comes as the body of a request, written down piece by piece."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path

from jupyter_mlstudio.api.route import Upload
from jupyter_mlstudio.errors import TooLarge


class Incoming:
    """A file on its way into a folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f".{uuid.uuid4().hex}.tmp"
        self._file = self.path.open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def add(self, chunk: bytes, limit: int) -> None:
        """Writes a piece; raises ``TooLarge`` when the file is longer than ``limit`` bytes with it."""
        self._size += len(chunk)
        if self._size > limit:
            raise TooLarge(f"the file is over {limit:,} bytes")
        self._file.write(chunk)
        self._digest.update(chunk)

    def close(self) -> Upload:
        """Ends it: the file is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Upload(path=self.path, size_bytes=self._size, sha256=self._digest.hexdigest())

    def drop(self) -> None:
        """Removes what has come, if nobody took it."""
        self._file.close()
        self.path.unlink(missing_ok=True)

"""A whole version as one ZIP file, made while it is sent: nothing is written to disk, nothing is held in memory."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict

from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.services.models import Models

CHUNK_BYTES = 256 * 1024
MANIFEST = "MANIFEST.json"
SUMS = "SHA256SUMS"
"""In the form that ``sha256sum --check`` reads."""


def version_archive(models: Models, name: str, version: str) -> tuple[str, Iterator[bytes]]:
    """Packs a version: its name as a file, and the bytes. Files are stored as they are, after their digests."""
    found = models.version(name, version)
    return f"{found.model}-{found.version}.zip", _packed(models, found)


def _packed(models: Models, version: ModelVersion) -> Iterator[bytes]:
    out = _Pipe()
    root = f"{version.model}-{version.version}"
    sums = "".join(f"{file.sha256}  {file.path}\n" for file in version.files)
    facts = {
        "model": version.model, "version": version.version, "sha256": version.sha256, "source": version.source,
        "framework": version.framework, "files": [asdict(file) for file in version.files],
    }  # fmt: skip
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, allowZip64=True) as packed:
        packed.writestr(f"{root}/{MANIFEST}", json.dumps(facts, indent=2, ensure_ascii=False))
        packed.writestr(f"{root}/{SUMS}", sums)
        for file in version.files:
            handle, size, _name = models.open_file(version.model, version.version, file.path)
            entry = zipfile.ZipInfo(f"{root}/{file.path}", version.created_at.timetuple()[:6])
            entry.file_size = size
            with os.fdopen(handle, "rb") as source, packed.open(entry, "w", force_zip64=True) as target:
                while piece := source.read(CHUNK_BYTES):
                    target.write(piece)
                    yield out.take()
    yield out.take()


class _Pipe(io.RawIOBase):
    """Takes what is written until it is asked for."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Returns what was written since the last time."""
        taken, self._held = bytes(self._held), bytearray()
        return taken

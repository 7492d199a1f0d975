"""What a file looks like, in forms that are safe to draw: text, table, picture as data, notebook as text."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import PurePosixPath
from typing import Any

from jupyter_mlstudio.entities.runs import Preview

TEXT_LIMIT_BYTES = 512 * 1024
IMAGE_LIMIT_BYTES = 8 * 1024 * 1024
NOTEBOOK_LIMIT_BYTES = 16 * 1024 * 1024
TABLE_ROWS = 200
TABLE_COLUMNS = 100
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def wanted_bytes(path: str) -> int:
    """Returns how much of a file a preview needs."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in (".png", ".jpg", ".jpeg", ".gif"):
        return IMAGE_LIMIT_BYTES + 1
    return NOTEBOOK_LIMIT_BYTES + 1 if suffix in (".ipynb", ".json") else TEXT_LIMIT_BYTES + 1


def preview(path: str, head: bytes, size_bytes: int) -> Preview:
    """Builds a preview from the beginning of a file."""
    suffix = PurePosixPath(path).suffix.lower()
    image = next((media for signature, media in _SIGNATURES.items() if head.startswith(signature)), None)
    if image is not None:
        return _image(path, head, size_bytes, image)
    if b"\x00" in head[:8192]:
        return Preview(path=path, kind="none", size_bytes=size_bytes, reason="the file is not text")
    if suffix == ".ipynb" and size_bytes <= NOTEBOOK_LIMIT_BYTES:
        return _json(path, head, size_bytes, "notebook")
    if suffix == ".json" and size_bytes <= TEXT_LIMIT_BYTES:
        return _json(path, head, size_bytes, "json")
    if suffix in (".csv", ".tsv"):
        return _table(path, head, size_bytes, "\t" if suffix == ".tsv" else ",")
    return text_preview(path, head, size_bytes)


def text_preview(path: str, content: bytes, size_bytes: int | None = None) -> Preview:
    """Shows bytes as UTF-8 text; what is not UTF-8 is shown as replacement characters."""
    size = len(content) if size_bytes is None else size_bytes
    if b"\x00" in content[:8192]:
        return Preview(path=path, kind="none", size_bytes=size, reason="the file is not text")
    text = content[:TEXT_LIMIT_BYTES].decode("utf-8", "replace")
    return Preview(path=path, kind="text", size_bytes=size, text=text, truncated=size > TEXT_LIMIT_BYTES)


def _image(path: str, head: bytes, size_bytes: int, media: str) -> Preview:
    if size_bytes > IMAGE_LIMIT_BYTES:
        return Preview(path=path, kind="none", size_bytes=size_bytes, reason="the picture is over 8 MB: download it")
    data_url = f"data:{media};base64,{base64.b64encode(head).decode()}"
    return Preview(path=path, kind="image", size_bytes=size_bytes, data_url=data_url)


def _json(path: str, head: bytes, size_bytes: int, kind: str) -> Preview:
    try:
        content: Any = json.loads(head)
    except (ValueError, RecursionError):
        return text_preview(path, head, size_bytes)
    text = json.dumps(content, indent=1 if kind == "json" else None, ensure_ascii=False)
    return Preview(path=path, kind=kind, size_bytes=size_bytes, text=text.encode("utf-8", "replace").decode())


def _table(path: str, head: bytes, size_bytes: int, delimiter: str) -> Preview:
    text = head[:TEXT_LIMIT_BYTES].decode("utf-8-sig", "replace")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append([cell[:500] for cell in row[:TABLE_COLUMNS]])
            if len(rows) > TABLE_ROWS:
                break
    except csv.Error:
        return text_preview(path, head, size_bytes)
    return Preview(
        path=path,
        kind="table",
        size_bytes=size_bytes,
        rows=rows,
        truncated=len(rows) > TABLE_ROWS or size_bytes > TEXT_LIMIT_BYTES,
    )

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
PIXELS_LIMIT = 50_000_000
"""A small file may hold a picture that takes gigabytes to draw: what it says of its size is looked at first."""

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
    pixels = pixels_of(head, media)
    if pixels is None or pixels > PIXELS_LIMIT:
        said = "does not say its size" if pixels is None else f"has {pixels / 1e6:,.0f} megapixels"
        return Preview(path=path, kind="none", size_bytes=size_bytes, reason=f"the picture {said}: download it")
    data_url = f"data:{media};base64,{base64.b64encode(head).decode()}"
    return Preview(path=path, kind="image", size_bytes=size_bytes, data_url=data_url)


def pixels_of(head: bytes, media: str) -> int | None:
    """How many pixels a picture says that it has; None when it does not say so where its format wants it."""
    if media == "image/png":  # PNG (RFC 2083), IHDR comes first
        return int.from_bytes(head[16:20]) * int.from_bytes(head[20:24]) if head[12:16] == b"IHDR" else None
    if media == "image/gif":  # GIF89a, the logical screen and the first frame
        return int.from_bytes(head[6:8], "little") * int.from_bytes(head[8:10], "little") if len(head) > 10 else None
    at = 2
    while at + 9 < len(head) and head[at] == 0xFF:  # JPEG (ITU T.81, B.1): segments up to the frame's header
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4])
        if marker in _JPEG_FRAMES:
            return int.from_bytes(head[at + 5 : at + 7]) * int.from_bytes(head[at + 7 : at + 9])
        at += 1 if marker == 0xFF else 2 + length
    return None


_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


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

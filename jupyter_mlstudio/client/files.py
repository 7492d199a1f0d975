"""Files that user code keeps with a run: names of artifacts, uploads, and figures as files."""

from __future__ import annotations

import io
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from jupyter_mlstudio.client.wire import Connection, file_path, segment
from jupyter_mlstudio.errors import Invalid, NotFound, Unavailable


def artifact_name(name: str, suffix: str = "") -> str:
    """Returns the path of an artifact below the run's artifacts, with ``suffix`` added when it has none.

    Raises:
        Invalid: it is empty, absolute, leads out of the folder, or holds control characters.
    """
    if not isinstance(name, str) or not name.strip() or any(ord(char) < 32 for char in name):
        raise Invalid(f"{name!r} cannot be the name of an artifact; use a relative path such as plots/roc.png")
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise Invalid(f"{name!r} leads out of the run's artifacts; use a relative path such as plots/roc.png")
    return str(path) if path.suffix or not suffix else f"{path}{suffix}"


def write_reason(folder: Path | None, reason: str) -> None:
    """Leaves one sentence where the run's supervisor reads why the work failed."""
    if folder is not None and folder.is_dir():
        temporary = folder / "reason.json.tmp"
        temporary.write_text(json.dumps({"reason": reason}), encoding="utf-8")
        temporary.replace(folder / "reason.json")


class ArtifactStore:
    """Where a run's artifacts go: over the connection, or into the run's folder while the studio does not answer."""

    def __init__(self, run_id: str, connection: Connection, folder: Path | None) -> None:
        self._path = f"runs/{segment(run_id)}/files/"
        self._connection = connection
        self._folder = folder

    def put_file(self, source: Path, name: str) -> str:
        """Keeps a file under ``name``, whole or not at all."""
        try:
            with source.open("rb") as file:
                self._put(file, os.fstat(file.fileno()).st_size, name)
        except FileNotFoundError:
            raise NotFound(f"there is no file {source}; nothing was logged") from None
        return name

    def put_bytes(self, content: bytes, name: str) -> str:
        """Keeps bytes under ``name``, whole or not at all."""
        self._put(io.BytesIO(content), len(content), name)
        return name

    def _put(self, file: BinaryIO, size_bytes: int, name: str) -> None:
        try:
            self._connection.upload(self._path + file_path(name), file, size_bytes)
        except Unavailable as error:
            if self._folder is None or not self._folder.is_dir():
                raise
            file.seek(0)
            self._copy(file, name)
            warnings.warn(
                f"jupyter_mlstudio: {error.message}; {name} was put into {self._folder}", RuntimeWarning, stacklevel=4
            )

    def _copy(self, file: BinaryIO, name: str) -> None:
        assert self._folder is not None
        target = self._folder / "artifacts" / name
        temporary = self._folder / "spool" / f"{os.getpid()}-{target.name}.part"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
                copy.flush()
                os.fsync(copy.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yields the regular files below a folder with their paths relative to it; links are not followed."""
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}; nothing was logged")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, path.relative_to(folder).as_posix()


def is_plotly(figure: object) -> bool:
    """Whether this is a plotly figure, told without importing plotly."""
    return hasattr(figure, "to_plotly_json") and hasattr(figure, "to_json")


def figure_bytes(figure: Any, suffix: str) -> bytes:
    """Draws a matplotlib figure, axes, or anything with a ``figure`` or a ``savefig`` as a file of the type ``suffix``.

    Raises:
        Invalid: it cannot be drawn.
    """
    drawable: Any = figure if hasattr(figure, "savefig") else getattr(figure, "figure", None)
    if not hasattr(drawable, "savefig"):
        raise Invalid(f"a {type(figure).__name__} is not a figure; give a matplotlib or plotly figure")
    buffer = io.BytesIO()
    drawable.savefig(buffer, format=suffix.lstrip(".").lower() or "png", bbox_inches="tight")
    return buffer.getvalue()


def image_bytes(image: Any) -> bytes:
    """Encodes an image as PNG: bytes as they are, a PIL image, or an array ``(height, width[, 1|3|4])``.

    Floats are taken as 0 to 1, other numbers as 0 to 255.
    """
    if isinstance(image, (bytes, bytearray)):
        return bytes(image)
    if not hasattr(image, "save"):
        image = _from_array(image)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def _from_array(array: Any) -> Any:
    import numpy as np
    from PIL import Image

    values = np.asarray(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise Invalid(f"an image is an array (height, width) or (height, width, 3 or 4), not {values.shape}")
    scaled = values * 255.0 if values.dtype.kind == "f" else values
    return Image.fromarray(np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8))

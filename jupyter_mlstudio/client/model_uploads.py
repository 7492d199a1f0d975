"""Files of this machine as the source of a version: named when they lie in the workspace, sent when they do not."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from jupyter_mlstudio.client.files import files_below
from jupyter_mlstudio.client.wire import Connection, file_path
from jupyter_mlstudio.client.workspace import FOLDER, find_root
from jupyter_mlstudio.errors import NotFound


def source_of(path: str | os.PathLike[str], connection: Connection) -> dict[str, str]:
    """Says where the studio finds a file or folder: ``file`` below the workspace's root, or the id of an upload.

    Raises:
        NotFound: it is not there.
    """
    given = Path(path).expanduser()
    if not given.exists():
        raise NotFound(f"there is no file or folder {os.fspath(path)!r} in {Path.cwd()}; nothing was registered")
    root, whole = (connection.root or find_root()).resolve(), given.resolve()
    if whole.is_relative_to(root) and whole != root and FOLDER not in whole.relative_to(root).parts:
        return {"file": whole.relative_to(root).as_posix()}
    upload = uuid.uuid4().hex
    for file, name in [(whole, whole.name)] if whole.is_file() else files_below(whole):
        with file.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            connection.upload(f"model-uploads/{upload}/files/{file_path(name)}", content, size)
    return {"upload": upload}

"""Tables that are learnt from: a file of the workspace is named, one from elsewhere and a data frame are sent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.model_uploads import source_of
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.errors import Invalid, NotFound

OF_RUN = "runs:/"


def data_of(data: Any, connection: Connection, what: str) -> dict[str, str]:
    """Says where the studio finds a table: ``file`` below the workspace's root, or the id of an ``upload``.

    Args:
        data: a data frame of pandas or polars, a path, or ``runs:/<run id>/<path>``.
        connection: whom a table is sent to that does not lie in the workspace.
        what: the argument that it was given as, for messages.

    Raises:
        Invalid: it is no table. NotFound: there is no such file.
    """
    if isinstance(data, str) and data.startswith(OF_RUN):
        return {"file": data}
    if isinstance(data, str | os.PathLike):
        path = Path(data).expanduser()
        if path.is_dir():
            raise Invalid(f"{os.fspath(data)!r} is a folder; {what} is one file: CSV, TSV, JSON lines or Parquet")
        if not path.is_file():
            raise NotFound(f"there is no file {os.fspath(data)!r} in {Path.cwd()}; nothing was started")
        return source_of(path, connection)
    if not hasattr(data, "columns"):
        raise Invalid(f"{what} is a data frame or the path of a file, not {type(data).__name__}")
    with tempfile.TemporaryDirectory(prefix="mlstudio-table-") as folder:
        file = Path(folder) / f"{what}.parquet"
        write_parquet(data, file)
        return source_of(file, connection)


def write_parquet(frame: Any, file: Path) -> None:
    """Writes a data frame as Parquet, without its index.

    Raises:
        Invalid: a column cannot be written; the message has its name.
    """
    if hasattr(frame, "write_parquet"):  # polars
        frame.write_parquet(file)
        return
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid(f"the data frame has {len(twice)} column names twice, e.g. {twice[0]!r}: rename them first")
    if not len(frame.index):
        raise Invalid("the data frame has no rows")
    frame = frame.set_axis(names, axis=1)
    try:
        frame.to_parquet(file, index=False)
    except ImportError:
        raise Invalid("pyarrow is not installed, so no data frame can be sent: %pip install pyarrow") from None
    except Exception as error:  # the library's own errors have no common base
        name = next((name for name in names if not _writes(frame[[name]], file)), "")
        said = str(error).splitlines()[0][:300]
        raise Invalid(
            f"the column {name!r} cannot be sent ({said}): make its values of one kind, e.g. df[{name!r}].astype(str)"
        ) from None


def _writes(frame: Any, file: Path) -> bool:
    try:
        frame.to_parquet(file, index=False)
    except Exception:
        return False
    return True

"""Reads a table from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jupyter_mlstudio.errors import Invalid


def read(path: str | Path, *, columns: Sequence[str] | None = None, nrows: int | None = None) -> pd.DataFrame:
    """Reads a table: CSV, TSV, JSON lines or Parquet, told by the suffix.

    Raises:
        Invalid: it is not there, or none of these.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        raise Invalid(f"there is no file {path.name!r}")
    if kind in (".parquet", ".pq"):
        frame = pd.read_parquet(path)
        frame = frame if nrows is None else frame.head(nrows)
    elif kind in (".jsonl", ".ndjson"):
        frame = pd.read_json(path, lines=True, nrows=nrows)
    elif kind in (".csv", ".tsv", ".txt"):
        frame = pd.read_csv(path, sep="\t" if kind == ".tsv" else ",", nrows=nrows)
    else:
        raise Invalid(f"{path.name!r} is no table that is read here: CSV, TSV, JSON lines or Parquet")
    return frame if columns is None else frame[list(columns)]

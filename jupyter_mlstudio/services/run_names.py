"""Names for runs that were given none: what they execute, and a number that counts up in the experiment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, select

from jupyter_mlstudio.store.schema import runs


def new_name(connection: Connection, values: Mapping[str, Any], experiment_id: int) -> str:
    """Returns a name that no run of the experiment has, such as ``train-3``."""
    stem = _stem(values)
    query = select(runs.c.name).where(runs.c.experiment_id == experiment_id)
    taken = connection.execute(query.where(runs.c.name.startswith(stem + "-", autoescape=True))).scalars()
    numbers = [int(name[len(stem) + 1 :]) for name in taken if re.fullmatch(r"\d{1,9}", name[len(stem) + 1 :])]
    return f"{stem}-{max(numbers, default=0) + 1}"


def _stem(values: Mapping[str, Any]) -> str:
    spec = json.loads(values["spec"])
    origin = json.loads(values["origin"])
    source = spec.get("script") or spec.get("notebook") or (spec.get("command") or [None])[0]
    source = source or origin.get("notebook") or origin.get("script")
    stem = re.sub(r"[^\w.-]+", "-", PurePosixPath(str(source or values["kind"])).stem).strip("-.")
    return stem[:60] or str(values["kind"])

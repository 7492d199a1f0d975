"""Finding the rows of models and versions by what callers call them."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from sqlalchemy import Connection, Row

from jupyter_mlstudio.entities.model_reports import ModelUser
from jupyter_mlstudio.entities.models import ModelVersion, VersionStatus
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.store import models as store

REASON_LIMIT = 5000


def model_row(connection: Connection, name: str) -> Row[Any]:
    """The row of a model.

    Raises:
        NotFound: there is none.
    """
    row = store.get_row(connection, unicodedata.normalize("NFC", name))
    if row is None:
        raise NotFound(f"there is no model {name[:80]!r}")
    return row


def version_row(connection: Connection, name: str, version: str | int) -> Row[Any]:
    """The row of a version, given by its number, an alias or ``latest``.

    Raises:
        NotFound: there is none. Invalid: it reads like a number and is none.
    """
    model = model_row(connection, name).name
    number = _number(connection, model, str(version))
    row = None if number is None else store.get_version_row(connection, model, number)
    if row is None:
        raise NotFound(f"model {model!r} has no version {str(version)[:80]!r}")
    return row


def refuse_used(users: list[ModelUser], what: str, kinds: tuple[str, ...]) -> None:
    """Refuses to take away what others use.

    Raises:
        Conflict: somebody does; the message says who.
    """
    found = [user.text for user in users if user.kind in kinds]
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise Conflict(f"{what} is used by {'; '.join(found[:5])}{more}: take it from there first")


def refuse_many(version: ModelVersion, why: str) -> None:
    """Refuses a version of many models where only one ONNX file will do.

    Raises:
        Conflict: it has many.
    """
    if version.signature is not None and version.signature.routed_by:
        by = ", ".join(version.signature.routed_by)
        raise Conflict(
            f"version {version.version} of {version.model!r} has a model for each value of {by}, and {why}: register"
            " the run of the part, and take that"
        )


def check_deployable(version: ModelVersion) -> None:
    """Checks that a version may be deployed anew.

    Raises:
        Conflict: it is archived, or was rejected.
    """
    what = f"version {version.version} of {version.model!r}"
    if version.archived_at is not None:
        raise Conflict(f"{what} is archived: restore it before it is deployed")
    if version.approval.status == "Rejected":
        raise Conflict(f"{what} was rejected by {version.approval.user or 'somebody'}: {version.approval.reason}")


def check_ready(row: Row[Any], what: str) -> None:
    """Checks that a version is ready and not archived; ``what`` says what only such ones may have."""
    if row.status != VersionStatus.READY.value:
        raise Conflict(f"version {row.version} of {row.model!r} is {row.status.lower()}; {what} ready ones")
    if row.archived_at is not None:
        raise Conflict(f"version {row.version} of {row.model!r} is archived: restore it first")


def checked_reason(reason: str, why: str = "") -> str:
    """Reads a reason; ``why`` says for what one is needed, empty where it may be left out.

    Raises:
        Invalid: it is needed and missing, or too long.
    """
    text = reason.strip()
    if why and not text:
        raise Invalid(f"{why} needs a reason: say in a sentence why")
    if len(text) > REASON_LIMIT:
        raise Invalid(f"a reason has at most {REASON_LIMIT:,} characters, this one has {len(text):,}")
    return text


def _number(connection: Connection, model: str, version: str) -> int | None:
    if version.lower() == "latest":
        return store.newest(connection, model)
    text = version[1:] if re.fullmatch(r"[vV]\d+", version) else version
    if re.fullmatch(r"[1-9]\d{0,8}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[\d.]+", text):
        raise Invalid(f"{version[:80]!r} is no version: give a number from 1, an alias or latest")
    return store.find_alias(connection, model, unicodedata.normalize("NFC", version))

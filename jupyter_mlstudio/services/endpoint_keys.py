"""Access keys of endpoints: made here, shown once, kept as SHA-256 digests."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from jupyter_mlstudio.entities.endpoints import KeyInfo
from jupyter_mlstudio.entities.values import JSON, utc_now

NAMES = ("primary", "secondary")
PREFIX = "mls_"
SHOWN = len(PREFIX) + 4
STUDIO = "studio"


def new_key() -> str:
    """Makes a key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def record(name: str, key: str, expires_at: datetime | None = None) -> dict[str, JSON]:
    """What is kept of a key."""
    made = {"name": name, "prefix": key[:SHOWN], "sha256": digest(key), "created_at": utc_now().isoformat()}
    return made | ({"expires_at": expires_at.isoformat()} if expires_at is not None else {})


def digest(key: str) -> str:
    """The digest that is compared with what a caller presents."""
    return hashlib.sha256(key.encode()).hexdigest()


def info(kept: Mapping[str, JSON], used_at: str | None) -> KeyInfo:
    """What may be shown of a key."""
    return KeyInfo(
        name=kept["name"],
        prefix=kept["prefix"],
        created_at=datetime.fromisoformat(kept["created_at"]),
        last_used_at=datetime.fromisoformat(used_at) if used_at else None,
        expires_at=datetime.fromisoformat(kept["expires_at"]) if kept.get("expires_at") else None,
    )


def write_file(path: Path, kept: Sequence[Mapping[str, JSON]], nonce: str) -> None:
    """Writes the digests where the scoring process reads them: owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    digests: dict[str, JSON] = {STUDIO: digest(nonce)}
    for key in kept:
        ends = key.get("expires_at")
        digests[str(key["name"])] = {"sha256": key["sha256"], "expires_at": ends} if ends else key["sha256"]
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - from a descriptor
        json.dump(digests, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

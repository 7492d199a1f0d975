"""What people may call things: normalised text without invisible characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from jupyter_mlstudio.errors import Invalid

LIMIT = 250
"""Characters of a name."""

_GOING_ON = re.compile(r", continued( \d+)?$")
_STRANGE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def checked_name(text: str, what: str, limit: int = LIMIT) -> str:
    """Normalises a name to NFC.

    Raises:
        Invalid: it is empty, too long, or holds control or invisible characters.
    """
    normal = unicodedata.normalize("NFC", text).strip()
    if not normal or len(normal) > limit:
        raise Invalid(f"{what} has 1 to {limit} characters; {normal[:40]!r} has {len(normal)}")
    strange = next((char for char in normal if unicodedata.category(char) in _STRANGE), None)
    if strange is not None and strange != "\u200d":  # the joiner inside emoji
        raise Invalid(f"{what} cannot hold the character U+{ord(strange):04X}")
    return normal


def continued(name: str) -> Iterator[str]:
    """Names for what goes on with something of a name: ``search, continued``, ``search, continued 2`` and so on."""
    base, number = _GOING_ON.sub("", name), 1
    while True:
        more = ", continued" if number == 1 else f", continued {number}"
        yield base[: LIMIT - len(more)] + more
        number += 1


def checked_text(text: str, what: str, limit: int) -> str:
    """Checks free text: any characters but NUL and lone surrogates, up to a length."""
    if len(text) > limit:
        raise Invalid(f"{what} has at most {limit:,} characters, this one has {len(text):,}")
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise Invalid(f"{what} holds a character that cannot be stored (NUL or half of a surrogate pair)")
    return text

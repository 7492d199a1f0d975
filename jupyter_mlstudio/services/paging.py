"""Page tokens: where the next page begins, opaque to callers."""

from __future__ import annotations

import base64
import binascii

from jupyter_mlstudio.errors import Invalid


def token_of(offset: int, total: int) -> str | None:
    """Returns the token of the page that begins at ``offset``, None when there is none."""
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode() if offset < total else None


def offset_of(token: str | None) -> int:
    """Reads a token; no token is the first page.

    Raises:
        Invalid: it is not one of ours.
    """
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token.encode("ascii", "strict")).decode("ascii")
        if text[:1] == "o" and text[1:].isdigit() and len(text) < 20:
            return int(text[1:])
    except (ValueError, binascii.Error):
        pass
    raise Invalid(f"{token[:40]!r} is not a page token: take it from the page before")

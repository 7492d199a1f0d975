"""Reading JSON into dataclasses, from many threads.

msgspec learns what a dataclass is made of when it first meets it, and keeps that with the class before it is complete.
A second thread that meets the class at that moment ends the process. So each type is learnt once, by one thread.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_lock = threading.Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(text: bytes | str, kind: type[T]) -> T:
    """Reads JSON.

    Raises:
        msgspec.MsgspecError: it is not JSON, or not of that type.
    """
    found: T = _decoder(kind).decode(text)
    return found


def convert(value: object, kind: type[T]) -> T:
    """Reads what was JSON.

    Raises:
        msgspec.ValidationError: it is not of that type.
    """
    _decoder(kind)
    return msgspec.convert(value, kind)


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    found = _decoders.get(kind)
    if found is None:
        with _lock:
            found = _decoders[kind] = _decoders.get(kind) or msgspec.json.Decoder(kind)
    return found

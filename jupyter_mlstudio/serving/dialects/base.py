"""What a dialect is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.onnx.tensors import Inference

JSON_TYPE = b"application/json"
_IDENTITY = re.compile(rb"[\x21-\x7e]{1,128}\Z")


@dataclass(slots=True)
class Written:
    """An answer in a dialect's form; ``lines`` are further header lines, each with CR LF before it."""

    body: bytes
    media: bytes = JSON_TYPE
    lines: bytes = b""


def is_identity(value: bytes) -> bool:
    """Tells whether a client's name for its request may be repeated in a header and a log."""
    return _IDENTITY.match(value) is not None


class Dialect(ABC):
    """One way of asking for a model's answer. It keeps nothing of a request, so one serves all.

    A dialect is strict: a value that is not exactly of the type that the model takes is refused with ``Invalid``, and
    the message names its row and column. It never rounds, guesses, fills in, or drops what it does not know. A missing
    number is taken only where the dialect's own specification has one.
    """

    media: ClassVar[frozenset[bytes]] = frozenset({JSON_TYPE})
    """The content types it reads."""

    loaded: bool = True
    """False while :meth:`load` has to be called first, which may take long and is done aside."""

    def load(self) -> None:  # noqa: B027 - most have nothing to load
        """Imports what :meth:`read` and :meth:`write` need.

        Raises:
            WrongType: it is not installed.
        """

    @abstractmethod
    def read(self, body: bytes | bytearray, headers: Mapping[bytes, bytes]) -> Inference:
        """Reads a whole body.

        Raises:
            Invalid: it is no request of this dialect for this model.
            TooLarge: it has more rows than one request may have.
        """

    @abstractmethod
    def write(self, inference: Inference, tensors: Sequence[Any]) -> Written:
        """Writes the model's answer to what :meth:`read` read; ``tensors`` are in the order of its outputs."""

    def refusal(self, error: StudioError) -> bytes:
        """Writes an error as JSON."""
        return msgspec.json.encode({"error": error.message, "code": error.code})

    named: bool = False
    """Whether each answer says which request it belongs to."""

    def lines(self, headers: Mapping[bytes, bytes], run_s: float, failed: bool) -> bytes:
        """Further header lines of any answer, good or bad.

        Args:
            headers: the request's.
            run_s: how long the model ran.
            failed: whether the model could not answer, through no fault of the caller.
        """
        return b""

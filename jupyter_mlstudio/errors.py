"""Every error that the studio raises on purpose.

::

    StudioError            500  internal
    +-- Invalid            400  the request or a value in it is wrong
    |   +-- TooLarge       413  a body or a file is over its limit
    |   +-- WrongType      415  the content type is not one that is read here
    +-- Unauthorized       401  a key or token is missing or not valid
    +-- Forbidden          403  the caller may not do this
    +-- NotFound           404  the thing does not exist
    +-- Conflict           409  the thing's state does not allow this
    |   +-- Stale          412  the thing changed since it was read
    |   +-- AlreadyExists  409  a thing of that name is there
    +-- Unavailable        503  try again later (``retry_after_s``)
    |   +-- TimedOut       504  a deadline passed
    |   +-- NoSpace        507  the disk is full
    +-- MissingExtra       501  an optional library is not installed
    +-- Unsupported        501  a part of another tool's protocol that the studio does not have

Each has a stable ``code`` and an HTTP ``status``. A message says what was wrong, with the value, and what to do.
This module knows no web framework: a host maps errors to answers in one place.
"""

from __future__ import annotations


class StudioError(Exception):
    """Root of the studio's own errors: catch it to handle all of them."""

    code = "internal"
    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(StudioError):
    """A request, or a value in it, is wrong and will be wrong again."""

    code = "invalid"
    status = 400


class TooLarge(Invalid):
    """A body, a file or a list is over its limit."""

    code = "too_large"
    status = 413


class WrongType(Invalid):
    """The content type of a request is not one that is read here."""

    code = "wrong_type"
    status = 415


class Unauthorized(StudioError):
    """A key or token is missing or not valid."""

    code = "unauthorized"
    status = 401


class Forbidden(StudioError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(StudioError):
    """The thing that was named does not exist, or not where the caller may look."""

    code = "not_found"
    status = 404


class Conflict(StudioError):
    """The state of the thing does not allow what was asked."""

    code = "conflict"
    status = 409


class Stale(Conflict):
    """The thing changed since the caller read it."""

    code = "stale"
    status = 412


class AlreadyExists(Conflict):
    """There is a thing of that name already."""

    code = "already_exists"


class Unavailable(StudioError):
    """Something that is needed does not answer now; a later try may succeed."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, retry_after_s: int = 2) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TimedOut(Unavailable):
    """A deadline passed before the answer was there."""

    code = "timed_out"
    status = 504


class NoSpace(Unavailable):
    """The disk is full, or too full to start something new."""

    code = "no_space"
    status = 507


class MissingExtra(StudioError):
    """An optional library is not installed; the message names the command that installs it."""

    code = "missing_extra"
    status = 501

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f'{library} is not installed: pip install "jupyter-mlstudio[{extra}]"')
        self.library = library
        self.extra = extra


class Unsupported(StudioError):
    """The protocol that the caller speaks has this, and the studio does not."""

    code = "unsupported"
    status = 501

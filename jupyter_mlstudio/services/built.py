"""Parts of a whole that are built when they are first asked for, so that nobody imports what they never use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar, overload

Part = TypeVar("Part")


class Whole(Protocol):
    """What has such parts."""

    building: threading.RLock


class built(Generic[Part]):  # noqa: N801 - a decorator
    """A part as an attribute: built once, whichever thread asks first."""

    def __init__(self, build: Callable[[Any], Part]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, whole: None, owner: type) -> Self: ...
    @overload
    def __get__(self, whole: Whole, owner: type) -> Part: ...
    def __get__(self, whole: Whole | None, owner: type) -> Part | Self:
        if whole is None:
            return self
        with whole.building:
            if self._name not in vars(whole):
                vars(whole)[self._name] = self._build(whole)
            found: Part = vars(whole)[self._name]
            return found

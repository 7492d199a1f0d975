"""What magics say when something cannot be done: one line, without a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.kernel.arguments import HelpShown

Method = TypeVar("Method", bound=Callable[..., Any])


class MLStudioError(Exception):
    """What a magic ends with when it could not do what it was asked: shown as a line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def short_errors(method: Method) -> Method:
    """Turns the studio's errors into lines that say what to do; an interrupt ends only the magic."""

    @functools.wraps(method)
    def call(*args: Any) -> Any:
        try:
            return method(*args)
        except HelpShown:
            return None
        except StudioError as error:
            raise MLStudioError(error.message) from None
        except KeyboardInterrupt:
            print("interrupted; the run goes on")
            return None

    return call  # type: ignore[return-value]

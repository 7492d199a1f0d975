"""Value types that several entities share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

JSON = Any
"""A JSON value: null, bool, int, finite float, str, list or dict with str keys."""


STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}
"""How the strict reader takes a dataclass that arrives from outside: no unknown fields, no conversions."""


class _NonFinite:
    """Marks a float that may be NaN or infinite and then travels as ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> Any:
        return {"anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}


Real = Annotated[float, _NonFinite()]
"""A metric's value: a float64 that may be NaN or infinite."""


Step = int | str
"""A step of a metric as it is told: a number, or text where it is beyond 2^53 - 1 and a browser would round it."""


def utc_now() -> datetime:
    """Returns the present time, aware, in UTC."""
    return datetime.now(UTC)

"""How models and endpoints show themselves in a notebook."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON


class Shown(ABC):
    """Shows itself as a small table; every text in it comes from users and is escaped."""

    _data: dict[str, JSON]

    @abstractmethod
    def _rows_shown(self) -> list[tuple[str, str]]: ...

    @abstractmethod
    def _title(self) -> str: ...

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [(name, text) for name, text in self._rows_shown() if text]
        cells = "".join(
            f"<tr><th>{html.escape(name)}</th><td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in rows
        )
        plain = "\n".join([self._title(), *(f"  {name}: {text}" for name, text in rows)])
        return {
            "text/plain": plain,
            "text/html": f"<table><caption>{html.escape(self._title())}</caption>{cells}</table>",
        }


def signature(data: Mapping[str, JSON] | None) -> Signature | None:
    """Reads a signature as the API tells it."""
    if data is None:
        return None
    inputs, outputs = ([TensorSpec(**spec) for spec in data[side]] for side in ("inputs", "outputs"))
    return Signature(
        inputs=inputs, outputs=outputs, task=data["task"], labels=list(data["labels"]),
        routed_by=list(data.get("routed_by") or []),
    )  # fmt: skip

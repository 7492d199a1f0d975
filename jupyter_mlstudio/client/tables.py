"""Tables as text and as HTML, and sequences that show themselves so."""

from __future__ import annotations

import html
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex, TypeVar, overload

T = TypeVar("T")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns begin below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts; all of them come from users and are escaped."""
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return f"<table><thead><tr>{_cells('th', header)}</tr></thead><tbody>{body}</tbody></table>"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "".join(f'<{tag} style="text-align:left">{html.escape(cell)}</{tag}>' for cell in cells)


class Listed(Sequence[T]):
    """Things of a kind, which show themselves as a table."""

    def __init__(self, found: Iterable[T]) -> None:
        self._found = list(found)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: Any) -> Any:
        return self._found[index]

    @abstractmethod
    def _cells(self) -> list[list[str]]:
        """The head of the table, and a row for each thing that is shown."""

    @abstractmethod
    def _nothing(self) -> str:
        """What is said where there is nothing."""

    def _more(self) -> list[str]:
        """Lines below the table."""
        return []

    def __repr__(self) -> str:
        return "\n".join([*aligned(self._cells()), *self._more()]) if self._found else self._nothing()

    def _repr_html_(self) -> str:
        if not self._found:
            return f"<p>{html.escape(self._nothing())}</p>"
        header, *rows = self._cells()
        return html_table(header, rows) + "".join(f"<p>{html.escape(line)}</p>" for line in self._more())

"""Showing runs in a notebook. Nothing here may break user code: what cannot be shown is said in words."""

from __future__ import annotations

import html
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.runs import Run, get_run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError

if TYPE_CHECKING:
    from jupyter_mlstudio.kernel.widgets import RunWidget

COLUMNS_LIMIT = 6


class RunDetails:
    """Shows a run as a card that stays live, also after a reload and a restart of the kernel.

    >>> RunDetails(run).show()

    Args:
        run: the run, its id or its name.
    """

    def __init__(self, run: Run | str) -> None:
        self.run = get_run(run) if isinstance(run, str) else run

    def show(self) -> None:
        """Displays the card under the cell; elsewhere prints one line."""
        show(self.run)

    def widget(self) -> RunWidget:
        """Returns the card as a widget that the kernel keeps live, for VS Code, Colab and the classic notebook."""
        from jupyter_mlstudio.kernel.widgets import RunWidget

        return RunWidget(self.run)

    def _repr_mimebundle_(self, **options: object) -> dict[str, JSON]:
        return self.run._repr_mimebundle_(**options)


class RunTable(Sequence[Run]):
    """Runs as a table, with the metrics they have in common first."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = list(runs)

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...

    def __getitem__(self, index: Any) -> Any:
        return self._runs[index]

    def __repr__(self) -> str:
        header, *rows = self._cells()
        if not rows:
            return "no runs"
        widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
        lines = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows)
        )
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        header, *rows = self._cells()
        if not rows:
            return "<p>no runs</p>"
        body = "".join(f"<tr>{_row('td', row)}</tr>" for row in rows)
        return f"<table><thead><tr>{_row('th', header)}</tr></thead><tbody>{body}</tbody></table>"

    def _cells(self) -> list[list[str]]:
        known = [card.still(run._data) for run in self._runs]
        names: dict[str, int] = {}
        for run in known:
            for name in run["metrics"]:
                names[name] = names.get(name, 0) + 1
        metrics = sorted(names, key=lambda name: -names[name])[:COLUMNS_LIMIT]
        header = ["run", "status", "time", "experiment", *metrics, "id"]
        return [header, *(self._row(run, metrics) for run in known)]

    @staticmethod
    def _row(run: dict[str, JSON], metrics: list[str]) -> list[str]:
        time = "-" if run["duration_s"] is None else card.duration(run["duration_s"])
        values = [str(run["metrics"].get(name, "-")) for name in metrics]
        return [run["name"], card.words(run["status"]), time, run["experiment"], *values, run["id"]]


def show(thing: object) -> None:
    """Displays anything under the cell; prints it where there is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    try:
        if shell is not None:
            from IPython.display import display

            display(thing)  # type: ignore[no-untyped-call]
        else:
            print(_text(thing))
    except (StudioError, OSError) as error:
        print(f"{thing!r} cannot be shown: {error}", file=sys.stderr)


def _text(thing: Any) -> str:
    bundle = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {}
    return str(bundle.get("text/plain") or repr(thing))


def _row(tag: str, cells: Sequence[str]) -> str:
    return "".join(f'<{tag} style="text-align:left">{html.escape(cell)}</{tag}>' for cell in cells)

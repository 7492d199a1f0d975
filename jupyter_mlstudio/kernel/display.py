"""Showing runs in a notebook. Nothing here may break user code: what cannot be shown is said in words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.runs import Run, get_run
from jupyter_mlstudio.client.tables import Listed
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


class RunTable(Listed[Run]):
    """Runs as a table, with the metrics they have in common first."""

    def _cells(self) -> list[list[str]]:
        known = [card.still(run._data) for run in self]
        names: dict[str, int] = {}
        for run in known:
            for name in run["metrics"]:
                names[name] = names.get(name, 0) + 1
        metrics = sorted(names, key=lambda name: -names[name])[:COLUMNS_LIMIT]
        header = ["run", "status", "time", "experiment", *metrics, "id"]
        return [header, *(self._row(run, metrics) for run in known)]

    def _nothing(self) -> str:
        return "no runs"

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

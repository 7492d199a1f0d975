"""A matplotlib backend for runs: ``plt.show()`` keeps the open figures among the run's artifacts.

matplotlib chooses it through ``MPLBACKEND``, see https://matplotlib.org/stable/users/explain/figure/writing_a_backend_pyplot_interface.html.
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

from matplotlib.backend_bases import FigureManagerBase, _Backend
from matplotlib.backends.backend_agg import FigureCanvasAgg

from jupyter_mlstudio.client import active

_numbers = itertools.count(1)


class RunFigureManager(FigureManagerBase):
    """Shows a figure by keeping it."""

    def show(self) -> None:
        """Keeps this figure."""
        keep(self.canvas.figure)

    @classmethod
    def pyplot_show(cls, **_: Any) -> None:
        """Keeps and closes all open figures."""
        keep_open_figures()


class FigureCanvas(FigureCanvasAgg):
    """Draws with Agg; its manager keeps instead of showing."""

    manager_class = RunFigureManager


@_Backend.export
class _RunBackend(_Backend):
    FigureCanvas = FigureCanvas
    FigureManager = RunFigureManager


def keep(figure: Any) -> None:
    """Keeps one figure as ``outputs/figure-N.png``; user code goes on when that fails."""
    name = f"outputs/figure-{next(_numbers)}.png"
    try:
        run = active.active_run()
        if run is not None:
            run.log_figure(figure, name)
            print(f"[figure kept as {name}]")
    except Exception as error:
        print(f"[{name} was not kept: {error}]", file=sys.stderr)


def keep_open_figures() -> None:
    """Keeps and closes the figures that are open, as the end of a notebook cell shows them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        keep(pyplot.figure(number))
        pyplot.close(number)

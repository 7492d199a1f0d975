"""A live card of a run for front ends without the studio's JupyterLab extension: VS Code, Colab, the classic notebook.

The kernel asks for the run and sets one trait; the browser draws it with ``static/run.js`` (an anywidget module,
https://anywidget.dev). Import this module only where a card is wanted: it imports anywidget.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import anywidget
import traitlets

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.entities.runs import TERMINAL, RunStatus
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import NotFound

SCRIPT = Path(__file__).parent.parent / "static" / "run.js"
POLL_S = 1.0
LOG_TAIL_BYTES = 4096
SHOWN_METRICS = 12


def script(path: Path = SCRIPT) -> str:
    """Returns the card's JavaScript.

    Raises:
        NotFound: it was not built, which an installed package always is.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{path} was not built; run `npm run build:widget` in the checkout, or install the package"
        ) from None


def card_of(data: Mapping[str, JSON], log: str = "", error: str = "") -> dict[str, JSON]:
    """Makes what the card shows: a run as the API answers it, the end of its output, what went wrong in asking."""
    still = card.still(data)
    status = RunStatus(data["status"])
    summaries = [one for one in data.get("summaries", []) if not one["name"].startswith("system/")]
    return {
        "name": still["name"],
        "status": status.value,
        "live": status not in TERMINAL,
        "can_stop": status not in TERMINAL and status is not RunStatus.CANCEL_REQUESTED,
        "reason": still["reason"],
        "experiment": still["experiment"],
        "where": still["origin"],
        "elapsed_s": _elapsed_s(data, status),
        "params": list(still["params"].items()),
        "metrics": [
            {"name": one["name"], "value": one["last"], "sparkline": one["sparkline"]}
            for one in summaries[:SHOWN_METRICS]
        ],
        "progress": data.get("progress"),
        "log": log,
        "error": error,
    }


def _elapsed_s(data: Mapping[str, JSON], status: RunStatus) -> float | None:
    if status in TERMINAL or not data.get("started_at"):
        return data.get("duration_s")
    return (utc_now() - datetime.fromisoformat(data["started_at"])).total_seconds()


class RunWidget(anywidget.AnyWidget):
    """A run as a live card; it follows the run from a background thread until the run is over or the card is closed.

    Args:
        run: the run to show.

    Raises:
        NotFound: the card's JavaScript was not built.
    """

    card = traitlets.Dict().tag(sync=True)

    def __init__(self, run: Run) -> None:
        self._run = run
        self._closed = threading.Event()
        self._asked = threading.Event()
        super().__init__(_esm=script())
        self.on_msg(self._on_message)
        self.refresh()
        if self.card.get("live", True):
            threading.Thread(target=self._follow, name=f"card of run {run.id}", daemon=True).start()

    def refresh(self) -> None:
        """Asks for the run now; what goes wrong is shown in the card and never raised."""
        try:
            data = self._run.data
            self.card = card_of(data, self._run.log_tail(LOG_TAIL_BYTES))
        except Exception as error:
            self.card = {**self.card, "error": f"The run could not be read: {error}"}

    def close(self) -> None:
        """Removes the card and stops following the run; the run goes on."""
        self._closed.set()
        self._asked.set()
        super().close()

    def _follow(self) -> None:
        while not self._closed.is_set() and self.card.get("live", True):
            self._asked.wait(POLL_S)
            self._asked.clear()
            if not self._closed.is_set():
                self.refresh()

    def _on_message(self, _widget: object, content: Mapping[str, JSON], _buffers: object) -> None:
        if content.get("type") == "stop":
            try:
                self._run.stop()
            except Exception as error:
                self.card = {**self.card, "error": f"The run could not be stopped: {error}"}
            self._asked.set()

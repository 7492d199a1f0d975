"""What people ask of a sweep that runs, as its program sees it."""

from __future__ import annotations

import json
import sys
import time

import msgspec

from jupyter_mlstudio.entities.sweeps import SweepControl, SweepLimits, SweepSpec
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.programs.sweep_study import Book
from jupyter_mlstudio.programs.sweep_told import Teller

LOOK_S = 0.25
QUIET_S, QUIET_LOOK_S = 10.0, 1.0
"""After so long without news of a trial it asks less often."""


class Asked:
    """Reads what was asked, and has the study do what concerns it: new bounds, points to try."""

    def __init__(self, spec: SweepSpec, book: Book, teller: Teller, run_id: str) -> None:
        self.control = SweepControl(limits=spec.limits, space=dict(spec.space))
        self._book = book
        self._teller = teller
        self._key = f"points:{run_id}"
        self._points_taken = int(book.study.user_attrs.get(self._key, 0))
        self._next = 0.0

    @property
    def limits(self) -> SweepLimits:
        """Those that hold now."""
        return self.control.limits

    def look(self, quiet_s: float) -> SweepControl | None:
        """Reads what is asked now; None while it is not yet time to, or nobody answers.

        Args:
            quiet_s: for how long there was no news of any trial.
        """
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + (LOOK_S if quiet_s < QUIET_S else QUIET_LOOK_S)
        asked = self._teller.control()
        if asked is None:
            return None
        control = msgspec.convert(asked, SweepControl)
        if control.paused != self.control.paused:
            print("paused: no further trial begins" if control.paused else "resumed", flush=True)
        if control.space != self.control.space:
            self._book.change_space(dict(control.space))
            print("the bounds of the search space were changed", flush=True)
        self.control = control
        self._take_points()
        return control

    def _take_points(self) -> None:
        for point in self.control.points[self._points_taken :]:
            try:
                self._book.enqueue(point, asked_for=True)
                print(f"to be tried next: {json.dumps(point)}", flush=True)
            except StudioError as error:
                print(f"a point that was asked for cannot be tried: {error.message}", file=sys.stderr, flush=True)
            self._points_taken += 1
            self._book.study.set_user_attr(self._key, self._points_taken)

"""How good a candidate is, as charts: made of the predictions of rows by models that had not seen them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jupyter_mlstudio.client.charts import Envelope
from jupyter_mlstudio.client.classification import classify
from jupyter_mlstudio.client.regression import regress
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.errors import StudioError

ROWS_LIMIT, ROWS_LEAST = 20_000, 1000
"""Of more rows, so many are drawn, evenly spaced; fewer where each class has curves of its own."""

SHARE, LEAST_S = 0.08, 2.0
"""Of the time that a run has taken, for drawing candidates."""

Array = np.ndarray[Any, Any]


class Answers:
    """Predictions that are there already, in the form of a model: its rows are numbers of rows.

    Args:
        predicted: probabilities ``(n_rows, n_classes)`` or values ``(n_rows,)``; NaN where there is none.
        classes: the labels of the columns; None for values.
    """

    def __init__(self, predicted: Array, classes: Array | None) -> None:
        self._predicted = predicted
        if classes is not None:
            self.classes_ = classes
            self.predict_proba = self._probabilities

    def _probabilities(self, rows: Array) -> Array:
        return np.asarray(self._predicted[rows])

    def predict(self, rows: Array) -> Array:
        """Returns the likeliest label, or the value."""
        answers = np.asarray(self._predicted[rows])
        if not hasattr(self, "classes_"):
            return answers
        return np.asarray(self.classes_[answers.argmax(axis=1)])


def known_rows(predicted: Array, limit: int = ROWS_LIMIT) -> Array:
    """Numbers of the rows that have a prediction, at most ``limit`` of them, evenly spaced."""
    finite = np.isfinite(predicted)
    rows = np.flatnonzero(finite if predicted.ndim == 1 else finite.all(axis=1))
    if len(rows) <= limit:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, limit).round().astype(np.int64)])


def charts_of(
    predicted: Array, y: Array, classes: Array | None, positive: int | None, weights: Array | None
) -> Mapping[str, Envelope]:
    """Draws ROC, precision-recall, confusion and thresholds of a classifier, residuals and pairs of a regressor.

    Args:
        predicted: as :class:`Answers` has them.
        y: numbers of classes, or values, ``(n_rows,)``.
        classes: labels, or None for values.
        positive: number of the class that a binary classifier looks for.
        weights: how much each row counts, or None.
    """
    curves = 1 if classes is None or len(classes) == 2 else len(classes)
    rows = known_rows(predicted, max(ROWS_LEAST, ROWS_LIMIT // curves))
    if not len(rows):
        return {}
    counted = None if weights is None else weights[rows]
    if classes is None:
        return regress(y[rows], predicted[rows], counted)[1]
    names = np.asarray(classes)
    model = Answers(predicted, names)
    looked_for = None if positive is None else names[positive]
    truth = names[y[rows].astype(np.int64)]
    return classify(model, rows, truth, model.predict(rows), None, looked_for, counted)[1]


class Drawings:
    """The charts of candidates, drawn while others are fitted, and never for long.

    Args:
        gateway: whom they are told to.
        plan: what was learnt from.
        oof: candidate's number -> its out-of-fold predictions, None where there are none.
        used_s: seconds that the run has taken.
    """

    def __init__(
        self, gateway: Connection, plan: Any, oof: Callable[[int], Array | None], used_s: Callable[[], float]
    ) -> None:
        self._gateway = gateway
        self._plan = plan
        self._oof = oof
        self._used_s = used_s
        self._spent_s = 0.0
        self._waiting: dict[int, str] = {}

    def want(self, number: int, run_id: str) -> None:
        """Notes that a candidate is to be drawn; one that was fitted again is drawn again."""
        self._waiting[number] = run_id

    def draw(self) -> None:
        """Draws what waits, as far as there is time for it."""
        while self._waiting and self._spent_s < LEAST_S + SHARE * self._used_s():
            self._draw_next()

    def draw_all(self, until_s: float) -> None:
        """Draws what waits until the run has taken so many seconds."""
        while self._waiting and self._used_s() < until_s:
            self._draw_next()
        if self._waiting:
            print(f"the time was over before {len(self._waiting)} candidates were drawn", flush=True)

    def _draw_next(self) -> None:
        began = time.monotonic()
        number = next(iter(self._waiting))
        run_id = self._waiting.pop(number)
        predicted, plan = self._oof(number), self._plan
        if predicted is not None:
            charts = charts_of(predicted, plan.y, plan.classes, plan.positive, plan.weights)
            _tell(self._gateway, run_id, charts)
        self._spent_s += time.monotonic() - began


def _tell(gateway: Connection, run_id: str, charts: Mapping[str, Envelope]) -> None:
    """Keeps charts with the run of a candidate; one that cannot be kept is passed over, it is none of the search."""
    for name, chart in charts.items():
        try:
            gateway.put(f"runs/{segment(run_id)}/charts/{segment(name)}", chart)
        except StudioError as error:
            print(f"the chart {name} of {run_id} is not kept: {error.message}", flush=True)
            return

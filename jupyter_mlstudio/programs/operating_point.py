"""What is done to a converted model that may be served: a threshold is put in and compared, its speed is measured."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import LatencyProfile, ThresholdReport
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.parity import CLASSIFIER_TOLERANCE, plain_labels
from jupyter_mlstudio.onnx.session import Session, open_session
from jupyter_mlstudio.onnx.threshold import place_of, with_threshold
from jupyter_mlstudio.programs.evidence import ROWS
from jupyter_mlstudio.programs.ladder import Outcome

TRIES, TRIES_LIMIT_S = 30, 1.0
Arrays = Mapping[str, Any]


def finished(outcome: Outcome, threshold: float | None, positive: str | None = None) -> Outcome:
    """Puts the threshold in, if there is one, and measures latency. A model that may not be served stays as it is."""
    if outcome.onnx is None or outcome.conversion.signature is None:
        return outcome
    if threshold is not None:
        try:
            outcome = decided(outcome, threshold, positive)
        except Invalid as error:
            refused = replace(outcome.conversion, ready=False, onnx=None, sample=None, reason=error.message)
            return Outcome(refused, None, outcome.seconds)
    assert outcome.onnx is not None
    profile = measure(outcome.onnx, feeds_of(kept_rows(outcome)))
    return replace(outcome, conversion=replace(outcome.conversion, profile=profile))


def decided(outcome: Outcome, threshold: float, positive: str | None = None) -> Outcome:
    """Puts a threshold into a converted model, and compares its labels with those of the original's probabilities.

    Args:
        positive: the class that the threshold is about; the second one without.

    Raises:
        Invalid: it is no binary classifier, or a label is another one than the original's at this threshold.
    """
    signature = outcome.conversion.signature
    assert signature is not None
    assert outcome.onnx is not None
    place = place_of(signature.labels, positive) if len(signature.labels) == 2 else 1
    onnx = with_threshold(outcome.onnx, signature, threshold, place)
    inspect(onnx)
    kept, report = kept_rows(outcome), ThresholdReport(threshold=threshold, positive=signature.labels[place])
    evidence = dict(outcome.evidence)
    names = {spec.name: spec.onnx_name or spec.name for spec in signature.outputs}
    native = kept.get(f"number:{names['probabilities']}")
    if native is not None:
        tolerance = outcome.conversion.parity.tolerance if outcome.conversion.parity else CLASSIFIER_TOLERANCE
        ordered, likely = np.asarray([signature.labels[1 - place], signature.labels[place]]), native[:, place]
        wanted = ordered[(likely >= threshold).astype(int)]
        report = _compared(report, onnx, names["label"], kept, wanted, np.abs(likely - threshold) <= tolerance)
        evidence[ROWS] = packed({**kept, f"label:{names['label']}": _plain_numbers(wanted)})
    return Outcome(replace(outcome.conversion, threshold=report), onnx, outcome.seconds, evidence)


def measure(onnx: bytes, feeds: Arrays) -> LatencyProfile | None:
    """Measures the medians of one row and of 100, with one thread; None without rows."""
    if not feeds or not all(len(tensor) for tensor in feeds.values()):
        return None
    return measure_session(open_session(onnx), feeds)


def measure_session(session: Session, feeds: Arrays, outputs: list[str] | None = None) -> LatencyProfile:
    """Measures what is open already, on its rows in turn; ``outputs`` of None are all."""
    medians = []
    for rows in (1, 100):
        batch = {name: np.resize(tensor, (rows, *tensor.shape[1:])) for name, tensor in feeds.items()}
        session.run(outputs, batch)
        took: list[float] = []
        until = time.perf_counter() + TRIES_LIMIT_S
        while len(took) < TRIES and (not took or time.perf_counter() < until):
            began = time.perf_counter()
            session.run(outputs, batch)
            took.append((time.perf_counter() - began) * 1000)
        medians.append(statistics.median(took))
    return LatencyProfile(one_row_ms=medians[0], hundred_rows_ms=medians[1])


def _compared(
    report: ThresholdReport, onnx: bytes, label: str, kept: Arrays, wanted: Any, near: Any
) -> ThresholdReport:
    found = plain_labels(open_session(onnx).run([label], dict(feeds_of(kept)))[0])
    flips = found.ravel() != _plain_numbers(wanted)
    report = replace(report, rows=len(wanted), label_flips=int(flips.sum()), ties=int((flips & near).sum()))
    if report.label_flips > report.ties:
        wrong = report.label_flips - report.ties
        raise Invalid(
            f"with the threshold {report.threshold:g}, {wrong} of {report.rows} labels are not those that the"
            " original's probabilities give"
        )
    return report


def _plain_numbers(labels: Any) -> Any:
    """Labels as :func:`plain_labels` writes those of a graph: ``True`` and ``1.0`` read as ``1``."""
    words = {"True": "1", "False": "0"}
    return np.asarray([words.get(str(one), str(one)).removesuffix(".0") for one in labels])


def kept_rows(outcome: Outcome) -> dict[str, Any]:
    """The rows and the original's answers that a conversion keeps as evidence; empty when it had none."""
    if ROWS not in outcome.evidence:
        return {}
    with np.load(io.BytesIO(outcome.evidence[ROWS]), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def feeds_of(kept: Arrays) -> dict[str, Any]:
    """What of them goes into the graph."""
    inputs = {name.removeprefix("input:"): tensor for name, tensor in kept.items() if name.startswith("input:")}
    return {name: tensor.astype(object) if tensor.dtype.kind == "U" else tensor for name, tensor in inputs.items()}


def packed(arrays: Arrays) -> bytes:
    """Arrays as a file."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()

"""Climbs down the ladder of number types until the ONNX model answers like the original, or refuses with numbers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec

from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.entities.models import Conversion, ParityAttempt, ParityReport, Signature
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx import parity
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.session import RUNTIME, Execution, open_session
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction

SAMPLE_ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rung:
    """One number type that was tried: the converted model and how it compared, or the error that stopped it."""

    dtype: str
    converted: Converted | None = None
    comparison: parity.Comparison | None = None
    opset: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of the ladder: what to report, and the ONNX file when there is one."""

    conversion: Conversion
    onnx: bytes | None
    seconds: dict[str, float]


def climb(converter: Converter, original: Original, tolerance: float | None = None) -> Outcome:
    """Tries the converter's number types in order and takes the first whose answers are close enough.

    Args:
        tolerance: largest difference of one row; None takes 1e-5 for probabilities, 1e-4 of the scale for values.
    """
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    expected = converter.predict(original)
    seconds["predict"] = time.perf_counter() - began
    limit = tolerance if tolerance is not None else _default_tolerance(expected)
    rungs: list[Rung] = []
    for dtype in converter.dtypes:
        began = time.perf_counter()
        rungs.append(_try(converter, original, expected, dtype, limit))
        seconds[dtype] = time.perf_counter() - began
        comparison = rungs[-1].comparison
        if comparison is not None and comparison.within(limit):
            break
        if rungs[-1].error.startswith(_FINAL):
            break
    return Outcome(*_report(original, rungs, limit), seconds)


def serve_as_is(converter: Converter, original: Original) -> Outcome:
    """Takes an ONNX model that has no original: checked and loaded, with nothing to compare it with."""
    converted = converter.convert(original, converter.dtypes[0])
    conversion = Conversion(
        ready=True, framework=original.framework, onnx="model.onnx", signature=converted.signature,
        reason="registered as ONNX: there is no original to compare with",
    )  # fmt: skip
    return Outcome(conversion, converted.onnx, {})


_FINAL = "refused: "


def _try(converter: Converter, original: Original, expected: Prediction, dtype: str, tolerance: float) -> Rung:
    try:
        converted = converter.convert(original, dtype)
        facts = inspect(converted.onnx)
        found = answers(converted, original.rows)
        return Rung(dtype, converted, _compare(expected, found, tolerance), facts.opset)
    except Invalid as error:
        return Rung(dtype, error=_FINAL + error.message if error.code == "refused" else error.message)


def answers(converted: Converted, rows: Any) -> Prediction:
    """Answers for rows with the ONNX model, through the same reading and writing as a request to an endpoint."""
    signature = converted.signature
    protocol = Protocol(signature, "model", "1", rows_limit=10**9)
    feeds = protocol.read(msgspec.json.encode(request(signature, rows))).feeds
    outputs = {spec.name: spec.onnx_name or spec.name for spec in signature.outputs}
    found = Execution(open_session(converted.onnx)).run(list(outputs.values()), feeds)
    by_name = dict(zip(outputs, found, strict=True))
    return Prediction(by_name.get("label"), by_name.get("probabilities"), by_name.get("prediction"))


def _compare(expected: Prediction, found: Prediction, tolerance: float) -> parity.Comparison:
    if expected.labels is None:
        return parity.compare_regressors(expected.values, found.values)
    return parity.compare_classifiers(
        expected.labels, found.labels, expected.probabilities, found.probabilities, tolerance
    )


def _default_tolerance(expected: Prediction) -> float:
    return parity.REGRESSOR_TOLERANCE if expected.labels is None else parity.CLASSIFIER_TOLERANCE


def _report(original: Original, rungs: list[Rung], tolerance: float) -> tuple[Conversion, bytes | None]:
    attempts = [_attempt(rung, tolerance) for rung in rungs]
    measured = [rung for rung in rungs if rung.comparison is not None]
    if not measured:
        reason = "; ".join(dict.fromkeys(attempt.error for attempt in attempts))
        return Conversion(ready=False, reason=reason, framework=original.framework), None
    best = min(measured, key=lambda rung: (rung.comparison.label_flips or 0, rung.comparison.max_abs_difference))  # type: ignore[union-attr]
    accepted = next((rung for rung, attempt in zip(rungs, attempts, strict=True) if attempt.accepted), None)
    rung = accepted or best
    assert rung.comparison is not None
    assert rung.converted is not None
    comparison = rung.comparison
    report = ParityReport(
        rows=comparison.rows, label_flips=comparison.label_flips, ties=comparison.ties,
        max_abs_difference=comparison.max_abs_difference,
        mean_abs_difference=comparison.mean_abs_difference, quantiles=comparison.quantiles, tolerance=tolerance,
        dtype=rung.dtype, opset=rung.opset, worst_rows=comparison.worst_rows, attempts=attempts, runtime=RUNTIME,
    )  # fmt: skip
    signature = rung.converted.signature
    conversion = Conversion(
        ready=accepted is not None,
        reason="" if accepted else _refusal(comparison, tolerance),
        framework=original.framework,
        onnx="model.onnx" if accepted else None,
        signature=signature,
        parity=report,
        sample=_sample(signature, original.rows) if accepted else None,
    )
    return conversion, rung.converted.onnx if accepted else None


def _attempt(rung: Rung, tolerance: float) -> ParityAttempt:
    if rung.comparison is None:
        return ParityAttempt(dtype=rung.dtype, error=rung.error.removeprefix(_FINAL))
    return ParityAttempt(
        dtype=rung.dtype,
        label_flips=rung.comparison.label_flips,
        max_abs_difference=rung.comparison.max_abs_difference,
        mean_abs_difference=rung.comparison.mean_abs_difference,
        accepted=rung.comparison.within(tolerance),
    )


def _refusal(comparison: parity.Comparison, tolerance: float) -> str:
    flips = "" if comparison.label_flips is None else f"{comparison.label_flips} of {comparison.rows} labels flip, "
    return (
        f"the ONNX form does not answer like the original: {flips}the largest difference is"
        f" {comparison.max_abs_difference:.3g} where {tolerance:.3g} is allowed"
    )


def _sample(signature: Signature, rows: Any) -> dict[str, Any]:
    """A request of a few rows, preferably such that have no missing values."""
    if hasattr(rows, "notna"):
        whole = rows[rows.notna().all(axis=1)]
        rows = whole if len(whole) >= SAMPLE_ROWS_SHOWN else rows
    return request(signature, rows[:SAMPLE_ROWS_SHOWN])

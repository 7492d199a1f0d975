"""Climbs down the ladder of number types until the ONNX model answers like the original, or refuses with numbers."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from jupyter_mlstudio.client.rows import request
from jupyter_mlstudio.entities.models import Conversion, ParityAttempt, ParityPolicy, ParityReport, Signature
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx import parity
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.onnx.session import RUNTIME, Execution, open_session
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction
from jupyter_mlstudio.programs import evidence

SAMPLE_ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Rung:
    """One number type that was tried: the converted model and how it compared, or the error that stopped it."""

    dtype: str
    converted: Converted | None = None
    comparison: parity.Comparison | None = None
    opset: int = 0
    error: str = ""
    feeds: Mapping[str, Any] = field(default_factory=dict)
    found: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of the ladder: what to report, the ONNX file when there is one, and the files that prove it."""

    conversion: Conversion
    onnx: bytes | None
    seconds: dict[str, float]
    evidence: dict[str, bytes] = field(default_factory=dict)


def climb(
    converter: Converter, original: Original, tolerance: float | None = None, policy: ParityPolicy | None = None
) -> Outcome:
    """Tries the converter's number types in order and takes the first whose answers are close enough.

    Args:
        tolerance: largest difference of one row; None takes the policy's, and without one 1e-5 for probabilities,
            1e-4 of the scale for values.
        policy: how many labels may flip, and up to which quantile of the rows the difference counts.
    """
    policy = policy or ParityPolicy()
    if tolerance is not None:
        policy = replace(policy, max_abs_difference=tolerance)
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    expected = converter.predict(original)
    seconds["predict"] = time.perf_counter() - began
    if policy.max_abs_difference is None:
        policy = replace(policy, max_abs_difference=_default_tolerance(expected))
    rungs: list[Rung] = []
    for dtype in converter.dtypes:
        began = time.perf_counter()
        rungs.append(_try(converter, original, expected, dtype, policy))
        seconds[dtype] = time.perf_counter() - began
        comparison = rungs[-1].comparison
        if comparison is not None and comparison.within(policy):
            break
        if rungs[-1].error.startswith(_FINAL):
            break
    return _ended(original, expected, rungs, policy, seconds)


def serve_as_is(converter: Converter, original: Original) -> Outcome:
    """Takes an ONNX model that has no original: checked and loaded, with nothing to compare it with."""
    converted = converter.convert(original, converter.dtypes[0])
    conversion = Conversion(
        ready=True, framework=original.framework, onnx="model.onnx", signature=converted.signature,
        reason="registered as ONNX: there is no original to compare with",
    )  # fmt: skip
    return Outcome(conversion, converted.onnx, {})


_FINAL = "refused: "


def _try(converter: Converter, original: Original, expected: Prediction, dtype: str, policy: ParityPolicy) -> Rung:
    try:
        converted = converter.convert(original, dtype)
        _give_back()
        facts = inspect(converted.onnx)
        _give_back()
        feeds, found = answers(converted, original.rows)
        comparison = _compare(expected, found, policy.max_abs_difference or 0.0)
        return Rung(dtype, converted, comparison, facts.opset, feeds=feeds, found=found)
    except Invalid as error:
        return Rung(dtype, error=_FINAL + error.message if error.code == "refused" else error.message)


def _give_back() -> None:
    """Gives freed memory back to the system, where the C library can: onnxruntime takes many times a model's size
    while it loads it, and that should not come on top of what its conversion took.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def answers(converted: Converted, rows: Any) -> tuple[Mapping[str, Any], Prediction]:
    """Answers for rows with the ONNX model, through the same reading and writing as a request to an endpoint.

    Returns:
        The tensors that it was fed, by their names in the graph, and its answers.
    """
    signature = converted.signature
    protocol = Protocol(signature, "model", "1", rows_limit=10**9)
    feeds = protocol.read(msgspec.json.encode(request(signature, rows))).feeds
    outputs = {spec.name: spec.onnx_name or spec.name for spec in signature.outputs}
    found = Execution(open_session(converted.onnx)).run(list(outputs.values()), feeds)
    by_name = dict(zip(outputs, found, strict=True))
    return feeds, Prediction(
        by_name.get("label"),
        by_name.get("probabilities", by_name.get("scores")),
        by_name.get("prediction", by_name.get("values")),
    )


def _compare(expected: Prediction, found: Prediction, tolerance: float) -> parity.Comparison:
    if expected.labels is None:
        return parity.compare_regressors(expected.values, found.values)
    return parity.compare_classifiers(
        expected.labels, found.labels, expected.probabilities, found.probabilities, tolerance
    )


def _default_tolerance(expected: Prediction) -> float:
    return parity.REGRESSOR_TOLERANCE if expected.labels is None else parity.CLASSIFIER_TOLERANCE


def _ended(
    original: Original, expected: Prediction, rungs: list[Rung], policy: ParityPolicy, seconds: dict[str, float]
) -> Outcome:
    attempts = [_attempt(rung, policy) for rung in rungs]
    measured = [rung for rung in rungs if rung.comparison is not None]
    if not measured:
        reason = "; ".join(dict.fromkeys(attempt.error for attempt in attempts))
        return Outcome(Conversion(ready=False, reason=reason, framework=original.framework), None, seconds)
    accepted = next((rung for rung, attempt in zip(rungs, attempts, strict=True) if attempt.accepted), None)
    rung = accepted or min(measured, key=_badness)
    assert rung.comparison is not None
    assert rung.converted is not None
    signature = rung.converted.signature
    proof = evidence.files(rung.converted, rung.feeds, expected) if accepted else {}
    conversion = Conversion(
        ready=accepted is not None,
        reason="" if accepted else _refusal(rung.comparison, policy),
        framework=original.framework,
        onnx="model.onnx" if accepted else None,
        signature=signature,
        parity=_report(rung, original, expected, attempts, policy),
        sample=_sample(signature, original.rows) if accepted else None,
        evidence=list(proof),
    )
    return Outcome(conversion, rung.converted.onnx if accepted else None, seconds, proof)


def _badness(rung: Rung) -> tuple[int, float]:
    assert rung.comparison is not None
    return rung.comparison.label_flips or 0, rung.comparison.max_abs_difference


def _report(
    rung: Rung, original: Original, expected: Prediction, attempts: list[ParityAttempt], policy: ParityPolicy
) -> ParityReport:
    comparison = rung.comparison
    assert comparison is not None
    assert rung.converted is not None
    assert rung.found is not None
    return ParityReport(
        rows=comparison.rows, label_flips=comparison.label_flips, ties=comparison.ties,
        max_abs_difference=comparison.max_abs_difference, mean_abs_difference=comparison.mean_abs_difference,
        quantiles=comparison.quantiles, tolerance=policy.max_abs_difference or 0.0, policy=policy, dtype=rung.dtype,
        opset=rung.opset, worst_rows=comparison.worst_rows, attempts=attempts, runtime=RUNTIME,
        worst=evidence.worst(comparison, rung.feeds, rung.converted, expected, rung.found),
        recorded=original.framework if original.recorded else "",
    )  # fmt: skip


def _attempt(rung: Rung, policy: ParityPolicy) -> ParityAttempt:
    if rung.comparison is None:
        return ParityAttempt(dtype=rung.dtype, error=rung.error.removeprefix(_FINAL))
    return ParityAttempt(
        dtype=rung.dtype,
        label_flips=rung.comparison.label_flips,
        max_abs_difference=rung.comparison.max_abs_difference,
        mean_abs_difference=rung.comparison.mean_abs_difference,
        accepted=rung.comparison.within(policy),
    )


def _refusal(comparison: parity.Comparison, policy: ParityPolicy) -> str:
    allowed = policy.max_abs_difference or 0.0
    flips = "" if comparison.label_flips is None else f"{comparison.label_flips} of {comparison.rows} labels flip, "
    rows = "" if policy.quantile == 1 else f" for {policy.quantile:.4g} of the rows"
    return (
        f"the ONNX form does not answer like the original: {flips}the largest difference is"
        f" {comparison.max_abs_difference:.3g} where {allowed:.3g} is allowed{rows}"
    )


def _sample(signature: Signature, rows: Any) -> dict[str, Any]:
    """A request of a few rows, preferably such that have no missing values."""
    if hasattr(rows, "notna"):
        whole = rows[rows.notna().all(axis=1)]
        rows = whole if len(whole) >= SAMPLE_ROWS_SHOWN else rows
    return request(signature, rows[:SAMPLE_ROWS_SHOWN])

"""Makes another form of a converted model, a newer opset or 8-bit weights, and compares it as the first was.

It is compared with the original's answers where there are rows, otherwise with the graph that it was made of, on rows
that were made for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.graphs import NEWEST_OPSET
from jupyter_mlstudio.entities.models import ParityAttempt, ParityPolicy, ParityReport
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx import parity
from jupyter_mlstudio.onnx.check import inspect
from jupyter_mlstudio.onnx.probe import probe
from jupyter_mlstudio.onnx.quantise import quantised
from jupyter_mlstudio.onnx.session import RUNTIME, open_session
from jupyter_mlstudio.onnx.upgrade import upgraded
from jupyter_mlstudio.programs.evidence import ROWS
from jupyter_mlstudio.programs.ladder import Outcome
from jupyter_mlstudio.programs.operating_point import feeds_of, kept_rows, packed

INT8_DIFFERENCE, INT8_FLIPS = 0.05, 0.01
"""How far 8-bit weights may be from the original unless a policy says otherwise: the largest difference of a row, and
the share of labels that may flip."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a graph answered, by the names of its outputs."""

    labels: dict[str, Any]
    numbers: dict[str, Any]


def derived(outcome: Outcome, wanted: dict[str, JSON] | None, policy: ParityPolicy | None = None) -> Outcome:
    """Makes the form that is wanted, None for none; one that answers differently makes the version refused."""
    if not wanted or outcome.onnx is None:
        return outcome
    try:
        return _made(outcome, wanted, policy)
    except Invalid as error:
        refused = replace(outcome.conversion, ready=False, onnx=None, sample=None, reason=error.message)
        return Outcome(refused, None, outcome.seconds)


def _made(outcome: Outcome, wanted: dict[str, JSON], policy: ParityPolicy | None) -> Outcome:
    assert outcome.onnx is not None
    small = wanted["kind"] == "quantise"
    onnx = quantised(outcome.onnx) if small else upgraded(outcome.onnx, int(wanted.get("opset") or NEWEST_OPSET))
    facts = inspect(onnx)
    kept = kept_rows(outcome) or _made_rows(outcome.onnx)
    expected = Answers(*({name[len(kind) :]: kept[name] for name in kept if name.startswith(kind)}
                         for kind in ("label:", "number:")))  # fmt: skip
    found = _answers(onnx, feeds_of(kept), expected)
    comparison = _compared(expected, found)
    policy = policy or _usual(small, comparison)
    dtype = "int8" if small else f"opset {facts.opset}"
    accepted = comparison.within(policy)
    attempt = ParityAttempt(
        dtype=dtype, label_flips=comparison.label_flips, max_abs_difference=comparison.max_abs_difference,
        mean_abs_difference=comparison.mean_abs_difference, accepted=accepted,
    )  # fmt: skip
    before = outcome.conversion.parity.attempts if outcome.conversion.parity else []
    report = ParityReport(
        rows=comparison.rows, label_flips=comparison.label_flips, ties=comparison.ties,
        max_abs_difference=comparison.max_abs_difference, mean_abs_difference=comparison.mean_abs_difference,
        quantiles=comparison.quantiles, tolerance=policy.max_abs_difference or 0.0, policy=policy, dtype=dtype,
        opset=facts.opset, worst_rows=comparison.worst_rows, attempts=[*before, attempt], runtime=RUNTIME, worst=[],
    )  # fmt: skip
    print(f"{dtype}: {len(outcome.onnx):,} bytes became {len(onnx):,}")
    conversion = replace(outcome.conversion, parity=report, reason="")
    if not accepted:
        flips = "" if comparison.label_flips is None else f"{comparison.label_flips} of {comparison.rows} labels flip, "
        why = (
            f"as {dtype} it does not answer as before: {flips}the largest difference is"
            f" {comparison.max_abs_difference:.3g} where {policy.max_abs_difference:.3g} is allowed"
        )
        return Outcome(replace(conversion, ready=False, onnx=None, sample=None, reason=why), None, outcome.seconds)
    evidence = dict(outcome.evidence)
    if ROWS not in evidence:
        from jupyter_mlstudio.programs.evidence import SCRIPT, script

        evidence = {SCRIPT: script(), ROWS: packed(kept)}
        conversion = replace(conversion, evidence=list(evidence))
    return Outcome(conversion, onnx, outcome.seconds, evidence)


def _usual(small: bool, comparison: parity.Comparison) -> ParityPolicy:
    if small:
        return ParityPolicy(max_label_flips=int(comparison.rows * INT8_FLIPS), max_abs_difference=INT8_DIFFERENCE)
    usual = parity.REGRESSOR_TOLERANCE if comparison.label_flips is None else parity.CLASSIFIER_TOLERANCE
    return ParityPolicy(max_abs_difference=usual)


def _made_rows(onnx: bytes) -> dict[str, Any]:
    """Made rows and the answers of the graph as it is, named as in the evidence of a conversion."""
    feeds, session = probe(onnx), open_session(onnx)
    kept: dict[str, Any] = {
        f"input:{name}": tensor.astype(str) if tensor.dtype == object else tensor for name, tensor in feeds.items()
    }
    for output, value in zip(session.get_outputs(), session.run(None, feeds), strict=True):
        array = np.asarray(value)
        kind = "number" if array.dtype.kind == "f" else "label"
        kept[f"{kind}:{output.name}"] = array if kind == "number" else np.atleast_1d(parity.plain_labels(array))
    return kept


def _answers(onnx: bytes, feeds: dict[str, Any], wanted: Answers) -> Answers:
    names = [*wanted.labels, *wanted.numbers]
    found = dict(zip(names, open_session(onnx).run(names, feeds), strict=True))
    return Answers(
        {name: np.atleast_1d(parity.plain_labels(found[name])) for name in wanted.labels},
        {name: found[name] for name in wanted.numbers},
    )


def _compared(expected: Answers, found: Answers) -> parity.Comparison:
    numbers = [_table(answers) for answers in (expected, found)]
    if not expected.labels:
        return parity.compare_regressors(*numbers)
    rows = min(len(one) for one in expected.labels.values())
    labels = [_words(answers, rows) for answers in (expected, found)]
    if not expected.numbers or len(numbers[0]) != rows:
        return parity.compare_classifiers(labels[0], labels[1])
    return parity.compare_classifiers(labels[0], labels[1], numbers[0], numbers[1])


def _words(answers: Answers, rows: int) -> Any:
    """All labels of a row as one text."""
    columns = [column for value in answers.labels.values() for column in value[:rows].reshape(rows, -1).T]
    return np.array(["|".join(one) for one in zip(*columns, strict=True)])


def _table(answers: Answers) -> Any:
    """All numbers of a row side by side."""
    arrays = [np.asarray(value, dtype=np.float64) for value in answers.numbers.values()]
    rows = {len(one) if one.ndim else 0 for one in arrays}
    if len(rows) != 1 or 0 in rows:
        return np.hstack([one.ravel() for one in arrays])[:, np.newaxis] if arrays else np.empty((0, 1))
    return np.hstack([one.reshape(len(one), -1) for one in arrays])

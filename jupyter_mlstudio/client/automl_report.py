"""What an AutoML run has found, as user code sees it: a leaderboard, and the entities behind it."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.tables import Listed
from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.entities.automl_reports import AutoMLReport
from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.entities.values import JSON

SHOWN = 50
T = TypeVar("T")


def entity_of(kind: type[T], data: Mapping[str, JSON]) -> T:
    """Makes an entity of what the API tells; fields that this version does not know are passed over."""
    hints = typing.get_type_hints(kind, include_extras=False)
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], value) for name, value in data.items() if name in known})


def lead_text(report: AutoMLReport) -> str:
    """One sentence on whether the best model is better than the next one by more than chance; empty without two."""
    margin = report.margin
    if margin is None:
        return ""
    numbers = card.number(margin.lead)
    if margin.low is not None and margin.high is not None:
        numbers += f", with 95 % confidence {card.number(margin.low)} to {card.number(margin.high)}"
    lead = f"the lead over {margin.family} ({margin.number}) is {numbers}"
    return f"{lead}: within the noise, other rows could turn it round" if margin.within_noise else lead


class Leaderboard(Listed[Candidate]):
    """The models that were tried, the best first."""

    def __init__(self, report: AutoMLReport) -> None:
        super().__init__(report.leaderboard)
        self._report = report

    def rows(self) -> list[dict[str, JSON]]:
        """Each model as one flat dict: number, family, score with its interval, all metrics, times, size, ONNX."""
        return [self._row(one) for one in self._found]

    def frame(self) -> Any:
        """The models as a pandas data frame."""
        import pandas

        return pandas.DataFrame(self.rows())

    def _row(self, one: Candidate) -> dict[str, JSON]:
        check = one.onnx
        return {
            "number": one.number, "family": one.family, "stage": one.stage, self._report.primary_metric: one.score,
            "low": one.low, "high": one.high,
            **{f"metrics.{name}": value for name, value in one.metrics.items()},
            **{f"params.{name}": value for name, value in one.params.items()},
            "rows": one.rows, "fit_s": one.fit_s, "predict_ms": one.predict_ms, "size_bytes": one.size_bytes,
            "onnx": None if check is None else check.ready,
            "onnx_difference": None if check is None else check.max_abs_difference,
            "onnx_label_flips": None if check is None else check.label_flips,
            "failed": one.failed, "run_id": one.run_id,
        }  # fmt: skip

    def _cells(self) -> list[list[str]]:
        header = ["", "model", self._report.primary_metric or "score", "95 %", "fit", "predict 1,000", "ONNX", ""]
        return [header, *(self._line(one) for one in self._found[:SHOWN])]

    def _line(self, one: Candidate) -> list[str]:
        bounds = "" if one.low is None or one.high is None else f"{card.number(one.low)} to {card.number(one.high)}"
        check = ("" if one.score is None else "not checked") if one.onnx is None else checked(one.onnx)
        said = one.failed or ("winner" if one.number == self._report.winner else "")
        score = "-" if one.score is None else card.number(one.score)
        cells = [str(one.number), one.family, score, bounds, f"{one.fit_s:.2f} s", f"{one.predict_ms:.1f} ms"]
        return [*cells, check[:60], said[:80]]

    def _nothing(self) -> str:
        return f"no models yet: {self._report.phase}"

    def _more(self) -> list[str]:
        more = [f"the best {SHOWN} of {len(self)}; frame() has all"] if len(self) > SHOWN else []
        return more + ([said] if (said := lead_text(self._report)) else [])


def checked(found: OnnxCheck) -> str:
    """A few words for how the ONNX form of a model answers."""
    if not found.ready:
        return found.reason
    flips = f", {found.label_flips} flips" if found.label_flips else ""
    return "ready" if found.max_abs_difference is None else f"ready, ± {found.max_abs_difference:.1g}{flips}"


class Findings(Listed[Finding]):
    """What was seen in the table before any fit, the worst first: what it is, what was done, what people can do."""

    def __init__(self, report: AutoMLReport) -> None:
        order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
        super().__init__(sorted(report.findings, key=lambda one: order.index(one.severity)))

    def __repr__(self) -> str:
        return "\n".join(finding_text(one) for one in self) or self._nothing()

    def _cells(self) -> list[list[str]]:
        return [
            ["", "found", "done", "you can"],
            *([one.severity.value, one.what, one.done, one.remedy] for one in self),
        ]

    def _nothing(self) -> str:
        return "nothing was found"


def finding_text(one: Finding) -> str:
    """A finding in a line."""
    done = f"; {one.done}" if one.done else ""
    remedy = f"; you can: {one.remedy}" if one.remedy else ""
    return f"{one.severity.value}: {one.what}{done}{remedy}"


def _value(hint: Any, value: JSON) -> Any:
    """Reads a value as its field's type says."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _value(next(one for one in inner if one is not type(None)), value)
    if value is None or hint is Any:
        return value
    if origin is list:
        return [_value(inner[0], one) for one in value]
    if origin is dict:
        return {str(name): _value(inner[1], one) for name, one in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if is_dataclass(hint) and isinstance(hint, type):
        return entity_of(hint, value)
    return float(value) if hint is float else value

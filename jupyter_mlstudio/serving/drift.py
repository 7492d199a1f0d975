"""How far the answers of one deployment have drifted from another's: their distributions, counted output by output.

The measure is the population stability index, Azure's ``population_stability_index`` of prediction drift: the sum over
bins of ``(p - q) ln(p / q)`` (J, Jeffreys 1946; Siddiqi, Credit Risk Scorecards, 2006). Numbers are put into the
deciles of the answers that were given, or fewer bins while there are few; labels are bins of their own. As a rule of
thumb, below 0.1 nothing has changed, and above 0.25 much has. Both sides answered the same requests, so that what
differs is the model and not who asked.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

FEW = 20
"""Fewer values show nothing."""

BINS = 10
FEATURES_LIMIT = 32
LABELS_LIMIT = 200
VALUES_LIMIT = 2000
"""So many values of one answer are counted; the first ones."""

_STEP = math.log(1.01)
_LEAST, _MOST = 1e-9, 1e12
_ROW = re.compile(r"\[\d+\]")
_TEXT_LIMIT = 60
_OTHERS = "=..."

Counted = Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]
"""By output: how often which bucket was answered, and how often to the copies."""


class Drift:
    """Counts of answers, by output."""

    def __init__(self) -> None:
        self.outputs: dict[str, tuple[Counter[str], Counter[str]]] = {}

    def note(self, place: str, live: Any, copy: Any) -> None:
        """Counts a value of an answer that was given, and the copy's in the same place."""
        output = _ROW.sub("", place, count=1)
        sides = self._sides(output)
        if sides is None:
            return
        for side, value in zip(sides, (live, copy), strict=True):
            if (bucket := bucket_of(value)) is not None:
                _count(side, bucket, 1)

    def add(self, counted: Counted) -> None:
        """Adds what another one has counted."""
        for output, given in counted.items():
            sides = self._sides(output)
            for side, counts in zip(sides or (), given, strict=False):
                for bucket, count in counts.items():
                    _count(side, bucket, int(count))

    def take(self) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
        """What was counted since it was taken last."""
        outputs, self.outputs = self.outputs, {}
        return {name: (dict(live), dict(copy)) for name, (live, copy) in outputs.items()}

    def worst(self) -> tuple[float, str] | None:
        """The largest index and the output that has it; None while there is too little to tell."""
        found = [
            (index(live, copy), name)
            for name, (live, copy) in self.outputs.items()
            if min(live.total(), copy.total()) >= FEW
        ]
        return max(found) if found else None

    def _sides(self, output: str) -> tuple[Counter[str], Counter[str]] | None:
        if output not in self.outputs:
            if len(self.outputs) >= FEATURES_LIMIT:
                return None
            self.outputs[output] = (Counter(), Counter())
        return self.outputs[output]


def bucket_of(value: Any) -> str | None:
    """The bucket of a value: numbers with a fraction to one percent, anything else as it is; None for no value."""
    if value is None or isinstance(value, dict | list):
        return None
    if not isinstance(value, float):
        return f"={value!s:.{_TEXT_LIMIT}}"
    if math.isnan(value):
        return None
    size = abs(value)
    if size < _LEAST:
        return "0"
    bucket = 1 + int(math.log(min(size, _MOST) / _LEAST) / _STEP)
    return str(bucket if value > 0 else -bucket)


def index(live: Mapping[str, int], copy: Mapping[str, int]) -> float:
    """The population stability index of two counts; each bin counts half a value more, so that none is empty."""
    bins = [*_bins_of_numbers(live, copy), *_bins_of_labels(live, copy)]
    given, other = sum(one for one, _ in bins) + len(bins) / 2, sum(one for _, one in bins) + len(bins) / 2
    shares = [((one + 0.5) / given, (two + 0.5) / other) for one, two in bins]
    return sum((p - q) * math.log(p / q) for p, q in shares)


def _bins_of_numbers(live: Mapping[str, int], copy: Mapping[str, int]) -> list[tuple[int, int]]:
    """Bins with about the same number of given answers in each; a value that fills one by itself is one by itself."""
    buckets = sorted(int(one) for one in {*live, *copy} if not one.startswith("="))
    total = sum(live.get(str(one), 0) for one in buckets)
    share = total / min(BINS, max(2, total // FEW))
    bins: list[tuple[int, int]] = []
    one = other = 0
    for bucket in buckets:
        mine, theirs = live.get(str(bucket), 0), copy.get(str(bucket), 0)
        if mine >= share and one + other:
            bins.append((one, other))
            one = other = 0
        one, other = one + mine, other + theirs
        if one >= share:
            bins.append((one, other))
            one = other = 0
    return [*bins, (one, other)] if one + other else bins


def _bins_of_labels(live: Mapping[str, int], copy: Mapping[str, int]) -> list[tuple[int, int]]:
    """The labels that were given most, and all others together."""
    labels = sorted((one for one in {*live, *copy} if one.startswith("=")), key=lambda one: (-live.get(one, 0), one))
    bins = [(live.get(one, 0), copy.get(one, 0)) for one in labels]
    rest = bins[BINS:]
    return bins[:BINS] + ([(sum(one for one, _ in rest), sum(one for _, one in rest))] if rest else [])


def _count(side: Counter[str], bucket: str, count: int) -> None:
    if bucket.startswith("=") and bucket not in side and len(side) >= LABELS_LIMIT:
        bucket = _OTHERS
    side[bucket] += count

"""How sure it is that the best trial of a sweep is the best.

The best of many trials looks better than it is, since it was chosen for its value: the more trials, the more luck is in
it. Three things are told, each where there is something to tell it from:

- an interval of the best value, Student's t over its repeated seeds or folds;
- whether its lead over the runner-up is within noise, by Welch's t-test over both trials' seeds or folds, or else by
  the differences between neighbouring trials in the space;
- a warning when the lead is significant alone, but not among as many comparisons as there were trials (Bonferroni).

Welch: B. L. Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947. The noise of neighbours follows
the difference-based estimate of J. Rice, Annals of Statistics 12, 1984, with a median for the mean.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jupyter_mlstudio.entities.sweeps import Goal, Lead
from jupyter_mlstudio.entities.values import JSON

SIGNIFICANT = 0.05
FEWEST = 8
"""With fewer trials nothing is said about noise from neighbours."""

MOST = 400
"""How many of the best trials are looked at for neighbours."""


@dataclass(frozen=True, slots=True)
class Result:
    """A trial that is complete and feasible: its value, and the value of each seed or fold where there are several."""

    number: int
    value: float
    params: Mapping[str, JSON]
    samples: Sequence[float] = ()


def lead(results: Sequence[Result], goal: Goal) -> Lead:
    """Returns what can be said of the best of some results; values that are not finite are left out."""
    finite = [one for one in results if math.isfinite(one.value)]
    sign = 1.0 if goal is Goal.MAXIMIZE else -1.0
    ranked = sorted(finite, key=lambda one: (-sign * one.value, one.number))
    if not ranked:
        return Lead()
    best = ranked[0]
    low, high = interval(best.samples)
    if len(ranked) == 1:
        return Lead(low=low, high=high)
    runner_up = ranked[1]
    by = abs(best.value - runner_up.value)
    names = f"Trial {best.number} leads trial {runner_up.number} by {by:.3g}"
    if by == 0:
        names = f"Trials {best.number} and {runner_up.number} have the same value {best.value:.6g}"
        return Lead(
            low=low, high=high, runner_up=runner_up.number, within_noise=True, note=f"{names}: neither is better."
        )
    within, note = _seeds(best, runner_up, len(ranked)) or _neighbours(ranked, by) or (False, "")
    return Lead(
        low=low, high=high, runner_up=runner_up.number, within_noise=within, note=f"{names}{note}" if note else ""
    )


def interval(samples: Sequence[float], confidence: float = 0.95) -> tuple[float | None, float | None]:
    """Returns Student's interval of the mean of independent samples, or nothing for fewer than two."""
    values = [value for value in samples if math.isfinite(value)]
    if len(values) < 2:
        return None, None
    from scipy.special import stdtrit

    mean = statistics.fmean(values)
    half = float(stdtrit(len(values) - 1, 0.5 + confidence / 2)) * statistics.stdev(values) / math.sqrt(len(values))
    return mean - half, mean + half


def welch(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Returns the two-sided p-value that two means are equal; None where the samples do not tell."""
    if len(one) < 2 or len(other) < 2:
        return None
    from scipy.special import stdtr

    first, second = (statistics.variance(samples) / len(samples) for samples in (one, other))
    if first + second == 0:
        return None
    freedom = (first + second) ** 2 / (first**2 / (len(one) - 1) + second**2 / (len(other) - 1))
    t = abs(statistics.fmean(one) - statistics.fmean(other)) / math.sqrt(first + second)
    return float(2 * stdtr(freedom, -t))


def _seeds(best: Result, runner_up: Result, trials: int) -> tuple[bool, str] | None:
    p = welch(best.samples, runner_up.samples)
    if p is None:
        return None
    told = f" (p = {p:.2g}, {len(best.samples)} and {len(runner_up.samples)} seeds or folds)"
    if p >= SIGNIFICANT:
        return True, f", which is within noise{told}: take either, or repeat both with more seeds."
    if p * (trials - 1) >= SIGNIFICANT:
        return False, (
            f"{told}, but it is the best of {trials} trials, and among that many comparisons such a lead may be"
            " chance: confirm it with new seeds or data that no trial has seen."
        )
    return False, ""


def _neighbours(ranked: Sequence[Result], by: float) -> tuple[bool, str] | None:
    noise = noise_of(ranked)
    if noise is None:
        return None
    if by < noise * math.sqrt(2):
        return True, (
            f", and neighbouring trials of {len(ranked)} differ by about {noise * math.sqrt(2):.2g}:"
            " the lead may be chance. Repeat both with several seeds."
        )
    return False, ""


def noise_of(ranked: Sequence[Result]) -> float | None:
    """Returns a standard deviation of trials at nearly the same place, from the better half of them.

    It is the median difference of nearest neighbours, scaled as for a normal distribution; as the neighbours' places
    differ too, it is rather too large than too small.
    """
    if len(ranked) < FEWEST:
        return None
    good = ranked[: min(max(FEWEST, len(ranked) // 2), MOST)]
    rows = _coordinates([one.params for one in good])
    differences = []
    for place, row in enumerate(rows):
        nearest = min(
            (other for other in range(len(rows)) if other != place), key=lambda other: _distance(row, rows[other])
        )
        differences.append(abs(good[place].value - good[nearest].value))
    return 1.4826 * statistics.median(differences) / math.sqrt(2)


def _coordinates(params: Sequence[Mapping[str, JSON]]) -> list[dict[str, float | str]]:
    """Puts numbers on a scale from 0 to 1 by their rank, so that logarithmic parameters need no knowledge."""
    rows: list[dict[str, float | str]] = [{} for _ in params]
    for name in {name for one in params for name in one}:
        values = [one.get(name) for one in params]
        numbers = sorted({v for v in values if isinstance(v, int | float) and not isinstance(v, bool)})
        places = {number: place / max(len(numbers) - 1, 1) for place, number in enumerate(numbers)}
        for row, value in zip(rows, values, strict=True):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            row[name] = places[value] if is_number else repr(value)  # type: ignore[index]
    return rows


def _distance(one: Mapping[str, float | str], other: Mapping[str, float | str]) -> float:
    total = 0.0
    for name, value in one.items():
        against = other[name]
        both = isinstance(value, float) and isinstance(against, float)
        total += (value - against) ** 2 if both else float(value != against)  # type: ignore[operator]
    return total

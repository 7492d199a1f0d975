"""Whether the winner of a search is better than the runner-up by more than chance."""

from __future__ import annotations

import math
import statistics

from jupyter_mlstudio.entities.automl_candidates import Candidate, Margin
from jupyter_mlstudio.entities.automl_reports import AutoMLReport
from jupyter_mlstudio.entities.experiments import Goal


def margin_of(report: AutoMLReport) -> Margin | None:
    """How far the winner, or the best so far, leads the next one; None while there are not two.

    Both were judged on the same folds, so their scores are compared fold by fold. Folds share rows to learn from, which
    the variance is corrected for: Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52
    (2003), section 3. With a single fold the interval of the winner itself tells.
    """
    board = list(report.leaderboard)
    place = next((at for at, one in enumerate(board) if one.number == report.winner), 0)
    able = [one for one in board[place:] if _counts(one)]  # what is better and did not win was left out for a reason
    first, second = (able[0], able[1]) if len(able) > 1 else (None, None)
    if first is None or second is None or first.score is None or second.score is None:
        return None
    sign = 1.0 if report.goal is Goal.MAXIMIZE else -1.0
    lead = sign * (first.score - second.score)
    low, high = _interval(first, second, sign, report.folds) or (None, None)
    noise = low <= 0 if low is not None else _covers(first, second.score)
    return Margin(number=second.number, family=second.family, lead=lead, low=low, high=high, within_noise=noise)


def _counts(one: Candidate) -> bool:
    able = one.onnx is None or one.onnx.ready
    return able and not one.failed and one.score is not None and math.isfinite(one.score)


def _interval(first: Candidate, second: Candidate, sign: float, parts: int) -> tuple[float, float] | None:
    """The 95 % interval of the mean difference over folds; None where it cannot be told.

    Args:
        parts: of the rows, one of which each fold judges; with repeats there are more folds than parts.
    """
    count = len(first.folds)
    if count < 2 or count != len(second.folds):
        return None
    from scipy.stats import t

    steps = [sign * (float(one) - float(other)) for one, other in zip(first.folds, second.folds, strict=True)]
    if not all(math.isfinite(step) for step in steps):
        return None
    mean = statistics.fmean(steps)
    judged = 1 / (min(count, parts or count) - 1)  # for each row that is learnt from
    error = math.sqrt(statistics.variance(steps) * (1 / count + judged))
    reach = float(t.ppf(0.975, count - 1)) * error
    return mean - reach, mean + reach


def _covers(first: Candidate, score: float) -> bool:
    return first.low is not None and first.high is not None and first.low <= score <= first.high

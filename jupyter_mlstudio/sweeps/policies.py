"""Which trials end early: Azure's three policies as pruners of Optuna, and Optuna's own by name.

The semantics are those of Azure Machine Learning, "Hyperparameter tuning a model (v2)", section "Early termination",
and of the reference of the sweep job's YAML. Each value that a trial reports is one *interval*. A policy is applied at
every interval that is a multiple of ``evaluation_interval`` and at least ``delay_evaluation``, and compares the trial
with all trials that have reached that interval, ended ones and itself included. Call ``should_prune`` after each
reported value: between two intervals the answer is no. The policies only read values, so they work with every sampler.
"""

from __future__ import annotations

import inspect
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities.sweeps import EarlyTermination
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps.build import build

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

    from jupyter_mlstudio.sweeps.azure import Judge

AZURE = ("bandit", "median_stopping", "truncation_selection")
OPTUNA = {
    "none": "NopPruner",
    "hyperband": "HyperbandPruner",
    "successive_halving": "SuccessiveHalvingPruner",
    "wilcoxon": "WilcoxonPruner",
    "patient": "PatientPruner",
    "percentile": "PercentilePruner",
    "threshold": "ThresholdPruner",
}


def bandit(slack_factor: float | None, slack_amount: float | None) -> Judge:
    """A trial ends when its best value so far is not within the slack of the best trial's at the same interval.

    With a best of 0.8 to be maximized, a slack factor of 0.2 ends what is below 0.8 / (1 + 0.2) = 0.667, and a slack
    amount of 0.2 what is below 0.6; to be minimized, what is above 0.8 * (1 + 0.2) or 0.8 + 0.2. A factor reads a
    metric as a ratio, so below zero the two formulas change places and the slack stays on the worse side.
    """

    def judge(mine: float, all_of_them: Sequence[float]) -> bool:
        best = all_of_them[-1]
        if slack_amount is not None:
            return mine < best - slack_amount
        factor = 1 + (slack_factor or 0.0)
        return mine < (best / factor if best > 0 else best * factor)

    return judge


def truncation(percentage: int) -> Judge:
    """A trial ends when its value is among the lowest ``percentage`` of all values at the same interval.

    Of n trials these are floor(n * percentage / 100); trials that are equal there and do not all fit in stay.
    """

    def judge(mine: float, all_of_them: Sequence[float]) -> bool:
        not_better = sum(value <= mine for value in all_of_them)
        return not_better <= len(all_of_them) * percentage // 100

    return judge


def below_median(mine: float, all_of_them: Sequence[float]) -> bool:
    """A trial ends when its best value so far is worse than the median of all trials' running averages.

    A running average is the mean of a trial's values from the first interval to this one.
    """
    return mine < statistics.median(all_of_them)


def make(policy: EarlyTermination) -> BasePruner:
    """Returns the pruner that a sweep asked for.

    Raises:
        Invalid: there is no policy of that name, or its arguments do not fit together.
    """
    name = policy.policy
    if name in AZURE:
        return _azure(policy)
    import optuna

    kind = getattr(optuna.pruners, OPTUNA.get(name, name), None)
    if not inspect.isclass(kind) or not issubclass(kind, optuna.pruners.BasePruner) or inspect.isabstract(kind):
        raise Invalid(f"there is no early termination policy {name!r}: choose from {', '.join((*AZURE, *OPTUNA))}")
    return build(kind, f"the policy {name}", _arguments(policy, kind))


def _arguments(policy: EarlyTermination, kind: type) -> dict[str, JSON | BasePruner]:
    """Maps the fields that all policies share onto what a pruner of Optuna's calls them."""
    known = inspect.signature(kind).parameters
    found: dict[str, JSON | BasePruner] = dict(policy.options)
    for name, value, default in (
        ("interval_steps", policy.evaluation_interval, 1),
        ("n_warmup_steps", policy.delay_evaluation, 0),
    ):
        if name in known and value != default:
            found.setdefault(name, value)
    if "wrapped_pruner" in known:
        inner = found.pop("wrapped_pruner", None)
        found["wrapped_pruner"] = make(EarlyTermination(**inner)) if isinstance(inner, dict) else None
        found.setdefault("patience", 1)
    if "percentile" in known:
        found.setdefault("percentile", 25.0)
    return found


def _azure(policy: EarlyTermination) -> BasePruner:
    from jupyter_mlstudio.sweeps.azure import AzurePruner, running_averages, running_bests

    rest = dict(policy.options)
    ended_too = not rest.pop("exclude_finished_jobs", False)
    if rest:
        raise Invalid(f"the policy {policy.policy} has no option {min(rest)!r}: it has exclude_finished_jobs")
    when = (policy.evaluation_interval, policy.delay_evaluation, ended_too)
    if policy.policy == "bandit":
        return AzurePruner(running_bests, running_bests, bandit(policy.slack_factor, policy.slack_amount), *when)
    if policy.policy == "median_stopping":
        return AzurePruner(running_bests, running_averages, below_median, *when)
    return AzurePruner(list, list, truncation(policy.truncation_percentage or 0), *when)
